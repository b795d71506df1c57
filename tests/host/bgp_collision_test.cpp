// SPDX-License-Identifier: Apache-2.0
// Connection collisions (RFC 4271 section 6.8, RFC 6286 section 2.3). Two sides connect to each other at the same time,
// and everything that is under way may arrive in any order that TCP allows: all orders are tried, and in all of them
// the same one connection is Established at both ends.
#include <deque>
#include <set>
#include <sstream>

#include "bgp_rows.h"
#include "bgp_watch.h"

namespace poplink::host::bgp {
namespace {

/// Connection i is begun by side i. At both ends it has the same id.
ConnectionId idOf(std::size_t connection) {
  return ConnectionId{connection + 1};
}
std::size_t indexOf(ConnectionId id) {
  return static_cast<std::size_t>(id) - 1;
}

/// Two machines and what is under way between them; a value, so that every choice can be tried.
class Crossing {
 public:
  Crossing(const SessionSettings& first, const SessionSettings& second)
      : peers_{Peer(first, unjittered), Peer(second, unjittered)} {
    for (std::size_t side = 0; side < 2; ++side) {
      const auto actions = peers_[side].handle(event::Start{}, now_);
      const AttemptId attempt = all<action::Connect>(actions).at(0).attempt;
      ends_[side][side].arriving.push_back(event::ConnectSucceeded{attempt, idOf(side)});
      ends_[side][1 - side].arriving.push_back(event::Accepted{idOf(side)});
    }
  }

  /// [connection][side] that something can happen at.
  std::vector<std::pair<std::size_t, std::size_t>> choices() const {
    std::vector<std::pair<std::size_t, std::size_t>> result;
    for (std::size_t connection = 0; connection < 2; ++connection)
      for (std::size_t side = 0; side < 2; ++side)
        if (!ends_[connection][side].arriving.empty()) result.emplace_back(connection, side);
    return result;
  }

  void happen(std::size_t connection, std::size_t side) {
    End& end = ends_[connection][side];
    const Event event = end.arriving.front();
    end.arriving.pop_front();
    now_ += 1ms;
    history_ += std::to_string(connection) + "@" + std::to_string(side) + ":" + std::to_string(event.index()) + " ";
    if (std::holds_alternative<event::ConnectSucceeded>(event) || std::holds_alternative<event::Accepted>(event)) {
      watch_[side].connected(idOf(connection));
      end.open = true;
    }
    if (std::holds_alternative<event::OpenArrived>(event)) watch_[side].openArrived(idOf(connection));
    if (std::holds_alternative<event::Closed>(event)) {
      watch_[side].gone(idOf(connection));
      end.open = false;
    }
    obey(side, peers_[side].handle(event, now_));
  }

  /// The same again is not tried again. Times count only where the machine compares them.
  std::string key() const {
    std::ostringstream text;
    for (std::size_t side = 0; side < 2; ++side) {
      text << name(peers_[side].state()) << peers_[side].attempt().has_value();
      for (const Connection& connection : peers_[side].connections())
        text << indexOf(connection.id) << name(connection.state) << connection.held;
      for (std::size_t connection = 0; connection < 2; ++connection) {
        text << '|' << ends_[connection][side].open;
        for (const Event& event : ends_[connection][side].arriving) text << event.index() << ',';
      }
    }
    return text.str();
  }

  const std::string& history() const { return history_; }

  void expectOneSession() const {
    std::vector<ConnectionId> sessions;
    for (const Peer& peer : peers_) {
      ASSERT_EQ(peer.state(), State::Established);
      ASSERT_EQ(peer.connections().size(), 1u);
      sessions.push_back(peer.connections()[0].id);
    }
    EXPECT_EQ(sessions[0], sessions[1]);
  }

 private:
  struct End {
    bool open = false;
    std::deque<Event> arriving{};
  };

