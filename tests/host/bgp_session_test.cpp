// SPDX-License-Identifier: Apache-2.0
// One machine beyond the table of states: timers and their jitter, damping, BFD, prefix limits, settings, graceful
// restart.
#include "bgp_rows.h"

namespace poplink::host::bgp {
namespace {

/// Runs to `end`, from deadline to deadline; what was done on the way.
Actions runTo(Peer& peer, TimePoint end) {
  Actions actions;
  while (const auto next = peer.deadline()) {
    if (*next > end) break;
    append(actions, peer.run(*next));
  }
  return actions;
}

/// The peer keeps its session: a KEEPALIVE every 30 s.
void keepUp(Peer& peer, TimePoint from, Duration time) {
  for (TimePoint now = from; now < from + time; now += 30s) {
    runTo(peer, now);
    peer.handle(event::KeepaliveArrived{kFirst}, now);
    peer.handle(event::SendProgressed{kFirst}, now);
  }
  runTo(peer, from + time);
}

Notification sent(const Actions& actions) {
  const auto all_sent = all<action::SendNotification>(actions);
  EXPECT_EQ(all_sent.size(), 1u);
  return all_sent.empty() ? Notification{} : all_sent[0].notification;
}

/// RFC 4271 section 10: 0.75 to 1 times the configured time, evenly. HoldTimer has none: it is a promise to the peer.
TEST(Jitter, stays_in_its_bounds_and_uses_them) {
  Duration least = 1h, most{};
  const Random random = seeded(1);
  for (int i = 0; i < 10000; ++i) {
    const Duration time = jittered(100s, random);
    least = std::min(least, time);
    most = std::max(most, time);
  }
  EXPECT_GE(least, 75s);
  EXPECT_LT(least, 76s);
  EXPECT_LE(most, 100s);
  EXPECT_GT(most, 99s);
  for (const double odd : {-1.0, 2.0}) {
    const Duration time = jittered(100s, [odd] { return odd; });
    EXPECT_TRUE(time == 75s || time == 100s);
  }
}

TEST(Jitter, is_on_the_timers_of_section_10) {
  SessionSettings settings = sideSettings(1);
  const auto least = [] { return 0.0; };
  Peer peer(settings, least);
  peer.handle(event::Start{}, kStart);
  EXPECT_EQ(peer.connectRetryTimer(), kStart + 22500ms);
  peer.handle(event::ConnectSucceeded{*peer.attempt(), kFirst}, kStart);
  peer.handle(event::OpenArrived{kFirst, openOf(2)}, kStart);
  EXPECT_EQ(peer.connections()[0].keepalive_timer, kStart + 22500ms);
  EXPECT_EQ(peer.connections()[0].hold_timer, kStart + 90s);
  peer.handle(event::Closed{kFirst}, kStart);
  EXPECT_EQ(peer.idleHoldTimer(), kStart + 750ms);
}

/// DampPeerOscillations: twice as long after each failure, up to a bound, and forgotten after a stable session.
TEST(IdleHold, grows_with_failures_and_is_forgotten) {
  Peer peer = peerIn(State::OpenConfirm);
  std::vector<Duration> holds;
  TimePoint now = kStart;
  for (int i = 0; i < 9; ++i) {
    peer.handle(event::UpdateArrived{kFirst}, now);
    ASSERT_EQ(peer.state(), State::Idle);
    holds.push_back(*peer.idleHoldTimer() - now);
    now = *peer.idleHoldTimer();
    peer.run(now);
    peer.handle(event::ConnectSucceeded{*peer.attempt(), kFirst}, now);
    peer.handle(event::OpenArrived{kFirst, openOf(2)}, now);
  }
  EXPECT_THAT(holds, testing::ElementsAre(1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s));
  peer.handle(event::KeepaliveArrived{kFirst}, now);
  Peer stable = peer;
  keepUp(stable, now, 300s);
  stable.handle(event::Closed{kFirst}, now + 300s);
  EXPECT_EQ(*stable.idleHoldTimer() - (now + 300s), 1s);
  peer.handle(event::Closed{kFirst}, now + 1s);
  EXPECT_EQ(*peer.idleHoldTimer() - (now + 1s), 60s) << "a session that does not last is one more failure";
}

TEST(HoldTimer, is_restarted_by_keepalive_and_update_only) {
  Peer peer = peerIn(State::Established);
  peer.handle(event::KeepaliveArrived{kFirst}, kStart + 10s);
  EXPECT_EQ(peer.connections()[0].hold_timer, kStart + 100s);
  peer.handle(event::UpdateArrived{kFirst}, kStart + 20s);
  EXPECT_EQ(peer.connections()[0].hold_timer, kStart + 110s);
  peer.handle(event::RouteRefreshArrived{kFirst}, kStart + 30s);
  EXPECT_EQ(peer.connections()[0].hold_timer, kStart + 110s);
}

TEST(KeepaliveTimer, sends_three_in_a_hold_time_and_makes_up_for_none) {
  Peer peer = peerIn(State::Established);
  EXPECT_EQ(count<action::SendKeepalive>(runTo(peer, kStart + 89s)), 2u);
  // Late by several periods: what the peer has sent meanwhile comes first, then one KEEPALIVE goes out.
  Peer late = peerIn(State::Established);
  late.handle(event::KeepaliveArrived{kFirst}, kStart + 200s);
  const Actions actions = late.run(kStart + 200s);
  EXPECT_EQ(count<action::SendKeepalive>(actions), 1u);
  EXPECT_EQ(late.state(), State::Established);
}

/// RFC 9687 section 4: 8 minutes, or twice the hold time if that is longer.
TEST(SendHoldTimer, ends_a_session_whose_peer_does_not_read) {
  Peer peer = peerIn(State::Established);
  EXPECT_EQ(peer.connections()[0].send_hold_timer, kStart + 8min);
  for (TimePoint now = kStart + 30s; now < kStart + 8min; now += 30s) {
    runTo(peer, now);
    peer.handle(event::KeepaliveArrived{kFirst}, now);
  }
  const Actions actions = runTo(peer, kStart + 8min);
  EXPECT_EQ(sent(actions), (Notification{ErrorCode::send_hold_timer_expired}));
  EXPECT_EQ(all<action::SessionDown>(actions).at(0).reason, EndReason::send_hold_timer_expired);

  SessionSettings settings = sideSettings(1);
  settings.open.hold_seconds = 600;
  Peer slow(settings, unjittered);
  slow.handle(event::Start{}, kStart);
  slow.handle(event::ConnectSucceeded{*slow.attempt(), kFirst}, kStart);
  Open open = openOf(2);
  open.hold_seconds = 600;
  slow.handle(event::OpenArrived{kFirst, open}, kStart);
  slow.handle(event::KeepaliveArrived{kFirst}, kStart);
  EXPECT_EQ(slow.connections()[0].send_hold_timer, kStart + 20min);
  slow.handle(event::SendProgressed{kFirst}, kStart + 1min);
  EXPECT_EQ(slow.connections()[0].send_hold_timer, kStart + 21min);
}

TEST(Passive, never_connects) {
  SessionSettings settings = sideSettings(1);
  settings.passive = true;
  Peer peer(settings, unjittered);
  const Actions actions = peer.handle(event::Start{}, kStart);
  EXPECT_EQ(peer.state(), State::Active);
  EXPECT_EQ(count<action::Connect>(actions), 0u);
  EXPECT_FALSE(peer.deadline());
  peer.handle(event::Accepted{kFirst}, kStart);
  EXPECT_EQ(peer.state(), State::OpenSent);
  peer.handle(event::Closed{kFirst}, kStart);
  EXPECT_EQ(peer.state(), State::Active);
  EXPECT_FALSE(peer.deadline());
}

/// RFC 9003: what goes with Cease is what was given.
TEST(Stop, says_why) {
  Peer peer = peerIn(State::Established);
  const event::Stop stop{subcode::kPeerDeconfigured, {3, 'b', 'y', 'e'}};
  EXPECT_EQ(sent(peer.handle(stop, kStart)),
            (Notification{ErrorCode::cease, subcode::kPeerDeconfigured, {3, 'b', 'y', 'e'}}));
  EXPECT_FALSE(peer.deadline());
  EXPECT_EQ(closed(peer.handle(event::Accepted{ConnectionId{2}}, kStart)), ConnectionId{2});
}

TEST(Clear, begins_anew_without_a_grudge) {
  Peer peer = peerIn(State::Established);
  peer.handle(event::UpdateArrived{kFirst}, kStart);
  const Actions actions = peer.handle(event::Clear{{0}}, kStart);
  EXPECT_EQ(sent(actions), (Notification{ErrorCode::cease, subcode::kAdministrativeReset, {0}}));
  const auto told = all<action::Tell>(actions);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].from, State::Established);
  EXPECT_EQ(told[0].to, State::Idle);
  EXPECT_EQ(told[0].reason, EndReason::cleared);
  EXPECT_EQ(peer.connectRetryCounter(), 0u);
  EXPECT_EQ(count<action::Connect>(runTo(peer, kStart + 1s)), 1u);
}

