// SPDX-License-Identifier: Apache-2.0
// Routes to measure BGP speakers with: the same ones for the same seed, with prefixes and attributes like those of the
// Internet's table. Prefixes come in sets that share their attributes, about six in each.
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "octets.h"
#include "types.h"
#include "update.h"

namespace poplink::bench {

using Prefix = std::variant<host::bgp::Prefix4, host::bgp::Prefix6>;

struct PathAttributes {
  std::vector<host::bgp::Asn> as_path;
  std::vector<std::uint32_t> communities;  ///< ascending
};

/// Of a route with these attributes and this next hop; never 0, which stands for no route.
std::uint64_t fingerprint(const PathAttributes& attributes, const host::bgp::Address& next_hop);
/// Of the routes that an UPDATE announces with these facts.
std::uint64_t fingerprint(const host::bgp::PathFacts& facts, const host::bgp::Address& next_hop);

/// A BGP speaker as its peers see it.
struct Identity {
  host::bgp::Address address{};  ///< of its end of the sessions, and its routes' next hop
  host::bgp::Asn asn = 0;
  host::bgp::RouterId router_id = 0;
};

class RouteTable {
 public:
  /// `count` different prefixes: 1..2'000'000. None covers or lies in the addresses that sessions use (198.18.0.0/15,
  /// 2001:db8::/32).
  RouteTable(host::bgp::Family family, std::size_t count, std::uint64_t seed);

  host::bgp::Family family() const { return family_; }
  std::span<const Prefix> prefixes() const { return prefixes_; }
  std::size_t sets() const { return ends_.size(); }
  std::size_t begin(std::size_t set) const { return set == 0 ? 0 : ends_[set - 1]; }
  std::size_t end(std::size_t set) const { return ends_[set]; }

  /// A number that belongs to the set, to choose something by.
  std::uint64_t number(std::size_t set) const;
  /// What `neighbor` says of the set: a path of `length` AS numbers that begins with it; communities with every second
  /// set.
  PathAttributes attributes(std::size_t set, host::bgp::Asn neighbor, std::size_t length) const;

 private:
  host::bgp::Family family_;
  std::uint64_t seed_;
  std::vector<Prefix> prefixes_;
  std::vector<std::size_t> ends_;  ///< of each set, as an index into the prefixes
};

/// How long a path is announced with a set.
using LengthOf = std::size_t (*)(const RouteTable& table, std::size_t set, std::size_t sender);

/// UPDATEs of the sets [0, sets): one for each, or more where they do not fit.
std::vector<std::uint8_t> announcements(const RouteTable& table, std::size_t sets, const Identity& from,
                                        std::size_t sender, LengthOf length);
/// UPDATEs without room for another prefix in any but the last.
std::vector<std::uint8_t> withdrawals(const RouteTable& table);

}  // namespace poplink::bench
