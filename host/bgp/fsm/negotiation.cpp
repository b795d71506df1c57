// SPDX-License-Identifier: Apache-2.0
#include "negotiation.h"

#include <algorithm>
#include <iterator>

namespace poplink::host::bgp {

namespace {

constexpr std::uint16_t kLongestRestart = 4095;  // twelve bits (RFC 4724 section 3)

/// The Multiprotocol Capabilities that a peer would have needed (RFC 5492 section 5, RFC 4760 section 8).
std::vector<std::uint8_t> missedFamilies(const std::set<Family>& families) {
  std::vector<std::uint8_t> data;
  for (const Family family : families) {
    const auto afi = static_cast<std::uint16_t>(family.afi);
    const std::uint8_t capability[] = {1,
                                       4,
                                       static_cast<std::uint8_t>(afi >> 8),
                                       static_cast<std::uint8_t>(afi),
                                       0,
                                       static_cast<std::uint8_t>(family.safi)};
    data.insert(data.end(), std::begin(capability), std::end(capability));
  }
  return data;
}

Notification openError(std::uint8_t code, std::vector<std::uint8_t> data = {}) {
  return {ErrorCode::open_message, code, std::move(data)};
}

std::set<Family> common(const std::set<Family>& ours, const std::set<Family>& theirs) {
  std::set<Family> both;
  std::ranges::set_intersection(ours, theirs, std::inserter(both, both.end()));
  return both;
}

void negotiateTimes(const OpenSettings& settings, const Open& open, Negotiated& result) {
  const std::uint16_t hold = std::min(settings.hold_seconds, open.hold_seconds);
  result.hold = std::chrono::seconds(hold);
  // A third of the hold time at most, and never more than one a second (RFC 4271 section 4.4).
  const std::uint16_t third = hold / 3;
  const std::uint16_t wanted = settings.keepalive_seconds == 0 ? third : std::min(settings.keepalive_seconds, third);
  result.keepalive = std::chrono::seconds(wanted);
}

void negotiateRestart(const OpenSettings& settings, const Capabilities& theirs, Negotiated& result) {
  if (!settings.graceful_restart || !theirs.graceful_restart) return;
  result.graceful_restart = theirs.graceful_restart;
  std::erase_if(result.graceful_restart->families,
                [&result](const auto& family) { return !result.families.contains(family.first); });
  if (!settings.graceful_restart->helper) return;
  for (const auto& [family, forwarding] : result.graceful_restart->families) result.kept_on_restart.insert(family);
}

std::optional<Notification> refuse(const OpenSettings& settings, const Open& open) {
  if (open.asn() != settings.peer_as) return openError(subcode::kBadPeerAs);
  if (settings.internal() && open.router_id == settings.router_id) return openError(subcode::kBadBgpIdentifier);
  if (open.hold_seconds < settings.minimum_hold_seconds) return openError(subcode::kUnacceptableHoldTime);
  if (!settings.role) return std::nullopt;
  const std::optional<BgpRole> role = open.capabilities.role;
  if (role ? !rolesMatch(*settings.role, *role) : settings.strict_role) return openError(subcode::kRoleMismatch);
  return std::nullopt;
}

}  // namespace

bool rolesMatch(BgpRole local, BgpRole peer) {
  switch (local) {
    case BgpRole::provider:
      return peer == BgpRole::customer;
    case BgpRole::customer:
      return peer == BgpRole::provider;
    case BgpRole::route_server:
      return peer == BgpRole::route_server_client;
    case BgpRole::route_server_client:
      return peer == BgpRole::route_server;
    case BgpRole::peer:
      return peer == BgpRole::peer;
  }
  return false;
}

std::vector<std::string> problems(const OpenSettings& settings) {
  std::vector<std::string> result;
  const auto rule = [&result](bool broken, const char* text) {
    if (broken) result.emplace_back(text);
  };
  rule(settings.local_as == 0, "local_as: must not be 0 (RFC 7607)");
  rule(settings.peer_as == 0, "peer_as: must not be 0 (RFC 7607)");
  rule(settings.local_as == kAsTrans, "local_as: must not be 23456, AS_TRANS (RFC 6793)");
  rule(settings.peer_as == kAsTrans, "peer_as: must not be 23456, AS_TRANS (RFC 6793)");
  rule(settings.internal() && !settings.allow_internal, "peer_as: must differ from local_as, the session is external");
  rule(settings.router_id == 0, "router_id: must not be 0 (RFC 6286)");
  rule(settings.hold_seconds == 1 || settings.hold_seconds == 2, "hold_seconds: must be 0, or at least 3 (RFC 4271)");
  rule(settings.hold_seconds != 0 && settings.minimum_hold_seconds > settings.hold_seconds,
       "minimum_hold_seconds: must not exceed hold_seconds");
  rule(settings.hold_seconds == 0 && settings.minimum_hold_seconds != 0,
       "minimum_hold_seconds: must be 0 when hold_seconds is 0");
  rule(settings.keepalive_seconds > settings.hold_seconds / 3,
       "keepalive_seconds: must not exceed a third of hold_seconds (RFC 4271)");
  rule(settings.families.empty(), "families: must name at least one");
  rule(settings.extended_next_hop && !settings.families.contains(kIpv4Unicast),
       "extended_next_hop: needs IPv4 unicast (RFC 8950)");
  rule(settings.role && settings.internal(), "role: external sessions only (RFC 9234)");
  rule(settings.strict_role && !settings.role, "strict_role: needs a role (RFC 9234)");
  if (settings.graceful_restart) {
    rule(settings.graceful_restart->restart_seconds > kLongestRestart,
         "graceful_restart.restart_seconds: must not exceed 4095 (RFC 4724)");
    rule(!std::ranges::includes(settings.families, settings.graceful_restart->forwarding),
         "graceful_restart.forwarding: must be some of families");
  }
  return result;
}

Open makeOpen(const OpenSettings& settings) {
  Open open;
  open.two_octet_asn =
      settings.local_as > 0xffff ? static_cast<std::uint16_t>(kAsTrans) : static_cast<std::uint16_t>(settings.local_as);
  open.hold_seconds = settings.hold_seconds;
  open.router_id = settings.router_id;
  Capabilities& ours = open.capabilities;
  ours.families = settings.families;
  ours.four_octet_asn = settings.local_as;
  ours.route_refresh = settings.route_refresh;
  ours.enhanced_route_refresh = settings.enhanced_route_refresh;
  ours.extended_next_hop = settings.extended_next_hop;
  ours.role = settings.role;
  if (settings.graceful_restart) {
    const LocalGracefulRestart& restart = *settings.graceful_restart;
    ours.graceful_restart = GracefulRestart{restart.restarting, false, restart.restart_seconds, {}};
    for (const Family family : settings.families)
      ours.graceful_restart->families[family] = restart.restarting && restart.forwarding.contains(family);
  }
  return open;
}

std::variant<Negotiated, Notification> negotiate(const OpenSettings& settings, const Open& open) {
  if (auto refused = refuse(settings, open)) return std::move(*refused);
  const Capabilities& theirs = open.capabilities;
  Negotiated result;
  // Whoever names no family at all speaks of IPv4 as RFC 4271 does.
  result.families =
      common(settings.families, theirs.families.empty() ? std::set<Family>{kIpv4Unicast} : theirs.families);
  if (result.families.empty()) return openError(subcode::kUnsupportedCapability, missedFamilies(settings.families));
  result.peer_as = open.asn();
  result.peer_id = open.router_id;
  result.internal = settings.internal();
  negotiateTimes(settings, open, result);
  result.four_octet_asn = theirs.four_octet_asn.has_value();
  result.route_refresh = settings.route_refresh && theirs.route_refresh;
  result.enhanced_route_refresh = settings.enhanced_route_refresh && theirs.enhanced_route_refresh;
  result.extended_next_hop =
      settings.extended_next_hop && theirs.extended_next_hop && result.families.contains(kIpv4Unicast);
  negotiateRestart(settings, theirs, result);
  result.local_role = settings.role;
  if (!result.internal) result.peer_role = theirs.role;
  return result;
}

}  // namespace poplink::host::bgp
