// SPDX-License-Identifier: Apache-2.0
// The daemon's work with its card: what the customers' ports do, when, and what a restart costs.
#include <random>

#include "agent_lab.h"

namespace poplink::host {
namespace {

class CardAgentTest : public testing::Test {
 protected:
  void up(AgentLab& lab) {
    lab.startBoth();
    for (const unsigned port : {0U, 1U, 6U, 7U}) lab.setLink(port, true);
    ASSERT_TRUE(lab.runUntil([&] { return all(lab, "1111"); }, 10s));
  }
  /// Distributing, port 0 and 1 of the first side, then of the second.
  static bool all(AgentLab& lab, const std::string& wanted) {
    std::string is;
    for (const std::size_t side : {0U, 1U}) {
      for (const unsigned port : {0U, 1U}) is += lab.distributes(side, port) ? '1' : '0';
    }
    return is == wanted;
  }
  static double seconds(lacp::Duration time) { return std::chrono::duration<double>(time).count(); }
};

TEST_F(CardAgentTest, DistributesTwoSecondsAndTwoPeriodsAfterLinkUpAtTheLatest) {
  for (const char* rate : {"fast", "slow"}) {
    for (const char* control : {"independent", "coupled"}) {
      RegionText text;
      text.lacp = std::string("{mode: active, rate: ") + rate + ", control: " + control + "}";
      AgentLab lab(text);
      lab.startBoth();
      lab.runFor(5s);
      for (const unsigned port : {0U, 1U, 6U, 7U}) lab.setLink(port, true);
      const auto took = lab.runUntil([&] { return all(lab, "1111"); }, 4s);
      ASSERT_TRUE(took) << rate << " " << control;
      EXPECT_GE(*took, 2s) << "Aggregate_Wait";
      std::printf("%s, %s control: Distributing after %.3f s\n", rate, control, seconds(*took));
    }
  }
}

TEST_F(CardAgentTest, NoCustomerFrameLeavesBeforeDistributing) {
  AgentLab lab;
  lab.startBoth();
  for (const unsigned port : {0U, 1U, 6U, 7U}) lab.setLink(port, true);
  unsigned flow = 0;
  lab.every_ms = [&] {
    for (const std::size_t side : {0U, 1U}) lab.fromBackbone(side, flow++);
  };
  std::uint64_t early = 0;
  const auto came_up = [&] {
    const bool distributing = lab.distributes(0, 0) || lab.distributes(0, 1);
    if (!distributing) early = lab.given(0, 0) + lab.given(0, 1);
    return distributing;
  };
  ASSERT_TRUE(lab.runUntil(came_up, 10s));
  EXPECT_EQ(early, 0U);
  lab.runFor(100ms);
  EXPECT_GT(lab.given(0, 0) + lab.given(0, 1), 50U);
}

TEST_F(CardAgentTest, BothPassiveNeverComeUp) {
  RegionText text;
  text.lacp = "{mode: passive, rate: fast}";
  AgentLab lab(text);
  lab.startBoth();
  for (const unsigned port : {0U, 1U}) lab.setLink(port, true);
  EXPECT_FALSE(lab.runUntil([&] { return !all(lab, "0000"); }, 200s));
  EXPECT_TRUE(lab.pdus(0, 0).empty());
}

TEST_F(CardAgentTest, ASilentMemberIsOutAfterThreeSeconds) {
  for (const unsigned port : {0U, 1U}) {
    AgentLab lab;
    up(lab);
    lab.runFor(1234ms);
    lab.lose(0, port, true);
    const AgentLab::Us last = [&] {  // that arrived
      return lab.pdus(0, port).back();
    }();
    ASSERT_TRUE(lab.runUntil([&] { return !lab.distributes(1, port); }, 10s));
    const auto silent = std::chrono::microseconds(lab.us() - last);
    EXPECT_GE(silent, 3s);
    EXPECT_LE(silent, 3200ms);
    std::printf("silent member: out %.3f s after its last PDU\n", seconds(silent));
    lab.runFor(200ms);
    EXPECT_FALSE(lab.distributes(0, port)) << "who is not heard knows it";
    EXPECT_TRUE(lab.distributes(0, 1 - port) && lab.distributes(1, 1 - port)) << "the other member goes on";
    lab.lose(0, port, false);
    EXPECT_TRUE(lab.runUntil([&] { return all(lab, "1111"); }, 10s)) << "it comes back";
  }
}

TEST_F(CardAgentTest, FramesOfADeadMemberGoByTheOther) {
  AgentLab lab;
  up(lab);
  for (unsigned flow = 0; flow < 1000; ++flow) lab.fromBackbone(0, flow);
  const std::uint64_t on_first = lab.given(0, 0), on_second = lab.given(0, 1);
  EXPECT_EQ(on_first + on_second, 1000U);
  EXPECT_GT(on_first, 400U);
  EXPECT_GT(on_second, 400U);
  EXPECT_EQ(lab.arrived(1), 1000U);
  lab.setLink(1, false);  // before anybody's program knows
  for (unsigned flow = 0; flow < 1000; ++flow) lab.fromBackbone(0, flow);
  EXPECT_EQ(lab.given(0, 0), on_first + 1000);
  EXPECT_EQ(lab.arrived(1), 2000U);
}

TEST_F(CardAgentTest, MinLinksTakesTheLastMembersOutAndBringsThemBack) {
  RegionText text;
  text.lacp = "{mode: active, rate: fast, min_links: 2}";
  AgentLab lab(text);
  up(lab);
  lab.setLink(0, false);
  EXPECT_TRUE(lab.runUntil([&] { return all(lab, "0000"); }, 1s));
  EXPECT_EQ(lab.port(0, 1).reason, lacp::Reason::below_min_links);
  lab.setLink(0, true);
  EXPECT_TRUE(lab.runUntil([&] { return all(lab, "1111"); }, 10s));
}

TEST_F(CardAgentTest, ALinkThatIsBackBeforeAnybodyLooksBeginsAnew) {
  AgentLab lab;
  up(lab);
  lab.setLink(1, false);
  lab.setLink(1, true);
  for (unsigned flow = 0; flow < 100; ++flow) lab.fromBackbone(0, flow);
  EXPECT_EQ(lab.given(0, 1), 0U) << "the card holds it";
  EXPECT_EQ(lab.arrived(1), 100U);
  lab.runFor(10ms);
  EXPECT_TRUE(all(lab, "1010"));
  EXPECT_TRUE(lab.runUntil([&] { return all(lab, "1111"); }, 10s));
}

TEST_F(CardAgentTest, ALinkThatFallsWhileItsFallIsLookedAtBeginsAnewOnceMore) {
  AgentLab lab;
  up(lab);
  lab.runFor(2500ms);  // no longer three PDUs in the last second
  // The agent has seen the first fall and says so to its partner, before it releases the port.
  unsigned falls = 0;
  lab.on_pdu = [&](std::size_t side, unsigned port) {
    if (side != 0 || port != 1 || falls++ != 0) return;
    lab.card(0).setPortUp(1, false);
    lab.card(0).setPortUp(1, true);
  };
  lab.card(0).setPortUp(1, false);
  lab.card(0).setPortUp(1, true);
  lab.runFor(60ms);
  EXPECT_GT(falls, 0U);
  const auto downs = std::count_if(lab.news(0).begin(), lab.news(0).end(), [](const News& one) {
    return one.kind == "lacp.link" && one.port == 1U && one.text == "down";
  });
  EXPECT_EQ(downs, 2);
  lab.on_pdu = nullptr;
  EXPECT_TRUE(lab.runUntil([&] { return all(lab, "1111"); }, 10s));
}

TEST_F(CardAgentTest, ALockedPortIsOutOfItsLag) {
  AgentLab lab;
  up(lab);
  lab.driverOf(0).enablePort(1, false);
  EXPECT_TRUE(lab.runUntil([&] { return !lab.distributes(0, 1); }, 1s));
  lab.driverOf(0).enablePort(1, true);
  EXPECT_TRUE(lab.runUntil([&] { return all(lab, "1111"); }, 10s));
}

class AgentRestart : public CardAgentTest, public testing::WithParamInterface<std::tuple<int, const char*>> {};

/// Whoever looks at the partner sees nothing: no member leaves Distributing, no frame is lost, in both directions.
TEST_P(AgentRestart, NobodyNotices) {
  const auto [away_ms, rate] = GetParam();
  RegionText text;
  text.lacp = std::string("{mode: active, rate: ") + rate + "}";
  AgentLab lab(text);
  up(lab);
  lab.runFor(40s);
  unsigned sent = 0;
  lab.every_ms = [&] {
    for (const std::size_t side : {0U, 1U}) lab.fromBackbone(side, sent);
    ++sent;
  };
  const std::uint64_t before[] = {lab.arrived(0), lab.arrived(1)};
  const std::size_t news = lab.news(1).size();
  lab.restart(0, std::chrono::milliseconds(away_ms));
  lab.runFor(100s);
  EXPECT_TRUE(all(lab, "1111"));
  for (const std::size_t side : {0U, 1U}) EXPECT_EQ(lab.arrived(side) - before[side], sent) << "frames lost";
  for (std::size_t i = news; i < lab.news(1).size(); ++i)
    ADD_FAILURE() << "the partner noticed: " << lab.news(1)[i].text;
}

INSTANTIATE_TEST_SUITE_P(Away, AgentRestart,
                         testing::Combine(testing::Values(1, 500, 1900, 2999, 10'000, 45'000),
                                          testing::Values("fast", "slow")),
                         [](const auto& info) {
                           return std::string(std::get<1>(info.param)) + "_away_" +
                                  std::to_string(std::get<0>(info.param)) + "ms";
                         });

TEST_F(CardAgentTest, ALinkThatFallsWhileTheHostIsAwayStaysOutUntilLacpSaysSo) {
  AgentLab lab;
  up(lab);
  const LagSnapshots saved = lab.kill(0);
  lab.runFor(500ms);
  lab.setLink(1, false);
  lab.runFor(10ms);
  lab.setLink(1, true);
  lab.runFor(1s);
  const std::uint64_t on_second = lab.given(0, 1);
  for (unsigned flow = 0; flow < 100; ++flow) lab.fromBackbone(0, flow);
  EXPECT_EQ(lab.given(0, 1), on_second) << "nobody is there to say that it is in sync";
  lab.start(0, saved);
  EXPECT_FALSE(lab.distributes(0, 1));
  EXPECT_TRUE(lab.distributes(0, 0));
  EXPECT_TRUE(lab.runUntil([&] { return all(lab, "1111"); }, 10s));
}

TEST_F(CardAgentTest, ADaemonThatNeverComesBackIsFoundOut) {
  AgentLab lab;
  up(lab);
  lab.kill(0);
  const auto out = lab.runUntil([&] { return !lab.distributes(1, 0) && !lab.distributes(1, 1); }, 120s);
  ASSERT_TRUE(out) << "the card does not speak for a dead host for ever";
  EXPECT_GT(*out, 60s);
}

TEST_F(CardAgentTest, ACardThatWasResetMeanwhileIsNotTakenForTheOldOne) {
  AgentLab lab;
  up(lab);
  const LagSnapshots saved = lab.kill(0);
  lab.start(0);  // somebody else had it, and nothing to go on with
  lab.runFor(100ms);
  EXPECT_FALSE(lab.distributes(0, 0));
  lab.kill(0);
  lab.start(0, saved);
  EXPECT_FALSE(lab.distributes(0, 0)) << "the saved state says Distributing, the card does not";
  EXPECT_TRUE(lab.runUntil([&] { return all(lab, "1111"); }, 20s));
}

TEST_F(CardAgentTest, TheSameRegionAgainChangesNothing) {
  AgentLab lab;
  up(lab);
  const std::size_t news = lab.news(0).size();
  const Changes change = lab.agent(0).apply(regionOf(RegionText{}()), lab.now());
  EXPECT_TRUE(change.steps.empty());
  EXPECT_FALSE(change.hash);
  ASSERT_EQ(lab.news(0).size(), news + 1);
  EXPECT_EQ(lab.news(0).back().kind, "config.applied");
  EXPECT_NE(lab.news(0).back().text.find(": 0 entries changed"), std::string::npos) << lab.news(0).back().text;
  lab.runFor(10s);
  EXPECT_TRUE(all(lab, "1111"));
}

TEST_F(CardAgentTest, AnotherRateDoesNotFlap) {
  AgentLab lab;
  up(lab);
  RegionText slow;
  slow.lacp = "{mode: active, rate: slow, min_links: 1}";
  EXPECT_TRUE(lab.agent(0).apply(regionOf(slow()), lab.now()).steps.empty());
  for (int i = 0; i < 100; ++i) {
    lab.runFor(1s);
    ASSERT_TRUE(all(lab, "1111")) << i;
  }
}

TEST_F(CardAgentTest, APortThatLeavesItsLagServesAsAPortOfItsOwnAtOnce) {
  AgentLab lab;
  up(lab);
  RegionText one;
  one.ports = "[1]";
  lab.agent(0).apply(regionOf(one()), lab.now());
  EXPECT_TRUE(lab.member(0, 1).collecting) << "no LACP, so nothing to wait for";
  lab.runFor(5s);
  EXPECT_FALSE(lab.distributes(1, 0)) << "the partner was told";
  EXPECT_FALSE(lab.member(0, 0).collecting);
}

TEST_F(CardAgentTest, ARegionThatTheCardCannotServeChangesNothing) {
  AgentLab lab;
  up(lab);
  Region wrong = regionOf(RegionText{}());
  for (Site& site : wrong.sites) site.ports.push_back(site.ports.front());
  wrong.sites[0].ports.back().id = PortId{12};
  EXPECT_THROW(lab.agent(0).apply(wrong, lab.now()), ConfigError);
  EXPECT_EQ(lab.agent(0).region().sites[0].ports.size(), 6U);
  lab.runFor(5s);
  EXPECT_TRUE(all(lab, "1111"));
}

/// A million frames a second of an attacker that knows LACP's address, for ten seconds of card time.
TEST_F(CardAgentTest, AMillionGarbagePdusASecondOnOnePortDisturbNoOtherLag) {
  RegionText text;
  text.more_lags = "[{ports: [2]}]";
  AgentLab lab(text);
  up(lab);
  lab.setLink(2, true);
  lab.lose(1, 2, true);
  lab.runFor(3500ms);
  std::mt19937 random(1);
  std::vector<std::vector<std::uint8_t>> garbage(64, std::vector<std::uint8_t>(124));
  for (std::size_t i = 0; i < garbage.size(); ++i) {
    for (std::uint8_t& byte : garbage[i]) byte = static_cast<std::uint8_t>(random());
    const std::uint8_t head[] = {0x01, 0x80, 0xC2, 0, 0, 2, 2, 0, 0, 0, 0, 9, 0x88, 0x09, 1, 1, 1, 20};
    std::copy(std::begin(head), std::end(head), garbage[i].begin());
    if (i % 2 == 0) garbage[i][34] = 2, garbage[i][35] = 20, garbage[i][54] = 3, garbage[i][55] = 16;  // well-formed
  }
  std::size_t number = 0;
  lab.every_ms = [&] {
    for (int i = 0; i < 1000; ++i) lab.card(0).receive(2, garbage[number++ % garbage.size()]);
  };
  const std::size_t first[] = {lab.pdus(0, 0).size(), lab.pdus(0, 1).size()};
  const std::size_t news = lab.news(1).size();
  lab.runFor(10s);
  const auto of_this_lag = [](const News& one) { return one.lag == 0U; };
  EXPECT_EQ(number, 10'000'000U);
  EXPECT_TRUE(all(lab, "1111"));
  EXPECT_EQ(std::count_if(lab.news(1).begin() + static_cast<std::ptrdiff_t>(news), lab.news(1).end(), of_this_lag), 0)
      << "the other LAG's partner noticed";
  for (const unsigned port : {0U, 1U}) {
    const auto& times = lab.pdus(0, port);
    ASSERT_GE(times.size(), first[port] + 9);
    for (std::size_t i = first[port]; i < times.size(); ++i)
      EXPECT_NEAR(static_cast<double>(times[i] - times[i - 1]), 1e6, 1e5) << "port " << port;
  }
  const lacp::Counters& counters = lab.port(0, 2).counters;
  std::printf("of 10 M frames the card gave %llu to LACP\n",
              static_cast<unsigned long long>(counters.malformed + counters.lacpdus_received));
  EXPECT_LE(counters.malformed + counters.lacpdus_received, 1100U) << "policed in the card";
}

}  // namespace
}  // namespace poplink::host
