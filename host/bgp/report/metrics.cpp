// SPDX-License-Identifier: Apache-2.0
#include "metrics.h"

#include <algorithm>

#include "exposition.h"
#include "values.h"

namespace poplink::host::bgp {

namespace {

using Type = MetricType;

class Metrics {
 public:
  Metrics(const Speaker& speaker, const ReportTime& time) : speaker_(speaker), time_(time) {
    for (const Peering* peering : speaker.peerings()) peers_.push_back(peering);
  }

  void sessions() {
    eachPeer("poplink_bgp_session_up", Type::gauge, "1: the session is Established",
             [](const Peering& peer) { return peer.machine.state() == State::Established; });
    eachPeer("poplink_bgp_session_state", Type::gauge,
             "1 Idle, 2 Connect, 3 Active, 4 OpenSent, 5 OpenConfirm, 6 Established",
             [](const Peering& peer) { return static_cast<double>(peer.machine.state()) + 1; });
    eachPeer("poplink_bgp_session_shutdown", Type::gauge, "1: no session is wanted",
             [](const Peering& peer) { return peer.isShutDown(); });
    eachPeer("poplink_bgp_session_state_seconds", Type::gauge, "How long it has been in its state",
             [this](const Peering& peer) { return static_cast<double>(time_.secondsSince(peer.since)); });
    eachPeer("poplink_bgp_session_transitions_total", Type::counter, "Changes of the state",
             [](const Peering& peer) { return static_cast<double>(peer.counters.transitions); });
    eachPeer("poplink_bgp_session_established_total", Type::counter, "How often Established was reached",
             [](const Peering& peer) { return static_cast<double>(peer.machine.counters().established); });
    eachPeer("poplink_bgp_session_down_total", Type::counter, "How often Established was left",
             [](const Peering& peer) { return static_cast<double>(peer.machine.counters().down); });
    text_.family("poplink_bgp_session_last_down_reason_info", Type::gauge,
                 "Why the last session or attempt ended, as a label");
    for (const Peering* peer : peers_)
      if (peer->last_error) text_.sample({{"peer", nameOf(*peer)}, {"reason", peer->last_error->why}}, 1);
    holdTimes();
  }

  void prefixes() {
    text_.family("poplink_bgp_prefixes", Type::gauge, "Prefixes of a peer: received, accepted, best, advertised");
    eachFamily([this](const Peering& peer, Family family) {
      const PeerRoutes routes = speaker_.routes(peer, family);
      const std::pair<const char*, std::size_t> kinds[] = {{"received", routes.paths},
                                                           {"accepted", routes.eligible},
                                                           {"best", routes.best},
                                                           {"advertised", speaker_.advertised(peer, family)}};
      for (const auto& [kind, count] : kinds)
        text_.sample({{"peer", nameOf(peer)}, {"family", familyKey(family)}, {"kind", kind}},
                     static_cast<double>(count));
    });
    text_.family("poplink_bgp_prefix_limit", Type::gauge, "How many prefixes a peer may have");
    eachFamily([this](const Peering& peer, Family family) {
      const auto limit = peer.settings.limits.find(family);
      if (limit != peer.settings.limits.end())
        text_.sample({{"peer", nameOf(peer)}, {"family", familyKey(family)}}, limit->second.limit);
    });
  }

  void messages() {
    text_.family("poplink_bgp_update_errors_total", Type::counter, "UPDATEs in error, by what followed (RFC 7606)");
    for (const Peering* peer : peers_)
      for (const ErrorAction action :
           {ErrorAction::attribute_discard, ErrorAction::treat_as_withdraw, ErrorAction::session_reset})
        text_.sample({{"peer", nameOf(*peer)}, {"action", actionKey(action)}},
                     static_cast<double>(peer->counters.findings[static_cast<std::size_t>(action)]));
    text_.family("poplink_bgp_messages_total", Type::counter, "Messages by direction and type");
    for (const Peering* peer : peers_) {
      messagesOf(*peer, "received", peer->counters.received);
      messagesOf(*peer, "sent", peer->counters.sent);
    }
    text_.family("poplink_bgp_octets_total", Type::counter, "Octets of messages");
    for (const Peering* peer : peers_) {
      text_.sample({{"peer", nameOf(*peer)}, {"direction", "received"}},
                   static_cast<double>(peer->counters.octets_received));
      text_.sample({{"peer", nameOf(*peer)}, {"direction", "sent"}}, static_cast<double>(peer->counters.octets_sent));
    }
    eachPeer("poplink_bgp_outbox_octets", Type::gauge, "Octets that wait for TCP",
             [this](const Peering& peer) { return static_cast<double>(speaker_.queued(peer)); });
  }

