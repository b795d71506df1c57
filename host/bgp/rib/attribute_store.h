// SPDX-License-Identifier: Apache-2.0
// Path attributes of all routes of an instance, each set of them once: a set never changes, and has a number of 32 bits
// by which routes know it. Sets are the same when canonical octets and next hop are.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "../wire/update.h"
#include "hash_key.h"
#include "paged.h"

namespace poplink::host::bgp {

using AttributesId = std::uint32_t;
inline constexpr AttributesId kNoAttributes = 0xFFFF'FFFF;

/// What the decision process asks of a set again and again (RFC 4271 section 9.1.2.2).
struct DecisionFacts {
  std::uint32_t path_length = 0;
  std::uint32_t local_pref = 100;  ///< the default that all speakers use
  std::uint32_t med = 0;           ///< none counts as 0
  Asn neighbor_as = 0;             ///< whose MEDs compare
  RouterId originator_id = 0;      ///< 0: none
  std::uint32_t clusters = 0;      ///< in CLUSTER_LIST
  Origin origin = Origin::incomplete;
};
DecisionFacts decisionFacts(const PathFacts& facts);

/// 32 bits that depend on all of a set's, for a table whose sizes are powers of two.
std::uint32_t hashOf(const NextHop& next_hop, Octets canonical, const HashKey& key);

/// Sets are counted: intern() and hold() each owe a release(). One thread at a time.
class AttributeStore {
 public:
  explicit AttributeStore(const HashKey& key) : key_(key) {}
  AttributeStore(const AttributeStore&) = delete;
  AttributeStore& operator=(const AttributeStore&) = delete;

  /// The number of a set, new or known. `canonical` as attributes.h says; it is copied if the set is new.
  AttributesId intern(const NextHop& next_hop, Octets canonical);
  void hold(AttributesId id) { ++sets_[id].references; }
  void release(AttributesId id);

  // Of a set that somebody holds; until it is released by all, whatever else comes.
  Octets canonical(AttributesId id) const { return {sets_[id].octets.get(), sets_[id].bytes}; }
  const NextHop& nextHop(AttributesId id) const { return sets_[id].next_hop; }
  const DecisionFacts& facts(AttributesId id) const { return sets_[id].facts; }

  std::size_t size() const { return size_; }
  /// Numbers are below it.
  AttributesId bound() const { return static_cast<AttributesId>(sets_.size()); }

 private:
  struct Set {
    std::unique_ptr<std::uint8_t[]> octets;
    std::uint32_t bytes = 0;
    std::uint32_t references = 0;
    std::uint32_t hash = 0;
    NextHop next_hop;
    DecisionFacts facts;
  };
  static constexpr std::size_t kFirstSlots = 64;

  std::size_t mask() const { return slots_.size() - 1; }
  void grow();

  HashKey key_;
  Paged<Set> sets_;
  std::vector<AttributesId> slots_, free_;
  std::size_t size_ = 0;
};

}  // namespace poplink::host::bgp