  void obey(std::size_t side, const Actions& actions) {
    EXPECT_EQ(watch_[side].check(peers_[side], actions), "");
    for (const SessionAction& action : actions) {
      if (const auto* open = std::get_if<action::SendOpen>(&action))
        send(side, open->id, event::OpenArrived{open->id, open->open});
      if (const auto* keepalive = std::get_if<action::SendKeepalive>(&action))
        send(side, keepalive->id, event::KeepaliveArrived{keepalive->id});
      if (const auto* notification = std::get_if<action::SendNotification>(&action))
        send(side, notification->id, event::NotificationArrived{notification->id, notification->notification});
      if (const auto* close = std::get_if<action::CloseConnection>(&action)) closeAt(side, indexOf(close->id));
      if (std::holds_alternative<action::CancelConnect>(action)) closeAt(side, side);
    }
  }
  void send(std::size_t side, ConnectionId id, const Event& event) {
    ends_[indexOf(id)][1 - side].arriving.push_back(event);
  }
  void closeAt(std::size_t side, std::size_t connection) {
    ends_[connection][side].open = false;
    ends_[connection][side].arriving.clear();
    End& other = ends_[connection][1 - side];
    if (other.open || !other.arriving.empty()) other.arriving.push_back(event::Closed{idOf(connection)});
  }