  void tables() {
    text_.family("poplink_bgp_table_prefixes", Type::gauge, "Prefixes with a route");
    eachTable([](const auto& table, const auto&) { return table.prefixes(); });
    text_.family("poplink_bgp_table_paths", Type::gauge, "Routes of all peers");
    eachTable([](const auto& table, const auto&) { return table.paths(); });
    text_.family("poplink_bgp_update_groups", Type::gauge, "Groups of peers that are told the same");
    eachTable([](const auto&, const auto& groups) { return groups.groups(); });
    single("poplink_bgp_attribute_sets", Type::gauge, "Different sets of path attributes",
           static_cast<double>(speaker_.attributes().size()));
  }

  void process(const ProcessMetrics& process) {
    single("poplink_bgp_event_loop_lag_seconds", Type::gauge, "How late the event loop was lately, at worst",
           process.loop_lag.count());
    single("poplink_bgp_tcp_accepted_total", Type::counter, "Connections that peers made",
           static_cast<double>(process.tcp.accepted));
    single("poplink_bgp_tcp_refused_total", Type::counter, "Connections of somebody who may not",
           static_cast<double>(process.tcp.refused));
    single("poplink_bgp_tcp_connected_total", Type::counter, "Connections that we made",
           static_cast<double>(process.tcp.connected));
    single("poplink_bgp_tcp_shortages_total", Type::counter, "How often there was no descriptor to accept somebody",
           static_cast<double>(process.tcp.shortages));
  }

  std::string take() { return text_.take(); }

 private:
  static std::string nameOf(const Peering& peer) { return peer.settings.name; }

  template <class Value>
  void eachPeer(std::string_view name, Type type, std::string_view help, Value value) {
    text_.family(name, type, help);
    for (const Peering* peer : peers_) text_.sample({{"peer", nameOf(*peer)}}, value(*peer));
  }
  template <class Visit>
  void eachFamily(Visit visit) {
    for (const Peering* peer : peers_)
      for (const Family family : peer->settings.session.open.families) visit(*peer, family);
  }
  template <class Count>
  void eachTable(Count count) {
    text_.sample({{"family", "ipv4"}},
                 static_cast<double>(count(speaker_.table<Prefix4>(), speaker_.groups<Prefix4>())));
    text_.sample({{"family", "ipv6"}},
                 static_cast<double>(count(speaker_.table<Prefix6>(), speaker_.groups<Prefix6>())));
  }
  void single(std::string_view name, Type type, std::string_view help, double value) {
    text_.family(name, type, help);
    text_.sample({}, value);
  }
  void messagesOf(const Peering& peer, const char* direction, const std::array<std::uint64_t, 6>& counters) {
    for (std::size_t type = 1; type < counters.size(); ++type)
      text_.sample(
          {{"peer", nameOf(peer)}, {"direction", direction}, {"type", messageKey(static_cast<MessageType>(type))}},
          static_cast<double>(counters[type]));
  }
  /// Of sessions that may expire.
  void holdTimes() {
    text_.family("poplink_bgp_hold_time_remaining_seconds", Type::gauge,
                 "How long the peer may still be silent before the session ends");
    for (const Peering* peer : peers_)
      for (const Connection& connection : peer->machine.connections())
        if (peer->session == connection.id && connection.hold_timer)
          text_.sample({{"peer", nameOf(*peer)}},
                       std::chrono::duration<double>(std::max(*connection.hold_timer - time_.now, Duration())).count());
  }

  const Speaker& speaker_;
  const ReportTime& time_;
  std::vector<const Peering*> peers_;
  Exposition text_;
};

}  // namespace

std::string reportMetrics(const Speaker& speaker, const ProcessMetrics& process, const ReportTime& time) {
  Metrics metrics(speaker, time);
  metrics.sessions();
  metrics.prefixes();
  metrics.messages();
  metrics.tables();
  metrics.process(process);
  return metrics.take();
}

}  // namespace poplink::host::bgp
