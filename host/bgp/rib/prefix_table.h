// SPDX-License-Identifier: Apache-2.0
// Numbers for prefixes. All that is kept per prefix lives in arrays by these numbers, so a prefix itself is stored
// once. It costs 8 bytes (17 for IPv6), and 16 to 32 in a hash table that is between half and a quarter full: 25 each
// for a million of IPv4.
#pragma once

#include <cassert>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../wire/types.h"
#include "hash_key.h"
#include "paged.h"

namespace poplink::host::bgp {

using PrefixId = std::uint32_t;
inline constexpr PrefixId kNoPrefix = 0xFFFF'FFFF;

/// 64 bits that depend on all of the prefix's, for a table whose sizes are powers of two.
inline std::uint64_t hashOf(const Prefix4& prefix, const HashKey& key) {
  return keyedHash(std::uint64_t{prefix.address} << 8 | prefix.length, 0, 0, key);
}
/// The length has a word of its own: in the address's, one network's bit and another's length could be the same.
inline std::uint64_t hashOf(const Prefix6& prefix, const HashKey& key) {
  std::uint64_t high = 0, low = 0;
  std::memcpy(&high, prefix.address.data(), 8);
  std::memcpy(&low, prefix.address.data() + 8, 8);
  return keyedHash(high, low, prefix.length, key);
}

/// Open addressing with linear probing; a deletion moves what follows, so there are no tombstones and a table that
/// has come to rest is as fast as a new one. Slots have the hash beside the number: what is another prefix, or has to
/// move, is seen without a look at the prefix, which is somewhere else in memory.
template <class Prefix>
class PrefixTable {
 public:
  explicit PrefixTable(const HashKey& key) : key_(key) {}

  /// kNoPrefix: it is not there.
  PrefixId find(const Prefix& prefix) const {
    if (slots_.empty()) return kNoPrefix;
    const std::uint32_t hash = shortHashOf(prefix);
    for (std::size_t at = hash & mask();; at = next(at)) {
      if (slots_[at].id == kNoPrefix) return kNoPrefix;
      if (slots_[at].hash == hash && prefixes_[slots_[at].id] == prefix) return slots_[at].id;
    }
  }

  /// find(), insert() or erase() of it will follow soon: what they look at first is on its way from memory meanwhile.
  void prefetch(const Prefix& prefix) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[shortHashOf(prefix) & mask()]);
  }

  /// The prefix's number; a new one, the lowest that is free or the next, if it was not there.
  PrefixId insert(const Prefix& prefix) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    const std::uint32_t hash = shortHashOf(prefix);
    std::size_t at = hash & mask();
    for (; slots_[at].id != kNoPrefix; at = next(at)) {
      if (slots_[at].hash == hash && prefixes_[slots_[at].id] == prefix) return slots_[at].id;
    }
    ++size_;
    PrefixId id = static_cast<PrefixId>(prefixes_.size());
    if (free_.empty()) {
      prefixes_.push_back(prefix);
    } else {
      id = free_.back();
      free_.pop_back();
      prefixes_[id] = prefix;
    }
    slots_[at] = {id, hash};
    return id;
  }

  /// The number is free for another prefix. `id` must be in use.
  void erase(PrefixId id) {
    std::size_t hole = shortHashOf(prefixes_[id]) & mask();
    while (slots_[hole].id != id) {
      assert(slots_[hole].id != kNoPrefix);
      hole = next(hole);
    }
    slots_[hole].id = kNoPrefix;
    for (std::size_t at = next(hole); slots_[at].id != kNoPrefix; at = next(at)) {
      // What stands between its home and here may move back, but not in front of its home.
      const std::size_t wish = slots_[at].hash & mask();
      if (((at - wish) & mask()) < ((at - hole) & mask())) continue;
      slots_[hole] = slots_[at];
      slots_[at].id = kNoPrefix;
      hole = at;
    }
    free_.push_back(id);
    --size_;
  }

  const Prefix& prefix(PrefixId id) const { return prefixes_[id]; }
  /// Prefixes that are there.
  std::size_t size() const { return size_; }
  /// Every number in use is below it: how long arrays by numbers must be.
  PrefixId bound() const { return static_cast<PrefixId>(prefixes_.size()); }

 private:
  struct Slot {
    PrefixId id = kNoPrefix;
    std::uint32_t hash = 0;
  };
  static constexpr std::size_t kFirstSlots = 64;

  std::uint32_t shortHashOf(const Prefix& prefix) const { return static_cast<std::uint32_t>(hashOf(prefix, key_)); }
  std::size_t mask() const { return slots_.size() - 1; }
  std::size_t next(std::size_t at) const { return (at + 1) & mask(); }

  void grow() {
    std::vector<Slot> before(slots_.empty() ? kFirstSlots : 2 * slots_.size());
    before.swap(slots_);
    for (const Slot& slot : before) {
      if (slot.id == kNoPrefix) continue;
      std::size_t at = slot.hash & mask();
      while (slots_[at].id != kNoPrefix) at = next(at);
      slots_[at] = slot;
    }
  }

  HashKey key_;
  Paged<Prefix> prefixes_;
  std::vector<Slot> slots_;
  std::vector<PrefixId> free_;
  std::size_t size_ = 0;
};

}  // namespace poplink::host::bgp
