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

/// Why a route is not told to a peer.
enum class Withheld : std::uint8_t {
  none,
  own,           ///< it came from this peer
  internal,      ///< it came from an internal peer, and this is another one (RFC 4271 section 9.2)
  no_advertise,  ///< by its communities (RFC 1997)
  no_export,
  leak,         ///< ONLY_TO_CUSTOMER keeps it from this peer (RFC 9234 section 5)
  no_next_hop,  ///< we have no address of its family towards the peer
  policy,
};
const char* words(Withheld reason);

template <class Prefix>
class RouteExporter : public Exporter<Prefix> {
 public:
  /// `sources`: by PeerIndex.
  RouteExporter(const AttributeStore& store, const std::vector<PathSource>& sources, ExportRules rules)
      : store_(store), sources_(sources), rules_(std::move(rules)) {}

  bool byPrefix() const override { return rules_.policy->dependsOnPrefix(); }
  std::optional<std::uint64_t> judge(const Best& best, const Prefix& prefix) override;
  Exported make(const Best& best, std::uint64_t terms) override;
  bool mayBeAlike(const Best& one, const Best& other, std::uint64_t terms) override;
  UpdateForm form() const override;

  /// Why judge() says nothing; none: it does not.
  Withheld withheld(const Best& best, const Prefix& prefix) const;

  const ExportRules& rules() const { return rules_; }
  void setRules(ExportRules rules) { rules_ = std::move(rules); }

 private:
  /// Whatever policy says.
  Withheld check(const Best& best, const PathFacts& facts) const;
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