/// RFC 4486 section 4: AFI, SAFI and the limit are the data.
TEST(PrefixLimitReached, ends_the_session_until_it_is_started_again) {
  Peer peer = peerIn(State::Established);
  const Actions actions = peer.handle(event::PrefixLimitReached{kIpv6Unicast, 0x01020304, {}}, kStart);
  EXPECT_EQ(sent(actions), (Notification{ErrorCode::cease, subcode::kMaxPrefixes, {0, 2, 1, 1, 2, 3, 4}}));
  EXPECT_THAT(all<action::SessionDown>(actions).at(0).keep, testing::IsEmpty());
  EXPECT_TRUE(peer.heldByPrefixLimit());
  EXPECT_FALSE(peer.deadline());
  for (const bool clear : {false, true}) {
    Peer again = peer;
    again.handle(clear ? Event(event::Clear{}) : Event(event::Start{}), kStart + 1h);
    EXPECT_FALSE(again.heldByPrefixLimit());
    EXPECT_EQ(again.state(), clear ? State::Idle : State::Connect);
    runTo(again, kStart + 1h + 1s);
    EXPECT_EQ(again.state(), State::Connect);
  }
}

TEST(PrefixLimitReached, with_a_restart_time_comes_back_by_itself) {
  Peer peer = peerIn(State::Established);
  peer.handle(event::PrefixLimitReached{kIpv4Unicast, 100, 15min}, kStart);
  EXPECT_EQ(peer.deadline(), kStart + 15min);
  runTo(peer, kStart + 15min);
  EXPECT_EQ(peer.state(), State::Connect);
  EXPECT_FALSE(peer.heldByPrefixLimit());
}