  std::string history_;
  TimePoint now_ = kStart;
  std::array<Peer, 2> peers_;
  std::array<SessionWatch, 2> watch_;
  std::array<std::array<End, 2>, 2> ends_;
};

/// All orders; how many different situations there are.
std::size_t explore(const Crossing& crossing, std::set<std::string>& seen) {
  if (!seen.insert(crossing.key()).second || testing::Test::HasFailure()) return seen.size();
  const auto choices = crossing.choices();
  if (choices.empty()) {
    crossing.expectOneSession();
    if (testing::Test::HasFailure()) ADD_FAILURE() << "connection@side:event: " << crossing.history();
  }
  for (const auto& [connection, side] : choices) {
    Crossing next = crossing;
    next.happen(connection, side);
    explore(next, seen);
  }
  return seen.size();
}

struct CrossingRow {
  const char* name;
  std::function<void(SessionSettings&, SessionSettings&)> given;
};
void PrintTo(const CrossingRow& row, std::ostream* out) {
  *out << row.name;
}
class Collision : public testing::TestWithParam<CrossingRow> {};

TEST_P(Collision, ends_in_one_session_in_every_order) {
  SessionSettings first = sideSettings(1), second = sideSettings(2);
  GetParam().given(first, second);
  std::set<std::string> seen;
  EXPECT_GT(explore(Crossing(first, second), seen), 100u);
}

INSTANTIATE_TEST_SUITE_P(section_6_8, Collision,
                         testing::Values(CrossingRow{"second_has_the_higher_identifier", [](auto&, auto&) {}},
                                         CrossingRow{"first_has_the_higher_identifier",
                                                     [](auto& first, auto& second) {
                                                       std::swap(first.open.router_id, second.open.router_id);
                                                     }},
                                         CrossingRow{"same_identifier_higher_as",
                                                     [](auto& first, auto& second) {
                                                       first.open.router_id = second.open.router_id;
                                                     }},
                                         CrossingRow{"graceful_restart",
                                                     [](auto& first, auto& second) {
                                                       first.open.graceful_restart.emplace();
                                                       second.open.graceful_restart.emplace();
                                                     }},
                                         CrossingRow{"established_may_lose",
                                                     [](auto& first, auto& second) {
                                                       first.collision_detect_established = true;
                                                       second.collision_detect_established = true;
                                                     }}),
                         [](const auto& row) { return row.param.name; });

/// A second connection on which the peer speaks while there is an older one in `state`.
struct Second {
  Peer peer;
  Actions actions;
};
Second second(const SessionSettings& settings, State state, Duration later) {
  Peer peer = peerIn(state, settings);
  const TimePoint now = kStart + later;
  peer.handle(event::Accepted{ConnectionId{2}}, now);
  Actions actions = peer.handle(event::OpenArrived{ConnectionId{2}, openOf(2)}, now);
  return {std::move(peer), std::move(actions)};
}

Notification loser(const Actions& actions) {
  const auto sent = all<action::SendNotification>(actions);
  return sent.size() == 1 ? sent[0].notification : Notification{};
}
const Notification kCollision{ErrorCode::cease, subcode::kConnectionCollision, {}};

/// 8.1.1, CollisionDetectEstablishedState.
TEST(CollisionWithASession, the_session_stays_unless_configured) {
  SessionSettings settings = sideSettings(1);  // the peer's identifier is higher: its connections win
  const Second stays = second(settings, State::Established, 0s);
  EXPECT_EQ(closed(stays.actions), ConnectionId{2});
  EXPECT_EQ(loser(stays.actions), kCollision);
  EXPECT_TRUE(stays.peer.established(kFirst));

  settings.collision_detect_established = true;
  const Second loses = second(settings, State::Established, 0s);
  EXPECT_EQ(closed(loses.actions), kFirst);
  EXPECT_EQ(count<action::SessionDown>(loses.actions), 1u);
  EXPECT_EQ(loses.peer.state(), State::OpenConfirm);

  settings.open.router_id = 3;
  EXPECT_TRUE(second(settings, State::Established, 0s).peer.established(kFirst));
}

/// RFC 4724 section 4.2: a restarted peer's new connection is the proof that the old one is dead. Its routes stay.
TEST(CollisionWithASession, a_restarted_peer_takes_its_place) {
  SessionSettings settings = sideSettings(1);
  settings.open.graceful_restart.emplace();
  Peer peer = peerIn(State::OpenSent, settings);
  SessionSettings theirs = sideSettings(2);
  theirs.open.graceful_restart.emplace();
  const Open open = makeOpen(theirs.open);
  peer.handle(event::OpenArrived{kFirst, open}, kStart);
  peer.handle(event::KeepaliveArrived{kFirst}, kStart);
  Peer at_once = peer;
  const TimePoint later = kStart + kSimultaneous + 1ns;
  EXPECT_EQ(count<action::CloseConnection>(peer.handle(event::Accepted{ConnectionId{2}}, later)), 0u);
  const Actions actions = peer.handle(event::OpenArrived{ConnectionId{2}, open}, later);
  EXPECT_EQ(closed(actions), kFirst);
  EXPECT_EQ(count<action::SendNotification>(actions), 0u);
  const auto down = all<action::SessionDown>(actions);
  ASSERT_EQ(down.size(), 1u);
  EXPECT_EQ(down[0].reason, EndReason::peer_restarted);
  EXPECT_THAT(down[0].keep, testing::ElementsAre(kIpv4Unicast));
  EXPECT_EQ(down[0].keep_for, 120s);
  EXPECT_EQ(peer.state(), State::OpenConfirm);

  at_once.handle(event::Accepted{ConnectionId{2}}, later - 1ns);
  at_once.handle(event::OpenArrived{ConnectionId{2}, open}, later);
  EXPECT_TRUE(at_once.established(kFirst)) << "may be the loser of a collision, late";
}

TEST(CollisionInOpenSent, a_connection_that_says_nothing_for_long_is_dead) {
  SessionSettings settings = sideSettings(1);
  settings.open.router_id = 3;  // ours would win
  EXPECT_EQ(closed(second(settings, State::OpenSent, 1s).actions), ConnectionId{2});
  EXPECT_EQ(closed(second(settings, State::OpenSent, kSimultaneous + 1ns).actions), kFirst);
}

/// With DelayOpen a peer may take that much longer to speak.
TEST(CollisionInOpenSent, the_time_to_speak_includes_delay_open) {
  SessionSettings settings = sideSettings(1);
  settings.open.router_id = 3;
  Peer peer = peerIn(State::OpenSent, settings);
  settings.delay_open = 20s;
  peer.configure(settings, kStart);
  Peer longer = peer;
  peer.handle(event::Accepted{ConnectionId{2}}, kStart + 30s);
  EXPECT_EQ(closed(peer.handle(event::OpenArrived{ConnectionId{2}, openOf(2)}, kStart + 30s)), ConnectionId{2});
  longer.handle(event::Accepted{ConnectionId{2}}, kStart + 30s);
  EXPECT_EQ(closed(longer.handle(event::OpenArrived{ConnectionId{2}, openOf(2)}, kStart + 30s + 1ns)), kFirst);
}

/// The peer may have spoken on ours already, and prefer it: not closed before it is clear.
TEST(CollisionInDelayOpen, the_connection_that_has_not_spoken_is_held) {
  SessionSettings settings = sideSettings(1);
  settings.delay_open = 5s;
  Peer peer(settings, unjittered);
  peer.handle(event::Start{}, kStart);
  peer.handle(event::ConnectSucceeded{*peer.attempt(), kFirst}, kStart);
  peer.handle(event::Accepted{ConnectionId{2}}, kStart);
  EXPECT_EQ(closed(peer.handle(event::OpenArrived{ConnectionId{2}, openOf(2)}, kStart)), std::nullopt);
  ASSERT_EQ(peer.connections().size(), 2u);
  EXPECT_TRUE(peer.connections()[0].held);
  EXPECT_FALSE(peer.connections()[0].delay_open_timer);
  EXPECT_EQ(closed(peer.handle(event::KeepaliveArrived{ConnectionId{2}}, kStart)), kFirst);
}

/// Identifiers cannot decide between two connections of one side.
TEST(CollisionOfIncoming, the_newer_one_wins_over_a_session_that_may_lose) {
  for (const RouterId ours : {1u, 3u}) {
    SessionSettings settings = sideSettings(1);
    settings.open.router_id = ours;
    settings.collision_detect_established = true;
    Peer peer = peerIn(State::Active, settings);
    for (const ConnectionId id : {ConnectionId{2}, ConnectionId{3}}) {
      peer.handle(event::Accepted{id}, kStart);
      peer.handle(event::OpenArrived{id, openOf(2)}, kStart);
      peer.handle(event::KeepaliveArrived{id}, kStart);
      EXPECT_TRUE(peer.established(id));
      EXPECT_EQ(peer.connections().size(), 1u);
    }
  }
}

TEST(CollisionOfIncoming, the_newer_one_takes_the_place_of_the_older_one) {
  Peer peer = peerIn(State::Active);
  peer.handle(event::Accepted{ConnectionId{2}}, kStart);
  const Actions actions = peer.handle(event::Accepted{ConnectionId{3}}, kStart + 1s);
  EXPECT_EQ(closed(actions), ConnectionId{2});
  ASSERT_EQ(peer.connections().size(), 1u);
  EXPECT_EQ(peer.connections()[0].id, ConnectionId{3});
}

/// The peer has closed this one because of another that has not been seen here yet.
TEST(CollisionElsewhere, is_no_failure) {
  for (const std::uint8_t code : {subcode::kConnectionCollision, subcode::kConnectionRejected}) {
    Peer peer = peerIn(State::OpenConfirm);
    peer.handle(event::NotificationArrived{kFirst, {ErrorCode::cease, code, {}}}, kStart);
    EXPECT_EQ(peer.state(), State::Active);
    EXPECT_EQ(peer.connectRetryCounter(), 0u);
    EXPECT_TRUE(peer.connectRetryTimer());
  }
}

/// The peer prefers what it began, or both prefer what we began.
TEST(CollisionAttempt, is_given_up_in_open_confirm_unless_it_would_win) {
  for (const bool ours_wins : {false, true}) {
    SessionSettings settings = sideSettings(1);
    if (ours_wins) settings.open.router_id = 3;
    Peer peer = peerIn(State::Connect, settings);
    const AttemptId attempt = *peer.attempt();
    peer.handle(event::Accepted{ConnectionId{2}}, kStart);
    const Actions actions = peer.handle(event::OpenArrived{ConnectionId{2}, openOf(2)}, kStart);
    EXPECT_EQ(count<action::CancelConnect>(actions), ours_wins ? 0u : 1u);
    const Actions late = peer.handle(event::ConnectSucceeded{attempt, ConnectionId{3}}, kStart);
    if (!ours_wins) {
      EXPECT_EQ(closed(late), ConnectionId{3});
      continue;
    }
    EXPECT_THAT(late, testing::IsEmpty()) << "held: no OPEN before the other one is decided";
    const Actions up = peer.handle(event::KeepaliveArrived{ConnectionId{2}}, kStart);
    EXPECT_EQ(closed(up), ConnectionId{3});
    EXPECT_EQ(count<action::SendNotification>(up), 0u);
  }
}

/// A reset has overtaken the Cease of the peer that prefers our attempt.
TEST(CollisionAttempt, goes_on_when_the_other_connection_is_lost) {
  SessionSettings settings = sideSettings(1);
  settings.open.router_id = 3;
  Peer peer = peerIn(State::Connect, settings);
  const AttemptId attempt = *peer.attempt();
  peer.handle(event::Accepted{ConnectionId{2}}, kStart);
  peer.handle(event::OpenArrived{ConnectionId{2}, openOf(2)}, kStart);
  const Actions actions = peer.handle(event::Closed{ConnectionId{2}}, kStart);
  EXPECT_EQ(peer.state(), State::Connect);
  EXPECT_EQ(count<action::CancelConnect>(actions), 0u);
  EXPECT_EQ(peer.connectRetryCounter(), 0u);
  EXPECT_EQ(count<action::SendOpen>(peer.handle(event::ConnectSucceeded{attempt, ConnectionId{3}}, kStart)), 1u);
}

/// Whoever has connected to us need not be connected to; once it is gone, connecting goes on.
TEST(CollisionAttempt, is_not_repeated_while_the_peer_has_connected) {
  Peer peer = peerIn(State::Connect);
  peer.handle(event::Accepted{ConnectionId{2}}, kStart);
  const Actions actions = peer.run(*peer.connectRetryTimer());
  EXPECT_EQ(count<action::CancelConnect>(actions), 1u);
  EXPECT_EQ(count<action::Connect>(actions), 0u);
  EXPECT_FALSE(peer.connectRetryTimer());
  EXPECT_EQ(peer.state(), State::OpenSent);
  peer.handle(event::Closed{ConnectionId{2}}, kStart + 40s);
  EXPECT_EQ(peer.state(), State::Active);
  EXPECT_EQ(peer.connectRetryTimer(), kStart + 70s);
}

/// The held connection is the session when the other one ends, and it may not wait longer than any.
TEST(CollisionHeld, speaks_when_the_other_connection_has_ended) {
  for (const State state : {State::OpenConfirm, State::Established}) {
    Peer peer = peerIn(state);
    EXPECT_THAT(peer.handle(event::Accepted{ConnectionId{2}}, kStart), testing::IsEmpty());
    Peer silent = peer;
    const Actions actions = peer.handle(event::Closed{kFirst}, kStart + 1s);
    EXPECT_EQ(count<action::SendOpen>(actions), 1u);
    EXPECT_EQ(peer.state(), State::OpenSent);
    EXPECT_EQ(peer.connectRetryCounter(), 0u);

    for (TimePoint now = kStart; state == State::Established && now < kStart + 240s; now += 30s)
      silent.handle(event::KeepaliveArrived{kFirst}, now);
    if (state == State::Established) {
      EXPECT_EQ(closed(silent.run(kStart + 240s)), ConnectionId{2});
    }
  }
}

}  // namespace
}  // namespace poplink::host::bgp
