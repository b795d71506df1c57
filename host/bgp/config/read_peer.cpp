// SPDX-License-Identifier: Apache-2.0
#include "read_peer.h"

#include <limits>

#include "../speaker/peer_rules.h"
#include "read_key.h"
#include "read_values.h"

namespace poplink::host::bgp {

namespace {

constexpr std::uint64_t kHighestAsn = std::numeric_limits<Asn>::max();
constexpr std::uint64_t kHighestPort = 65535;
constexpr std::uint64_t kLongestHold = 65535;       // s, of the field in OPEN
constexpr std::uint64_t kLongestRestart = 4095;     // s, RFC 4724 section 3
constexpr double kLongestWait = 3600;               // s
constexpr double kLongestDelay = 239;               // s: an OPEN is awaited 240 s
constexpr double kShortestIdle = 0.1;               // s
constexpr std::uint64_t kLongestSilence = 604'800;  // s, a week
constexpr Duration kUsualSilence = std::chrono::seconds(300);

/// What depends on several keys, once they all are known.
PeerSettings resolved(const PeerKeys& keys, bool own_limits, const SpeakerSettings& speaker) {
  PeerSettings peer = keys.peer;
  OpenSettings& open = peer.session.open;
  open.peer_as = keys.asn.value_or(0);
  open.local_as = keys.local_as.value_or(speaker.asn);
  open.allow_internal = open.internal();
  open.router_id = speaker.router_id;
  const Family by_address = std::holds_alternative<Ipv4>(peer.remote.address) ? kIpv4Unicast : kIpv6Unicast;
  open.families = keys.families.value_or(std::set{by_address});
  if (open.graceful_restart && keys.forwarding) open.graceful_restart->forwarding = open.families;
  if (const auto* limit = std::get_if<LimitSettings>(&keys.limits))
    for (const Family family : open.families) peer.limits[family] = *limit;
  if (const auto* limits = std::get_if<std::map<Family, LimitSettings>>(&keys.limits)) {
    // Defaults may be for more families than a peer has; what it says itself must be for its own.
    for (const auto& [family, limit] : *limits)
      if (own_limits || open.families.contains(family)) peer.limits[family] = limit;
  }
  return peer;
}

}  // namespace

PeerKeys PeerReader::readDefaults(YamlMap map) {
  PeerKeys keys;
  readKeys(map, keys);
  for (const char* own : {"name", "address", "shutdown_text"}) {
    if (!map.has(own)) continue;
    problems_.add(map.placeOf(own), "is each peer's own");
    map.optionalText(own);
  }
  map.finish();
  return keys;
}

PeerSettings PeerReader::readPeer(YamlMap& map, const PeerKeys& defaults, const SpeakerSettings& speaker) {
  PeerKeys keys = defaults;
  keys.peer.name = map.text("name");
  if (map.has("address"))
    assign(keys.peer.remote.address, optionalAddress(map, "address", problems_));
  else
    map.text("address");
  assign(keys.peer.shutdown_text, map.optionalText("shutdown_text"));
  readKeys(map, keys);
  if (!keys.asn && !map.has("asn")) map.number("asn", 0, kHighestAsn);
  map.finish();
  return resolved(keys, map.has("prefix_limit"), speaker);
}

void PeerReader::readKeys(YamlMap& map, PeerKeys& keys) {
  assign(keys.asn, map.optionalNumber("asn", 0, kHighestAsn));
  assign(keys.local_as, map.optionalNumber("local_as", 0, kHighestAsn));
  readConnection(map, keys.peer);
  readTimes(map, keys.peer.session);
  readCapabilities(map, keys);
  readRouting(map, keys.peer);
  readLimits(map, keys);
}

void PeerReader::readConnection(YamlMap& map, PeerSettings& peer) {
  assign(peer.remote.port, map.optionalNumber("port", 1, kHighestPort));
  if (const auto address = optionalAddress(map, "local_address", problems_)) peer.local_address = address;
  assign(peer.session.passive, map.optionalFlag("passive"));
  assign(peer.hops, map.optionalNumber("hops", 1, 255));
  assign(peer.ttl_security, map.optionalFlag("ttl_security"));
  assign(peer.md5_key, optionalKey(map, "md5", folder_, problems_));
  assign(peer.shutdown, map.optionalFlag("shutdown"));
  assign(peer.drain, map.optionalFlag("drain"));
}

void PeerReader::readTimes(YamlMap& map, SessionSettings& session) {
  assign(session.open.hold_seconds, map.optionalNumber("hold_time", 0, kLongestHold));
  assign(session.open.minimum_hold_seconds, map.optionalNumber("minimum_hold_time", 0, kLongestHold));
  assign(session.open.keepalive_seconds, map.optionalNumber("keepalive", 0, kLongestHold));
  assign(session.connect_retry, optionalSeconds(map, "connect_retry", 1, kLongestWait));
  assign(session.delay_open, optionalSeconds(map, "delay_open", 0, kLongestDelay));
  if (map.has("idle_hold")) {
    YamlMap idle = *map.map("idle_hold");
    assign(session.idle_hold_first, optionalSeconds(idle, "first", kShortestIdle, kLongestWait));
    assign(session.idle_hold_longest, optionalSeconds(idle, "longest", kShortestIdle, kLongestWait));
    idle.finish();
  }
  // `off` is a flag in YAML 1.1, and programs that write such files turn it into false.
  if (!map.has("bfd") || map.isWord("bfd", "off") || map.isWord("bfd", "false")) return;
  map.notServed("bfd", "BFD");
}

void PeerReader::readCapabilities(YamlMap& map, PeerKeys& keys) {
  OpenSettings& open = keys.peer.session.open;
  if (auto families = optionalFamilies(map, "families", problems_)) keys.families = std::move(families);
  assign(open.route_refresh, map.optionalFlag("route_refresh"));
  assign(open.enhanced_route_refresh, map.optionalFlag("enhanced_route_refresh"));
  assign(open.extended_next_hop, map.optionalFlag("extended_next_hop"));
  if (map.isWord("graceful_restart", "none")) {
    open.graceful_restart.reset();
  } else if (map.has("graceful_restart")) {
    YamlMap restart = *map.map("graceful_restart");
    LocalGracefulRestart& ours = open.graceful_restart.emplace();
    assign(ours.helper, restart.optionalFlag("helper"));
    assign(ours.restart_seconds, restart.optionalNumber("restart_time", 0, kLongestRestart));
    keys.forwarding = restart.optionalFlag("forwarding").value_or(false);
    restart.finish();
  }
  if (map.isWord("role", "none")) {
    open.role.reset();
  } else if (map.has("role")) {
    open.role = optionalChoice<BgpRole>(map, "role",
                                        {{"provider", BgpRole::provider},
                                         {"customer", BgpRole::customer},
                                         {"peer", BgpRole::peer},
                                         {"route-server", BgpRole::route_server},
                                         {"route-server-client", BgpRole::route_server_client}});
  }
  assign(open.strict_role, map.optionalFlag("strict_role"));
}

void PeerReader::readRouting(YamlMap& map, PeerSettings& peer) {
  if (map.has("import")) peer.import_policy = map.optionalText("import");
  if (map.has("export")) peer.export_policy = map.optionalText("export");
  assign(peer.next_hop, optionalChoice<NextHopMode>(map, "next_hop",
                                                    {{"automatic", NextHopMode::automatic},
                                                     {"self", NextHopMode::self},
                                                     {"unchanged", NextHopMode::unchanged}}));
  assign(peer.route_server_client, map.optionalFlag("route_server_client"));
  assign(peer.allow_own_as, map.optionalNumber("allow_own_as", 0, kMostOwnAs));
}

void PeerReader::readLimits(YamlMap& map, PeerKeys& keys) {
  if (!map.has("prefix_limit")) return;
  keys.limits = std::monostate();
  if (map.isWord("prefix_limit", "none")) return;
  YamlMap limit = *map.map("prefix_limit");
  if (limit.has("ipv4") || limit.has("ipv6")) {
    std::map<Family, LimitSettings> limits;
    for (const auto& [key, family] : {std::pair("ipv4", kIpv4Unicast), std::pair("ipv6", kIpv6Unicast)}) {
      if (!limit.has(key)) continue;
      YamlMap one = *limit.map(key);
      limits[family] = readLimit(one);
    }
    limit.finish();
    keys.limits = std::move(limits);
  } else {
    keys.limits = readLimit(limit);
  }
}

LimitSettings PeerReader::readLimit(YamlMap& map) {
  enum class Then : std::uint8_t { discard, warn, shut, restart };
  LimitSettings limit;
  limit.limit = static_cast<std::uint32_t>(map.number("max", 1, std::numeric_limits<std::uint32_t>::max()));
  assign(limit.warn_percent, map.optionalNumber("warn_percent", 0, 100));
  const Then then =
      optionalChoice<Then>(
          map, "action",
          {{"discard", Then::discard}, {"warn", Then::warn}, {"shut", Then::shut}, {"restart", Then::restart}})
          .value_or(Then::discard);
  limit.action = then == Then::discard ? LimitAction::discard
                 : then == Then::warn  ? LimitAction::warn
                                       : LimitAction::shut;
  const auto after = map.optionalNumber("restart_after", 1, kLongestSilence);
  if (then == Then::restart)
    limit.restart = after ? Duration(std::chrono::seconds(*after)) : kUsualSilence;
  else if (after)
    problems_.add(map.placeOf("restart_after"), "needs the action restart");
  map.finish();
  return limit;
}

}  // namespace poplink::host::bgp
