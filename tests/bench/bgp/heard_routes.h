// SPDX-License-Identifier: Apache-2.0
// What a receiver has been told, beside what it should have been told.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bgp_routes.h"
#include "prefix_hash.h"

namespace poplink::bench {

/// Where each prefix of a table is in it.
using PrefixIndex = boost::unordered_flat_map<Prefix, std::uint32_t, PrefixHash>;
PrefixIndex indexOf(std::span<const Prefix> prefixes);

class HeardRoutes {
 public:
  /// `index` and `prefixes` of the same table; both outlive this.
  HeardRoutes(const PrefixIndex& index, std::span<const Prefix> prefixes);

  /// From now on: a fingerprint for each prefix, 0 for one that should not be there. Outlives this, or the next call.
  void expect(std::span<const std::uint64_t> expected);
  void take(const host::bgp::Update& update);

  /// Each route as it should be, and no other.
  bool asExpected() const { return as_expected_ == expected_.size() && foreign_.empty(); }
  /// How it is not, in words, with a prefix as an example for each kind of difference.
  std::vector<std::string> differences() const;

 private:
  void set(const Prefix& prefix, std::uint64_t fingerprint);
  void setAll(const host::bgp::Routes& routes, std::uint64_t fingerprint);

  const PrefixIndex& index_;
  std::span<const Prefix> prefixes_;
  std::span<const std::uint64_t> expected_;
  std::vector<std::uint64_t> heard_;                         ///< fingerprints; 0: no route
  std::size_t as_expected_ = 0;                              ///< of `heard_`
  boost::unordered_flat_set<Prefix, PrefixHash> foreign_{};  ///< heard, of no table
};

}  // namespace poplink::bench
