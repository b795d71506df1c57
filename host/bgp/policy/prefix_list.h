// SPDX-License-Identifier: Apache-2.0
// Lists of prefix ranges, made for being asked a million times a second.
//
// The prefixes of all ranges are sorted, so that each comes before those within it and knows the next larger one that
// it lies in itself. Which lengths are in the list, with everything that larger ones say of them, is worked out once
// for each. So a question is a binary search, some steps outwards, and one bit, however many ranges there are.
#pragma once

#include <bitset>
#include <span>
#include <vector>

#include "../wire/prefix.h"
#include "policy_settings.h"

namespace poplink::host::bgp {

namespace detail {

/// The ranges of one family.
template <class Prefix>
class FamilyRanges {
 public:
  explicit FamilyRanges(std::span<const PrefixRange> ranges);
  bool contains(const Prefix& prefix) const;

 private:
  static constexpr std::size_t kLengths = 8 * sizeof(Prefix::address) + 1;
  static constexpr std::uint32_t kNone = 0xffff'ffff;
  struct Node {
    std::uint32_t around = kNone;  ///< the smallest one that covers it
    std::bitset<kLengths> permitted{};
  };
  std::size_t notBehind(const Prefix& prefix) const;

  std::vector<Prefix> prefixes_;  ///< sorted; by themselves, because searching reads nothing else
  std::vector<Node> nodes_;       ///< of each
};
extern template class FamilyRanges<Prefix4>;
extern template class FamilyRanges<Prefix6>;

}  // namespace detail

class PrefixList {
 public:
  /// Of ranges that findProblems() has nothing to say of.
  explicit PrefixList(const PrefixListSettings& ranges) : ipv4_(ranges), ipv6_(ranges) {}

  /// Whether the first range that matches permits it. What none matches is not in the list.
  bool contains(const Prefix4& prefix) const { return ipv4_.contains(prefix); }
  bool contains(const Prefix6& prefix) const { return ipv6_.contains(prefix); }

 private:
  detail::FamilyRanges<Prefix4> ipv4_;
  detail::FamilyRanges<Prefix6> ipv6_;
};

}  // namespace poplink::host::bgp
