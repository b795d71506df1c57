// SPDX-License-Identifier: Apache-2.0
// Two sides that are configured for each other, in virtual time. Whatever TCP does to them meanwhile, they end in one
// session on the same connection.
#include "bgp_lab.h"

namespace poplink::host::bgp {
namespace {

struct Pair {
  Lab lab;
  std::size_t a, b;
  explicit Pair(std::uint64_t seed, const SessionSettings& first = sideSettings(1),
                const SessionSettings& second = sideSettings(2))
      : lab(seed), a(lab.add(first)), b(lab.add(second)) {
    lab.join(a, b);
  }
};

TEST(TwoPeers, come_up_at_once_and_stay) {
  for (std::uint64_t seed = 1; seed <= 100 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Pair pair(seed);
    pair.lab.start(pair.a);
    pair.lab.runFor(1s);
    pair.lab.start(pair.b);
    pair.lab.runFor(2s);
    EXPECT_TRUE(pair.lab.inSession(pair.a));
    pair.lab.runFor(24h);
    EXPECT_TRUE(pair.lab.inSession(pair.a));
    EXPECT_THAT(pair.lab.downs(pair.a), testing::IsEmpty());
    EXPECT_THAT(pair.lab.downs(pair.b), testing::IsEmpty());
  }
}

TEST(TwoPeers, that_begin_together_lose_nothing_to_their_collision) {
  for (std::uint64_t seed = 1; seed <= 500 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Pair pair(seed);
    pair.lab.start(pair.a);
    pair.lab.start(pair.b);
    pair.lab.runFor(1s);
    EXPECT_TRUE(pair.lab.inSession(pair.a));
    pair.lab.runFor(10min);
    EXPECT_THAT(pair.lab.downs(pair.a), testing::IsEmpty());
  }
}

TEST(TwoPeers, of_which_one_is_passive_come_up) {
  SessionSettings passive = sideSettings(1);
  passive.passive = true;
  Pair pair(1, passive);
  pair.lab.start(pair.b);
  pair.lab.runFor(5s);  // refused as long as nobody is started there
  pair.lab.start(pair.a);
  pair.lab.runFor(31s);
  EXPECT_TRUE(pair.lab.inSession(pair.a));
  EXPECT_EQ(pair.lab.peer(pair.a).counters().attempts, 0u);
}

TEST(TwoPeers, lose_a_session_over_a_cut_line_within_the_hold_time) {
  Pair pair(1);
  pair.lab.start(pair.a);
  pair.lab.start(pair.b);
  pair.lab.runFor(10s);
  pair.lab.weather().cut = true;
  const TimePoint cut = pair.lab.now();
  pair.lab.runFor(10min);
  for (const std::size_t node : {pair.a, pair.b}) {
    ASSERT_EQ(pair.lab.downs(node).size(), 1u);
    EXPECT_EQ(pair.lab.downs(node)[0].second.reason, EndReason::hold_timer_expired);
    EXPECT_LE(pair.lab.downs(node)[0].first, cut + 90s);
  }
  pair.lab.weather().cut = false;
  pair.lab.runFor(62s);
  EXPECT_TRUE(pair.lab.inSession(pair.a));
}

TEST(TwoPeers, find_back_after_one_restarts) {
  for (const bool graceful : {false, true}) {
    for (std::uint64_t seed = 1; seed <= 50 && !HasFailure(); ++seed) {
      SCOPED_TRACE(seed);
      SessionSettings first = sideSettings(1), second = sideSettings(2);
      if (graceful) {
        first.open.graceful_restart.emplace();
        second.open.graceful_restart.emplace();
      }
      Pair pair(seed, first, second);
      pair.lab.start(pair.a);
      pair.lab.start(pair.b);
      pair.lab.runFor(60s);
      pair.lab.restart(pair.b);
      pair.lab.runFor(2s);
      if (graceful) {
        // The new connection is proof enough: nobody waits for the old one.
        EXPECT_TRUE(pair.lab.inSession(pair.a));
        ASSERT_EQ(pair.lab.downs(pair.a).size(), 1u);
        EXPECT_THAT(pair.lab.downs(pair.a)[0].second.keep, testing::ElementsAre(kIpv4Unicast));
      }
      pair.lab.runFor(60s);
      EXPECT_TRUE(pair.lab.inSession(pair.a));
    }
  }
}

TEST(TwoPeers, end_established_whatever_tcp_has_done_to_them) {
  for (std::uint64_t seed = 1; seed <= 300 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const auto pick = [&random](std::uint64_t below) { return random() % below; };
    const auto settings = [&](std::uint32_t side) {
      SessionSettings result = sideSettings(side);
      result.open.hold_seconds = static_cast<std::uint16_t>(pick(4) == 0 ? 3 : 90);
      if (pick(3) == 0) result.delay_open = 1s + pick(20) * 1s;
      result.collision_detect_established = pick(4) == 0;
      if (pick(2) == 0) result.open.graceful_restart.emplace();
      return result;
    };
    Pair pair(seed, settings(1), settings(2));
    const std::size_t nodes[] = {pair.a, pair.b};
    for (const std::size_t node : nodes) pair.lab.start(node);
    for (int i = 0; i < 40; ++i) {
      Weather& weather = pair.lab.weather();
      weather.delay_max = 5ms + pick(3) * pick(3000) * 1ms;
      weather.lost_attempts = static_cast<double>(pick(3)) * 0.4;
      weather.broken = static_cast<double>(pick(3)) * 0.1;
      weather.half_open = static_cast<double>(pick(3)) * 0.1;
      weather.cut = pick(6) == 0;
      const std::size_t node = nodes[pick(2)];
      switch (pick(8)) {
        case 0:
          pair.lab.restart(node);
          break;
        case 1:
          pair.lab.tell(node, event::Clear{});
          break;
        case 2:
          pair.lab.tell(node, event::Stop{});
          pair.lab.runFor(pick(20) * 1s);
          pair.lab.start(node);
          break;
        case 3:
          pair.lab.tell(node, event::PrefixLimitReached{kIpv4Unicast, 10, pick(100) * 1s});
          break;
        default:
          break;
      }
      pair.lab.runFor(pick(6) * pick(20000) * 1ms);
      if (HasFailure()) return;
    }
    pair.lab.weather() = {};
    // A hold time, the longest IdleHoldTime at both, and connecting: whatever was left half open has ended.
    pair.lab.runFor(240s + 2 * 60s + 30s);
    EXPECT_TRUE(pair.lab.inSession(pair.a));
    const std::size_t ended = pair.lab.downs(pair.a).size();
    pair.lab.runFor(1h);
    EXPECT_TRUE(pair.lab.inSession(pair.a));
    EXPECT_EQ(pair.lab.downs(pair.a).size(), ended) << "a good line keeps its session";
  }
}

/// Thirty peers of a card begin together with their thirty others.
TEST(ManyPeers, connect_at_once_and_do_not_march_in_step) {
  Lab lab(1);
  std::vector<std::size_t> ours;
  for (int i = 0; i < 30; ++i) {
    const std::size_t a = lab.add(sideSettings(1)), b = lab.add(sideSettings(2));
    lab.join(a, b);
    ours.push_back(a);
    lab.start(a);
    lab.start(b);
  }
  lab.runFor(1s);
  for (const std::size_t node : ours) EXPECT_TRUE(lab.inSession(node));
  lab.runFor(10min);
  std::set<TimePoint> keepalives;
  for (const std::size_t node : ours) {
    EXPECT_TRUE(lab.inSession(node));
    keepalives.insert(*lab.peer(node).connections()[0].keepalive_timer);
  }
  EXPECT_EQ(keepalives.size(), ours.size());
}

}  // namespace
}  // namespace poplink::host::bgp