SessionSettings strict() {
  SessionSettings settings = sideSettings(1);
  settings.bfd = BfdMode::strict;
  return settings;
}

TEST(StrictBfd, keeps_both_sides_in_open_confirm_until_bfd_is_up) {
  Peer peer = peerIn(State::OpenSent, strict());
  EXPECT_EQ(count<action::SendKeepalive>(peer.handle(event::OpenArrived{kFirst, openOf(2)}, kStart)), 0u);
  EXPECT_EQ(count<action::SessionEstablished>(peer.handle(event::KeepaliveArrived{kFirst}, kStart)), 0u);
  EXPECT_EQ(peer.state(), State::OpenConfirm);
  const Actions actions = peer.handle(event::BfdUp{}, kStart + 5s);
  EXPECT_EQ(count<action::SendKeepalive>(actions), 1u);
  EXPECT_EQ(count<action::SessionEstablished>(actions), 1u);
  EXPECT_FALSE(peer.connections()[0].bfd_timer);
}

TEST(StrictBfd, does_not_wait_when_bfd_is_up_already_or_is_not_asked_for_any_more) {
  Peer up = peerIn(State::OpenSent, strict());
  up.handle(event::BfdUp{}, kStart);
  EXPECT_EQ(count<action::SendKeepalive>(up.handle(event::OpenArrived{kFirst, openOf(2)}, kStart)), 1u);

  Peer peer = peerIn(State::OpenConfirm, strict());
  peer.handle(event::KeepaliveArrived{kFirst}, kStart);
  EXPECT_EQ(count<action::SessionEstablished>(peer.configure(sideSettings(1), kStart)), 1u);
}

