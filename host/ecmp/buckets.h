// SPDX-License-Identifier: Apache-2.0
// Which member of a group of next hops gets which bucket, and who stands in when a member dies. Pure functions: the
// same arguments give the same table on every machine.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <vector>

namespace poplink::host {

/// A member of a group: an underlay link, or a port of a LAG. 0..15.
using Member = std::uint8_t;

/// Relative shares, each at least 1; e.g. Gbit/s. No member at all is an error of the caller.
using Weights = std::map<Member, std::uint32_t>;

struct Bucket {
  Member first = 0;
  Member second = 0;  ///< while `first` is dead
  Member third = 0;   ///< while both are
  friend auto operator<=>(const Bucket&, const Bucket&) = default;
};

/// Splits `total` by weight, exactly: every share is its quota rounded up or down, and they add up. Ties go to the
/// lower member. Throws std::invalid_argument without members or with a weight of 0.
std::map<Member, std::size_t> split(std::size_t total, const Weights& weights);

/// The buckets for `weights`. As few as possible differ in `first` from `before` (of the same size, or empty for a new
/// group): a flow moves only if its member has left or has more than its share. Stand-ins spread each member's buckets
/// over the others by weight, so a death leaves every survivor with its share again; with too few members a stand-in is
/// the member itself. Throws std::invalid_argument as split() does, and when `before` has another size.
std::vector<Bucket> allocate(std::size_t buckets, const Weights& weights, const std::vector<Bucket>& before = {});

}  // namespace poplink::host
