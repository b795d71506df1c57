// SPDX-License-Identifier: Apache-2.0
#include "attribute_store.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

namespace poplink::host::bgp {

namespace {

/// A multiplication for each 16 octets.
class Hash {
 public:
  explicit Hash(const HashKey& key) : key_(key), state_(key.first) {}

  void add(std::uint64_t one, std::uint64_t other) { state_ = wideProduct(one ^ key_.second, other ^ state_).folded(); }
  /// How many they are must have been added before: the last 16 are taken whether some were taken already or not.
  void add(Octets octets) {
    if (octets.size() < 16) {
      std::array<std::uint8_t, 16> padded{};
      std::ranges::copy(octets, padded.begin());
      return add16(padded.data());
    }
    for (std::size_t at = 0; at + 16 < octets.size(); at += 16) add16(octets.data() + at);
    add16(octets.last(16).data());
  }
  std::uint64_t value() const { return keyedHash(state_, 0, 0, key_); }

 private:
  void add16(const std::uint8_t* octets) {
    std::uint64_t one = 0, other = 0;
    std::memcpy(&one, octets, 8);
    std::memcpy(&other, octets + 8, 8);
    add(one, other);
  }

  const HashKey& key_;
  std::uint64_t state_;
};

}  // namespace

std::uint32_t hashOf(const NextHop& next_hop, Octets canonical, const HashKey& key) {
  Hash hash(key);
  const auto* ipv4 = std::get_if<Ipv4>(&next_hop.address);
  // First what comes and how long it is, so that no two sets are the same words.
  const std::uint64_t shape = (ipv4 != nullptr ? 0U : 1U) | (next_hop.link_local ? 2U : 0U);
  hash.add(std::uint64_t{canonical.size()} << 2 | shape, ipv4 != nullptr ? *ipv4 : 0);
  if (ipv4 == nullptr) hash.add(std::get<Ipv6>(next_hop.address));
  if (next_hop.link_local) hash.add(*next_hop.link_local);
  hash.add(canonical);
  return static_cast<std::uint32_t>(hash.value());
}

DecisionFacts decisionFacts(const PathFacts& facts) {
  return {static_cast<std::uint32_t>(facts.path_length),
          facts.local_pref.value_or(DecisionFacts{}.local_pref),
          facts.med.value_or(0),
          facts.first_as,
          facts.originator_id.value_or(0),
          static_cast<std::uint32_t>(facts.cluster_list.size() / 4),
          facts.origin};
}

AttributesId AttributeStore::intern(const NextHop& next_hop, Octets canonical) {
  if (2 * (size_ + 1) > slots_.size()) grow();
  const std::uint32_t hash = hashOf(next_hop, canonical, key_);
  std::size_t at = hash & mask();
  for (; slots_[at] != kNoAttributes; at = (at + 1) & mask()) {
    Set& set = sets_[slots_[at]];
    if (set.hash != hash || set.bytes != canonical.size() || set.next_hop != next_hop ||
        !std::equal(canonical.begin(), canonical.end(), set.octets.get()))
      continue;
    ++set.references;
    return slots_[at];
  }
  auto id = static_cast<AttributesId>(sets_.size());
  if (free_.empty()) {
    sets_.push_back({});
  } else {
    id = free_.back();
    free_.pop_back();
  }
  Set& set = sets_[id];
  set.octets = std::make_unique_for_overwrite<std::uint8_t[]>(canonical.size());
  std::copy(canonical.begin(), canonical.end(), set.octets.get());
  set.bytes = static_cast<std::uint32_t>(canonical.size());
  set.references = 1;
  set.hash = hash;
  set.next_hop = next_hop;
  set.facts = decisionFacts(readFacts(canonical));
  ++size_;
  return slots_[at] = id;
}

void AttributeStore::release(AttributesId id) {
  assert(sets_[id].references != 0);
  if (--sets_[id].references != 0) return;
  std::size_t hole = sets_[id].hash & mask();
  while (slots_[hole] != id) hole = (hole + 1) & mask();
  slots_[hole] = kNoAttributes;
  for (std::size_t at = (hole + 1) & mask(); slots_[at] != kNoAttributes; at = (at + 1) & mask()) {
    const std::size_t wish = sets_[slots_[at]].hash & mask();
    if (((at - wish) & mask()) < ((at - hole) & mask())) continue;
    slots_[hole] = slots_[at];
    slots_[at] = kNoAttributes;
    hole = at;
  }
  sets_[id].octets.reset();
  free_.push_back(id);
  --size_;
}

void AttributeStore::grow() {
  slots_.assign(slots_.empty() ? kFirstSlots : 2 * slots_.size(), kNoAttributes);
  for (AttributesId id = 0; id < bound(); ++id) {
    if (sets_[id].references == 0) continue;
    std::size_t at = sets_[id].hash & mask();
    while (slots_[at] != kNoAttributes) at = (at + 1) & mask();
    slots_[at] = id;
  }
}

}  // namespace poplink::host::bgp