TEST(StrictBfd, gives_up_after_its_time) {
  Peer peer = peerIn(State::OpenConfirm, strict());
  EXPECT_EQ(peer.deadline(), kStart + 30s);
  EXPECT_EQ(sent(peer.run(kStart + 30s)), (Notification{ErrorCode::cease, subcode::kBfdDown, {}}));
  EXPECT_EQ(peer.state(), State::Idle);
}

TEST(StrictBfd, down_ends_open_confirm_that_was_confirmed) {
  Peer peer = peerIn(State::OpenSent, strict());
  peer.handle(event::BfdUp{}, kStart);
  peer.handle(event::OpenArrived{kFirst, openOf(2)}, kStart);
  EXPECT_EQ(sent(peer.handle(event::BfdDown{}, kStart)).subcode, subcode::kBfdDown);
}

TEST(Bfd, that_has_never_been_up_or_is_off_does_no_harm) {
  SessionSettings watching = sideSettings(1);
  watching.bfd = BfdMode::watch;
  Peer never = peerIn(State::Established, watching);
  EXPECT_THAT(never.handle(event::BfdDown{true}, kStart), testing::IsEmpty());
  Peer off = peerIn(State::Established);
  off.handle(event::BfdUp{}, kStart);
  EXPECT_THAT(off.handle(event::BfdDown{true}, kStart), testing::IsEmpty());
}

SessionSettings graceful(std::uint32_t side) {
  SessionSettings settings = sideSettings(side);
  settings.bfd = BfdMode::watch;
  settings.open.graceful_restart.emplace();
  return settings;
}
Peer gracefulSession() {
  Peer peer = peerIn(State::OpenSent, graceful(1));
  SessionSettings theirs = graceful(2);
  theirs.open.graceful_restart->restart_seconds = 77;
  peer.handle(event::OpenArrived{kFirst, makeOpen(theirs.open)}, kStart);
  peer.handle(event::KeepaliveArrived{kFirst}, kStart);
  peer.handle(event::BfdUp{}, kStart);
  return peer;
}

/// RFC 4724 section 4.2 and 5: which ends of a session keep the peer's routes.
struct KeepRow {
  const char* name;
  Event event;
  bool kept;
};
void PrintTo(const KeepRow& row, std::ostream* out) {
  *out << row.name;
}
class Keeping : public testing::TestWithParam<KeepRow> {};

TEST_P(Keeping, routes_of_a_lost_session) {
  Peer peer = gracefulSession();
  const Actions actions = peer.handle(GetParam().event, kStart + 1s);
  const auto down = all<action::SessionDown>(actions);
  ASSERT_EQ(down.size(), 1u);
  EXPECT_EQ(down[0].keep, GetParam().kept ? std::set<Family>{kIpv4Unicast} : std::set<Family>{});
  EXPECT_EQ(down[0].keep_for, GetParam().kept ? 77s : 0s);
  if (GetParam().kept) {
    EXPECT_EQ(count<action::SendNotification>(actions), 0u) << "it would end the grace";
  }
}

