// SPDX-License-Identifier: Apache-2.0
#include "peers.h"

#include <algorithm>

namespace poplink::host::bgp {

namespace {

double inSeconds(Duration time) {
  return std::chrono::duration<double>(time).count();
}

Json list(const std::set<Family>& families) {
  Json keys = Json::array();
  for (const Family family : families) keys.push_back(familyKey(family));
  return keys;
}

Json endpoint(const Endpoint& end) {
  return {{"address", toString(end.address)}, {"port", end.port}};
}

/// Those of the session, otherwise those that the settings name.
const std::set<Family>& familiesOf(const Peering& peering) {
  return peering.session ? peering.negotiated.families : peering.settings.session.open.families;
}

Json prefixCounts(const Speaker& speaker, const Peering& peering, Family family) {
  const PeerRoutes routes = speaker.routes(peering, family);
  const auto known = peering.families.find(family);
  const PrefixLimit* limit = known != peering.families.end() && known->second.limit ? &*known->second.limit : nullptr;
  return {{"received", routes.paths},
          {"accepted", routes.eligible},
          {"best", routes.best},
          {"advertised", speaker.advertised(peering, family)},
          {"limit", limit ? Json(limit->settings().limit) : Json()}};
}

Json summaryOf(const Speaker& speaker, const Peering& peering, const ReportTime& time) {
  const State state = peering.machine.state();
  const std::optional<LastError>& error = peering.last_error;
  std::uint64_t received = 0, sent = 0;
  for (const std::uint64_t count : peering.counters.received) received += count;
  for (const std::uint64_t count : peering.counters.sent) sent += count;
  Json json = {
      {"name", peering.settings.name},
      {"address", toString(peering.settings.remote.address)},
      {"asn", peering.settings.session.open.peer_as},
      {"state", name(state)},
      {"shutdown", peering.isShutDown()},
      {"since", time.text(peering.since)},
      {"uptime_seconds", state == State::Established ? Json(time.secondsSince(peering.since)) : Json()},
      {"flaps", peering.machine.counters().down},
      {"messages_received", received},
      {"messages_sent", sent},
      {"last_error", error ? Json(error->why) : Json()},
      {"last_error_time", error ? Json(time.text(error->at)) : Json()},
      {"last_error_age_seconds", error ? Json(time.secondsSince(error->at)) : Json()},
  };
  for (const Family family : familiesOf(peering))
    json["prefixes"][familyKey(family)] = prefixCounts(speaker, peering, family);
  return json;
}

Json messageCounts(const std::array<std::uint64_t, 6>& counters) {
  Json json;
  for (std::size_t type = 1; type < counters.size(); ++type)
    json[messageKey(static_cast<MessageType>(type))] = counters[type];
  return json;
}

Json updateErrors(const PeerCounters& counters) {
  Json json;
  for (const ErrorAction action :
       {ErrorAction::attribute_discard, ErrorAction::treat_as_withdraw, ErrorAction::session_reset})
    json[actionKey(action)] = counters.findings[static_cast<std::size_t>(action)];
  return json;
}

Json counters(const Peering& peering) {
  const PeerCounters& own = peering.counters;
  const SessionCounters& session = peering.machine.counters();
  return {{"messages_received", messageCounts(own.received)},
          {"messages_sent", messageCounts(own.sent)},
          {"octets_received", own.octets_received},
          {"octets_sent", own.octets_sent},
          {"connect_attempts", session.attempts},
          {"connections_accepted", session.accepted},
          {"established", session.established},
          {"down", session.down},
          {"update_errors", updateErrors(own)},
          {"attributes_too_long", own.too_long},
          {"unknown_route_refreshes", own.unknown_refreshes},
          {"failures_in_a_row", peering.machine.connectRetryCounter()}};
}

Json timers(const Peering& peering, const ReportTime& time) {
  const auto left = [&time](const std::optional<TimePoint>& timer) {
    return timer ? Json(time.secondsUntil(*timer)) : Json();
  };
  const SessionSettings& settings = peering.settings.session;
  const auto connections = peering.machine.connections();
  const auto session = std::ranges::find_if(
      connections, [&peering](const Connection& one) { return peering.session && one.id == *peering.session; });
  const bool up = session != connections.end();
  return {{"configured_hold_seconds", settings.open.hold_seconds},
          {"hold_seconds", up ? Json(inSeconds(peering.negotiated.hold)) : Json()},
          {"keepalive_seconds", up ? Json(inSeconds(peering.negotiated.keepalive)) : Json()},
          {"hold_remaining_seconds", up ? left(session->hold_timer) : Json()},
          {"keepalive_remaining_seconds", up ? left(session->keepalive_timer) : Json()},
          {"connect_retry_seconds", inSeconds(settings.connect_retry)},
          {"connect_retry_remaining_seconds", left(peering.machine.connectRetryTimer())},
          {"idle_hold_remaining_seconds", left(peering.machine.idleHoldTimer())}};
}

Json gracefulRestart(const Peering& peering, const ReportTime& time) {
  Json json = {{"local", nullptr}, {"peer", nullptr}};
  if (const auto& local = peering.settings.session.open.graceful_restart) {
    json["local"] = {{"helper", local->helper},
                     {"restart_seconds", local->restart_seconds},
                     {"forwarding", list(local->forwarding)}};
  }
  if (const auto& peer = peering.negotiated.graceful_restart) {
    Json families = Json::object();
    for (const auto& [family, forwarding] : peer->families) families[familyKey(family)] = forwarding;
    json["peer"] = {
        {"restarting", peer->restarting}, {"restart_seconds", peer->restart_seconds}, {"forwarding", families}};
  }
  json["kept_on_restart"] = list(peering.negotiated.kept_on_restart);
  json["stale"] = list(peering.stale.stale());
  json["stale_until"] = peering.stale.deadline() ? Json(time.text(*peering.stale.deadline())) : Json();
  return json;
}

Json capabilities(const Negotiated& agreed) {
  return {{"families", list(agreed.families)},
          {"four_octet_asn", agreed.four_octet_asn},
          {"route_refresh", agreed.route_refresh},
          {"enhanced_route_refresh", agreed.enhanced_route_refresh},
          {"extended_next_hop", agreed.extended_next_hop}};
}

Json roles(const Peering& peering) {
  const auto text = [](const std::optional<BgpRole>& role) { return role ? Json(roleKey(*role)) : Json(); };
  const OpenSettings& open = peering.settings.session.open;
  return {{"local", text(open.role)},
          {"peer", peering.session ? text(peering.negotiated.peer_role) : Json()},
          {"strict", open.strict_role}};
}

Json lastNotification(const Peering& peering, const ReportTime& time) {
  const auto& last = peering.last_notification;
  if (!last) return {};
  return {{"direction", last->sent ? "sent" : "received"},
          {"time", time.text(last->at)},
          {"code", static_cast<unsigned>(last->notification.code)},
          {"subcode", last->notification.subcode},
          {"text", words(last->notification)},
          {"shutdown_text", orNull(shutdownText(last->notification))},
          {"data", hex(last->notification.data)}};
}

/// What summaryOf() has of a family, and more.
Json familyOf(const Speaker& speaker, const Peering& peering, Family family) {
  Json json = prefixCounts(speaker, peering, family);
  const auto known = peering.families.find(family);
  const bool is_known = known != peering.families.end();
  json["end_of_rib_received"] = is_known && known->second.end_of_rib;
  json["discarded"] = is_known && known->second.limit ? known->second.limit->discarded() : 0;
  const auto out = [&](const auto* adj_rib_out) {
    json["waiting_to_be_advertised"] = adj_rib_out ? adj_rib_out->waiting() : 0;
    json["peers_told_the_same"] = adj_rib_out ? adj_rib_out->members().size() : 0;
  };
  if (family == kIpv4Unicast)
    out(speaker.groups<Prefix4>().of(peering.index));
  else
    out(speaker.groups<Prefix6>().of(peering.index));
  return json;
}

const char* bfdWord(BfdMode mode) {
  static constexpr const char* kWords[] = {"off", "watch", "strict"};
  return kWords[static_cast<std::size_t>(mode)];
}

const char* nextHopWord(NextHopMode mode) {
  static constexpr const char* kWords[] = {"automatic", "self", "unchanged"};
  return kWords[static_cast<std::size_t>(mode)];
}

template <class Prefix>
Json tableOf(const Speaker& speaker) {
  const auto& table = speaker.table<Prefix>();
  return {{"prefixes", table.prefixes()},
          {"paths", table.paths()},
          {"originated", table.routes(kLocalPeer).paths},
          {"groups", speaker.groups<Prefix>().groups()}};
}

}  // namespace

Json reportSummary(const Speaker& speaker, const ReportTime& time) {
  const SpeakerSettings& settings = speaker.settings();
  Json peers = Json::array();
  for (const Peering* peering : speaker.peerings()) peers.push_back(summaryOf(speaker, *peering, time));
  Json listen = Json::array();
  for (const Endpoint& end : settings.listen) listen.push_back(endpoint(end));
  return {{"router_id", routerIdText(settings.router_id)},
          {"asn", settings.asn},
          {"listen", listen},
          {"time", time.text(time.now)},
          {"drain", settings.drain},
          {"selection_deferred", {{"ipv4", speaker.deferred(kIpv4Unicast)}, {"ipv6", speaker.deferred(kIpv6Unicast)}}},
          {"busy", speaker.hasWork()},
          {"tables", {{"ipv4", tableOf<Prefix4>(speaker)}, {"ipv6", tableOf<Prefix6>(speaker)}}},
          {"attribute_sets", speaker.attributes().size()},
          {"peers", peers}};
}

Json reportNeighbor(const Speaker& speaker, const Peering& peering, const ReportTime& time) {
  const PeerSettings& settings = peering.settings;
  const OpenSettings& open = settings.session.open;
  Json json = summaryOf(speaker, peering, time);
  json.erase("prefixes");
  json["shutdown_in_settings"] = settings.shutdown;
  json["held_by_prefix_limit"] = peering.machine.heldByPrefixLimit();
  json["internal"] = open.internal();
  json["passive"] = settings.session.passive;
  json["local"] = endpoint(peering.local);
  json["local"]["asn"] = open.local_as;
  if (!peering.session) {
    json["local"]["address"] = settings.local_address ? Json(toString(*settings.local_address)) : Json();
    json["local"]["port"] = nullptr;
  }
  json["remote"] = endpoint(peering.session ? peering.remote : settings.remote);
  json["remote"]["asn"] = open.peer_as;
  json["remote"]["router_id"] = peering.session ? Json(routerIdText(peering.negotiated.peer_id)) : Json();
  json["hops"] = settings.hops;
  json["ttl_security"] = settings.ttl_security;
  json["md5"] = !settings.md5_key.empty();
  json["bfd"] = bfdWord(settings.session.bfd);
  json["role"] = roles(peering);
  json["policies"] = {{"import", policyInUse(settings.import_policy, !open.internal())},
                      {"export", policyInUse(settings.export_policy, !open.internal())}};
  json["next_hop"] = nextHopWord(settings.next_hop);
  json["route_server_client"] = settings.route_server_client;
  json["allow_own_as"] = settings.allow_own_as;
  json["drain"] = settings.drain || speaker.settings().drain;
  json["timers"] = timers(peering, time);
  json["capabilities"] = peering.session ? capabilities(peering.negotiated) : Json();
  json["graceful_restart"] = gracefulRestart(peering, time);
  json["prefixes"] = Json::object();
  for (const Family family : familiesOf(peering))
    json["prefixes"][familyKey(family)] = familyOf(speaker, peering, family);
  json["counters"] = counters(peering);
  json["queued_octets"] = speaker.queued(peering);
  json["last_notification"] = lastNotification(peering, time);
  json["last_update_error"] = orNull(peering.last_finding);
  json["peer_shutdown_text"] = orNull(peering.shutdown_text);
  return json;
}

Json reportNeighbors(const Speaker& speaker, const ReportTime& time) {
  Json neighbors = Json::array();
  for (const Peering* peering : speaker.peerings()) neighbors.push_back(reportNeighbor(speaker, *peering, time));
  return {{"neighbors", neighbors}};
}

}  // namespace poplink::host::bgp
