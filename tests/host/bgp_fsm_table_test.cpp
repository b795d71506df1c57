// SPDX-License-Identifier: Apache-2.0
// RFC 4271 section 8.2.2 as a table: every state, every event, what comes of it. A cell is the state that is reached,
// the NOTIFICATION that is sent as code/subcode, and "+" if ConnectRetryCounter counts; "=" is nothing at all.
#include <sstream>

#include "bgp_rows.h"

namespace poplink::host::bgp {
namespace {

/// States, and those in which the same name stands for two things: Idle stopped or held, TCP there or not.
enum Situation { kStopped, kIdle, kConnect, kConnectDelay, kActive, kActiveDelay, kOpenSent, kOpenConfirm, kUp };
constexpr const char* kSituations[] = {"Stopped",     "Idle",     "Connect",     "ConnectDelay", "Active",
                                       "ActiveDelay", "OpenSent", "OpenConfirm", "Established"};
constexpr std::size_t kSituationCount = std::size(kSituations);

Peer peerIn(Situation situation) {
  SessionSettings settings = sideSettings(1);
  settings.bfd = BfdMode::watch;
  if (situation == kConnectDelay || situation == kActiveDelay) settings.delay_open = 5s;
  const State states[] = {State::Idle,   State::OpenSent, State::Connect,     State::Connect,    State::Active,
                          State::Active, State::OpenSent, State::OpenConfirm, State::Established};
  Peer peer = bgp::peerIn(states[situation], settings);
  if (situation == kIdle) peer.handle(event::UpdateArrived{kFirst}, kStart);
  if (situation == kConnectDelay) peer.handle(event::ConnectSucceeded{*peer.attempt(), kFirst}, kStart);
  if (situation == kActiveDelay) peer.handle(event::Accepted{kFirst}, kStart);
  peer.handle(event::BfdUp{}, kStart);
  return peer;
}

Actions runAt(Peer& peer, const std::optional<TimePoint>& timer) {
  return peer.run(timer.value_or(kStart));
}
Actions runAt(Peer& peer, std::optional<TimePoint> Connection::* timer) {
  return runAt(peer, peer.connections().empty() ? std::nullopt : peer.connections()[0].*timer);
}

struct EventRow {
  const char* name;  ///< with the event's number in section 8.1, or its RFC
  std::function<Actions(Peer&)> happens;
  std::array<const char*, kSituationCount> cells;
};

const auto kSend = [](auto event) { return [event](Peer& peer) { return peer.handle(event, kStart); }; };
const Notification kBadLength{ErrorCode::message_header, subcode::kBadMessageLength, {0, 18}};
const Notification kBadAttributes{ErrorCode::update_message, subcode::kMalformedAttributeList, {}};
const Notification kBadOpen{ErrorCode::open_message, subcode::kUnacceptableHoldTime, {}};
const Notification kOtherVersion{ErrorCode::open_message, subcode::kUnsupportedVersion, {0, 3}};
const Notification kTheirCease{ErrorCode::cease, subcode::kAdministrativeShutdown, {}};

Open fromAnotherAs() {
  Open open = openOf(2);
  open.capabilities.four_octet_asn = 65099;
  return open;
}

// clang-format off
const EventRow kTable[] = {
    //                                     Stopped   Idle       Connect    ConnectDelay  Active     ActiveDelay  OpenSent        OpenConfirm     Established
    {"1_start", kSend(event::Start{}),     {"Connect", "=",     "=",       "=",          "=",       "=",         "=",            "=",            "="}},
    {"2_stop", kSend(event::Stop{}),       {"=",     "Idle 0",  "Idle",    "Idle",       "Idle",    "Idle",      "Idle 6/2",     "Idle 6/2",     "Idle 6/2"}},
    {"8_clear", kSend(event::Clear{}),     {"=",     "Idle 0",  "Idle",    "Idle",       "Idle",    "Idle",      "Idle 6/4",     "Idle 6/4",     "Idle 6/4"}},
    {"9_connect_retry_timer", [](Peer& p) { return runAt(p, p.connectRetryTimer()); },
                                           {"=",     "=",       "Connect", "=",          "Connect", "=",         "=",            "=",            "="}},
    {"10_hold_timer", [](Peer& p) { return runAt(p, &Connection::hold_timer); },
                                           {"=",     "=",       "=",       "=",          "=",       "=",         "Idle 4/0 +",   "Idle 4/0 +",   "Idle 4/0 +"}},
    {"11_keepalive_timer", [](Peer& p) { return runAt(p, &Connection::keepalive_timer); },
                                           {"=",     "=",       "=",       "=",          "=",       "=",         "=",            "OpenConfirm K", "Established K"}},
    {"12_delay_open_timer", [](Peer& p) { return runAt(p, &Connection::delay_open_timer); },
                                           {"=",     "=",       "=",       "OpenSent O", "=",       "OpenSent O", "=",           "=",            "="}},
    {"13_idle_hold_timer", [](Peer& p) { return runAt(p, p.idleHoldTimer()); },
                                           {"=",     "Connect", "=",       "=",          "=",       "=",         "=",            "=",            "="}},
    {"16_connected", [](Peer& p) { return p.handle(event::ConnectSucceeded{p.attempt().value_or(AttemptId{99}), ConnectionId{2}}, kStart); },
                                           {"Idle",  "Idle",    "OpenSent O", "Connect", "Active",  "Active",    "OpenSent",     "OpenConfirm",  "Established"}},
    {"17_accepted", kSend(event::Accepted{ConnectionId{2}}),
                                           {"Idle",  "Idle",    "OpenSent O", "Active",  "OpenSent O", "Active", "OpenSent O",   "=", "="}},
    {"18_connect_failed", [](Peer& p) { return p.handle(event::ConnectFailed{p.attempt().value_or(AttemptId{99})}, kStart); },
                                           {"=",     "=",       "Active",  "=",          "=",       "=",         "=",            "=",            "="}},
    {"18_tcp_fails", kSend(event::Closed{kFirst}),
                                           {"=",     "=",       "=",       "Active",     "=",       "Active",    "Active",       "Idle +",       "Idle +"}},
    {"19_20_open", kSend(event::OpenArrived{kFirst, openOf(2)}),
                                           {"=",     "=",       "=",       "OpenConfirm OK", "=",   "OpenConfirm OK", "OpenConfirm K", "Idle 5/2 +", "Idle 5/3 +"}},
    {"22_open_of_another_as", kSend(event::OpenArrived{kFirst, fromAnotherAs()}),
                                           {"=",     "=",       "=",       "Idle O 2/2 +", "=",     "Idle O 2/2 +", "Idle 2/2 +", "Idle 5/2 +",   "Idle 5/3 +"}},
    {"21_header_error", kSend(event::Malformed{kFirst, kBadLength}),
                                           {"=",     "=",       "=",       "Idle +",     "=",       "Idle +",    "Idle 1/2 +",   "Idle 1/2 +",   "Idle 1/2 +"}},
    {"22_open_error", kSend(event::Malformed{kFirst, kBadOpen}),
                                           {"=",     "=",       "=",       "Idle +",     "=",       "Idle +",    "Idle 2/6 +",   "Idle 2/6 +",   "Idle 5/3 +"}},
    {"24_notification_of_version", kSend(event::NotificationArrived{kFirst, kOtherVersion}),
                                           {"=",     "=",       "=",       "Idle",       "=",       "Idle",      "Idle",         "Idle",         "Idle +"}},
    {"25_notification", kSend(event::NotificationArrived{kFirst, kTheirCease}),
                                           {"=",     "=",       "=",       "Idle +",     "=",       "Idle +",    "Idle +",       "Idle +",       "Idle +"}},
    {"26_keepalive", kSend(event::KeepaliveArrived{kFirst}),
                                           {"=",     "=",       "=",       "Idle +",     "=",       "Idle +",    "Idle 5/1 +",   "Established",  "Established"}},
    {"27_update", kSend(event::UpdateArrived{kFirst}),
                                           {"=",     "=",       "=",       "Idle +",     "=",       "Idle +",    "Idle 5/1 +",   "Idle 5/2 +",   "Established"}},
    {"28_update_error", kSend(event::Malformed{kFirst, kBadAttributes}),
                                           {"=",     "=",       "=",       "Idle +",     "=",       "Idle +",    "Idle 3/1 +",   "Idle 3/1 +",   "Idle 3/1 +"}},
    {"rfc2918_route_refresh", kSend(event::RouteRefreshArrived{kFirst}),
                                           {"=",     "=",       "=",       "Idle +",     "=",       "Idle +",    "Idle 5/1 +",   "Idle 5/2 +",   "Established"}},
    {"rfc9384_bfd_down", kSend(event::BfdDown{true}),
                                           {"=",     "=",       "=",       "=",          "=",       "=",         "=",            "=",            "Idle 6/10 +"}},
    {"rfc4486_prefix_limit", kSend(event::PrefixLimitReached{kIpv4Unicast, 100, {}}),
                                           {"=",     "=",       "=",       "=",          "=",       "=",         "=",            "=",            "Idle 6/1"}},
    {"rfc9687_send_hold_timer", [](Peer& p) {
       const auto timer = p.connections().empty() ? std::nullopt : p.connections()[0].send_hold_timer;
       if (timer) p.handle(event::KeepaliveArrived{kFirst}, *timer - 1s);
       return runAt(p, timer); },
                                           {"=",     "=",       "=",       "=",          "=",       "=",         "=",            "=",            "Idle 8/0 +"}},
    {"rfc2918_refresh_wanted", kSend(event::RefreshWanted{kIpv4Unicast}),
                                           {"=",     "=",       "=",       "=",          "=",       "=",         "=",            "=",            "Established R"}},
};
// clang-format on

struct Cell {
  EventRow row;
  Situation situation;
};
std::vector<Cell> cells() {
  std::vector<Cell> result;
  for (const EventRow& row : kTable)
    for (std::size_t i = 0; i < kSituationCount; ++i) result.push_back({row, static_cast<Situation>(i)});
  return result;
}
void PrintTo(const Cell& cell, std::ostream* out) {
  *out << kSituations[cell.situation] << ", " << cell.row.name;
}

/// "Idle 5/1 +", as a cell says it.
std::string outcome(const Peer& peer, const Actions& actions, std::uint32_t counter_before) {
  std::ostringstream text;
  text << name(peer.state());
  std::string sent;
  for (const SessionAction& action : actions) {
    if (std::holds_alternative<action::SendOpen>(action)) sent += 'O';
    if (std::holds_alternative<action::SendKeepalive>(action)) sent += 'K';
    if (std::holds_alternative<action::SendRouteRefresh>(action)) sent += 'R';
  }
  if (!sent.empty()) text << ' ' << sent;
  for (const auto& send : all<action::SendNotification>(actions))
    text << ' ' << static_cast<int>(send.notification.code) << '/' << static_cast<int>(send.notification.subcode);
  if (peer.connectRetryCounter() > counter_before) text << " +";
  if (peer.connectRetryCounter() < counter_before) text << " 0";
  return text.str();
}

class FsmTable : public testing::TestWithParam<Cell> {};

TEST_P(FsmTable, section_8_2_2) {
  const auto& [row, situation] = GetParam();
  Peer peer = peerIn(situation);
  const State before = peer.state();
  const std::uint32_t counter = peer.connectRetryCounter();
  const bool had_connection = !peer.connections().empty();
  const Actions actions = row.happens(peer);
  const std::string expected = row.cells[situation];
  if (expected == "=") {
    EXPECT_THAT(actions, testing::IsEmpty());
    EXPECT_EQ(peer.state(), before);
    EXPECT_EQ(peer.connectRetryCounter(), counter);
    return;
  }
  EXPECT_EQ(outcome(peer, actions, counter), expected);
  if (peer.state() == State::Idle) {
    EXPECT_THAT(peer.connections(), testing::IsEmpty());
    EXPECT_FALSE(peer.attempt());
    EXPECT_FALSE(peer.connectRetryTimer());
    if (had_connection && before != State::Idle && std::string(row.name) != "18_tcp_fails") {
      EXPECT_EQ(closed(actions), kFirst);
    }
  }
  EXPECT_EQ(count<action::SessionDown>(actions), before == State::Established && peer.state() == State::Idle);
  EXPECT_EQ(count<action::SessionEstablished>(actions), before != State::Established && peer.established(kFirst));
  if (before != peer.state()) {
    const auto told = all<action::Tell>(actions);
    ASSERT_THAT(told, testing::Not(testing::IsEmpty()));
    EXPECT_EQ(told.front().from, before);
    EXPECT_EQ(told.back().to, peer.state());
  }
}

INSTANTIATE_TEST_SUITE_P(rfc4271, FsmTable, testing::ValuesIn(cells()), [](const auto& cell) {
  return std::string(kSituations[cell.param.situation]) + "_" + cell.param.row.name;
});

/// Which timers may run in which state (RFC 4271 section 8.2.2; RFC 9687 section 4).
TEST(FsmTimers, run_in_their_states_only) {
  struct Running {
    bool retry, idle_hold, delay_open, hold, keepalive, send_hold;
    bool operator==(const Running&) const = default;
  };
  const Running expected[] = {{false, false, false, false, false, false}, {false, true, false, false, false, false},
                              {true, false, false, false, false, false},  {false, false, true, false, false, false},
                              {true, false, false, false, false, false},  {false, false, true, false, false, false},
                              {false, false, false, true, false, false},  {false, false, false, true, true, false},
                              {false, false, false, true, true, true}};
  for (std::size_t i = 0; i < kSituationCount; ++i) {
    const Peer peer = peerIn(static_cast<Situation>(i));
    Running running{peer.connectRetryTimer().has_value(), peer.idleHoldTimer().has_value(), false, false, false, false};
    for (const Connection& connection : peer.connections()) {
      running.delay_open = connection.delay_open_timer.has_value();
      running.hold = connection.hold_timer.has_value();
      running.keepalive = connection.keepalive_timer.has_value();
      running.send_hold = connection.send_hold_timer.has_value();
    }
    EXPECT_TRUE(running == expected[i]) << kSituations[i];
  }
}

/// A peer that says nothing holds no state for ever: deadlines lead back to connecting, again and again.
void expectExit(Peer peer) {
  const std::uint64_t attempts = peer.counters().attempts;
  TimePoint now = kStart;
  while (peer.counters().attempts == attempts) {
    const auto next = peer.deadline();
    ASSERT_TRUE(next);
    now = *next;
    peer.run(now);
    ASSERT_LT(now, kStart + 10min);
  }
}

TEST(FsmExits, every_state_is_left_with_a_silent_peer) {
  for (std::size_t i = kIdle; i < kSituationCount; ++i) {
    SCOPED_TRACE(kSituations[i]);
    expectExit(peerIn(static_cast<Situation>(i)));
  }
}

/// With a hold time of 0 only Established stays.
TEST(FsmExits, opening_ends_without_a_hold_time_too) {
  SessionSettings settings = sideSettings(1);
  settings.open.hold_seconds = 0;
  for (const State state : {State::OpenSent, State::OpenConfirm}) expectExit(bgp::peerIn(state, settings));
  const Peer up = bgp::peerIn(State::Established, settings);
  EXPECT_FALSE(up.deadline());
}

}  // namespace
}  // namespace poplink::host::bgp