INSTANTIATE_TEST_SUITE_P(
    rfc4724, Keeping,
    testing::Values(KeepRow{"tcp_lost", event::Closed{kFirst}, true},
                    KeepRow{"bfd_down_with_the_control_plane", event::BfdDown{false}, true},
                    KeepRow{"bfd_down_by_itself", event::BfdDown{true}, false},
                    KeepRow{"notification", event::NotificationArrived{kFirst, {ErrorCode::cease, 2, {}}}, false},
                    KeepRow{"malformed", event::Malformed{kFirst, {ErrorCode::update_message, 1, {}}}, false},
                    KeepRow{"unexpected", event::OpenArrived{kFirst, openOf(2)}, false},
                    KeepRow{"stopped", event::Stop{}, false}, KeepRow{"cleared", event::Clear{}, false},
                    KeepRow{"prefix_limit", event::PrefixLimitReached{}, false}),
    [](const auto& row) { return row.param.name; });

TEST(Keeping, is_not_for_a_peer_whose_restart_time_is_0) {
  Peer peer = peerIn(State::OpenSent, graceful(1));
  SessionSettings theirs = graceful(2);
  theirs.open.graceful_restart->restart_seconds = 0;
  peer.handle(event::OpenArrived{kFirst, makeOpen(theirs.open)}, kStart);
  peer.handle(event::KeepaliveArrived{kFirst}, kStart);
  const auto down = all<action::SessionDown>(peer.handle(event::Closed{kFirst}, kStart));
  ASSERT_EQ(down.size(), 1u);
  EXPECT_THAT(down[0].keep, testing::IsEmpty());
}

TEST(Keeping, ends_with_the_hold_timer) {
  Peer peer = gracefulSession();
  const auto down = all<action::SessionDown>(peer.run(kStart + 90s));
  ASSERT_EQ(down.size(), 1u);
  EXPECT_THAT(down[0].keep, testing::IsEmpty()) << "a NOTIFICATION is sent (RFC 4724 section 5)";
}

TEST(Clear, says_so_when_it_is_for_other_settings) {
  Peer peer = peerIn(State::Established);
  const Actions actions = peer.handle(event::Clear{{}, true}, kStart);
  EXPECT_EQ(sent(actions), (Notification{ErrorCode::cease, subcode::kOtherConfigurationChange, {}}));
  EXPECT_EQ(all<action::Tell>(actions).at(0).reason, EndReason::reconfigured);
}

/// The same file twice changes nothing.
TEST(Configure, the_same_again_does_nothing) {
  for (const State state : {State::Idle, State::Connect, State::Active, State::OpenSent, State::Established}) {
    Peer peer = peerIn(state);
    const auto deadline = peer.deadline();
    EXPECT_THAT(peer.configure(sideSettings(1), kStart), testing::IsEmpty());
    EXPECT_EQ(peer.deadline(), deadline);
  }
}

TEST(Configure, what_the_open_says_ends_the_session) {
  Peer peer = peerIn(State::Established);
  SessionSettings other = sideSettings(1);
  other.open.hold_seconds = 30;
  EXPECT_EQ(sent(peer.configure(other, kStart)).subcode, subcode::kOtherConfigurationChange);
  EXPECT_EQ(peer.state(), State::Idle);
  EXPECT_EQ(peer.connectRetryCounter(), 0u);
  runTo(peer, kStart + 1s);
  const auto opens = all<action::SendOpen>(peer.handle(event::ConnectSucceeded{*peer.attempt(), kFirst}, kStart + 1s));
  ASSERT_EQ(opens.size(), 1u);
  EXPECT_EQ(opens[0].open.hold_seconds, 30);
}

