// SPDX-License-Identifier: Apache-2.0
// From a route that is taken to what a group of peers is told of it (RFC 4271 sections 5.1 and 9.1.3).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "../policy/policy.h"
#include "../rib/adj_rib_out.h"
#include "../wire/open.h"
#include "speaker_settings.h"

namespace poplink::host::bgp {

/// Of the peers of a group. Peers of equal rules are told the same octets.
struct ExportRules {
  bool external = true;
  Asn local_as = 0;  ///< of the sessions
  bool four_octet_asn = true;
  bool extended_next_hop = false;  ///< IPv4 routes may have IPv6 next hops (RFC 8950)
  NextHopMode next_hop = NextHopMode::automatic;
  std::optional<Ipv4> self4{};  ///< our addresses towards them
  std::optional<Ipv6> self6{};
  std::optional<BgpRole> role{};  ///< ours
  bool route_server_client = false;
  bool drain = false;
  std::shared_ptr<const Policy> policy;
  friend bool operator==(const ExportRules&, const ExportRules&) = default;
};

template <class Prefix>
class RouteExporter : public Exporter<Prefix> {
 public:
  /// `sources`: by PeerIndex.
  RouteExporter(const AttributeStore& store, const std::vector<PathSource>& sources, ExportRules rules)
      : store_(store), sources_(sources), rules_(std::move(rules)) {}

  bool byPrefix() const override { return rules_.policy->dependsOnPrefix(); }
  std::optional<std::uint64_t> judge(const Best& best, const Prefix& prefix) override;
  Exported make(const Best& best, std::uint64_t terms) override;
  UpdateForm form() const override;

  const ExportRules& rules() const { return rules_; }
  void setRules(ExportRules rules) { rules_ = std::move(rules); }

 private:
  bool allowed(const Best& best, const PathFacts& facts) const;
  std::optional<NextHop> nextHop(const NextHop& came) const;
  std::vector<AttributeChange> beforePolicy(const PathFacts& facts) const;
  std::vector<AttributeChange> afterPolicy(const PathFacts& facts) const;
  std::vector<std::uint8_t> attributes(Octets canonical, std::uint64_t terms) const;

  const AttributeStore& store_;
  const std::vector<PathSource>& sources_;
  ExportRules rules_;
};

extern template class RouteExporter<Prefix4>;
extern template class RouteExporter<Prefix6>;

}  // namespace poplink::host::bgp
