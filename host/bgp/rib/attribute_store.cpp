// SPDX-License-Identifier: Apache-2.0
#include "attribute_store.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace poplink::host::bgp {

namespace {

/// A multiplication and a fold for each 8 octets.
class Hash {
 public:
  void add(std::uint64_t word) {
    state_ = (state_ ^ word) * 0x9E37'79B9'7F4A'7C15;
    state_ ^= state_ >> 32;
  }
  void add(Octets octets) {
    add(octets.size());
    while (octets.size() >= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, octets.data(), 8);
      add(word);
      octets = octets.subspan(8);
    }
    std::uint64_t word = 0;
    if (!octets.empty()) std::memcpy(&word, octets.data(), octets.size());
    add(word);
  }
  std::uint32_t value() const { return static_cast<std::uint32_t>(state_ ^ state_ >> 29); }

 private:
  std::uint64_t state_ = 0;
};

std::uint32_t hashOf(const NextHop& next_hop, Octets canonical) {
  Hash hash;
  if (const auto* ipv4 = std::get_if<Ipv4>(&next_hop.address))
    hash.add(*ipv4);
  else
    hash.add(Octets(std::get<Ipv6>(next_hop.address)));
  if (next_hop.link_local) hash.add(Octets(*next_hop.link_local));
  hash.add(canonical);
  return hash.value();
}

}  // namespace

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
  const std::uint32_t hash = hashOf(next_hop, canonical);
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