TEST(Configure, what_it_does_not_say_disturbs_nobody) {
  Peer peer = peerIn(State::Established);
  SessionSettings other = sideSettings(1);
  other.passive = true;
  other.connect_retry = 5s;
  other.delay_open = 5s;
  other.idle_hold_first = 3s;
  other.bfd = BfdMode::strict;
  EXPECT_THAT(peer.configure(other, kStart), testing::IsEmpty());
  EXPECT_TRUE(peer.established(kFirst));
}

/// RFC 4724 section 4.1: when our own restart is over.
TEST(Configure, restart_bits_change_the_next_open_only) {
  SessionSettings settings = graceful(1);
  settings.open.graceful_restart->restarting = true;
  settings.open.graceful_restart->forwarding = {kIpv4Unicast};
  Peer peer = peerIn(State::Established, settings);
  EXPECT_THAT(peer.configure(graceful(1), kStart), testing::IsEmpty());
  EXPECT_TRUE(peer.established(kFirst));
  peer.handle(event::Closed{kFirst}, kStart);
  runTo(peer, kStart + 1s);
  const auto opens = all<action::SendOpen>(peer.handle(event::ConnectSucceeded{*peer.attempt(), kFirst}, kStart + 1s));
  ASSERT_EQ(opens.size(), 1u);
  EXPECT_FALSE(opens[0].open.capabilities.graceful_restart->restarting);
}

TEST(Configure, passive_or_not_holds_at_once) {
  SessionSettings passive = sideSettings(1);
  passive.passive = true;
  Peer peer = peerIn(State::Connect);
  EXPECT_EQ(count<action::CancelConnect>(peer.configure(passive, kStart)), 1u);
  EXPECT_EQ(peer.state(), State::Active);
  EXPECT_FALSE(peer.deadline());
  EXPECT_EQ(count<action::Connect>(peer.configure(sideSettings(1), kStart)), 1u);
  EXPECT_EQ(peer.state(), State::Connect);
}

struct ProblemRow {
  const char* starts;
  std::function<void(SessionSettings&)> given;
};

TEST(Settings, are_judged_by_place_and_rule) {
  const ProblemRow rows[] = {
      {"local_as: ", [](auto& s) { s.open.local_as = 0; }},
      {"connect_retry: ", [](auto& s) { s.connect_retry = 999ms; }},
      {"delay_open: ", [](auto& s) { s.delay_open = -1s; }},
      {"delay_open: ", [](auto& s) { s.delay_open = 240s; }},
      {"open_hold: ", [](auto& s) { s.open_hold = 2s; }},
      {"send_hold: ", [](auto& s) { s.send_hold = -1s; }},
      {"send_hold: ", [](auto& s) { s.send_hold = 90s; }},
      {"idle_hold_first: ", [](auto& s) { s.idle_hold_first = 0s; }},
      {"idle_hold_longest: ", [](auto& s) { s.idle_hold_longest = 999ms; }},
      {"stable: ", [](auto& s) { s.stable = -1s; }},
      {"bfd_wait: ", [](auto& s) { s.bfd_wait = 0s; }},
  };
  EXPECT_THAT(problems(sideSettings(1)), testing::IsEmpty());
  for (const ProblemRow& row : rows) {
    SessionSettings settings = sideSettings(1);
    row.given(settings);
    EXPECT_THAT(problems(settings), testing::Contains(testing::StartsWith(row.starts)));
  }
}

TEST(Names, are_there_for_all) {
  std::set<std::string> seen;
  for (int i = 0; i <= static_cast<int>(State::Established); ++i) seen.insert(name(static_cast<State>(i)));
  EXPECT_EQ(seen.size(), 6u);
  seen.clear();
  for (int i = 0; i <= static_cast<int>(EndReason::peer_restarted); ++i) seen.insert(words(static_cast<EndReason>(i)));
  EXPECT_EQ(seen.size(), 19u);
  EXPECT_FALSE(seen.contains("?"));
}

}  // namespace
}  // namespace poplink::host::bgp
