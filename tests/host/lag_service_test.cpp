// SPDX-License-Identifier: Apache-2.0
// All LAGs of a card at once, and what is kept of them over a restart.
#include "lag_service.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "saved_state.h"

namespace poplink::host {
namespace {

using namespace std::chrono_literals;
using lacp::TimePoint;

constexpr TimePoint kStart{1000s};
const lacp::Link kUp{true, 10000, true};

LagConfig config(unsigned link, std::vector<unsigned> ports, std::uint8_t system = 1) {
  LagConfig config;
  config.link = link;
  config.settings.system = {2, 0, 0, 0, system, 0};
  config.settings.key = static_cast<std::uint16_t>(link + 1);
  for (const unsigned port : ports)
    config.ports.push_back(
        {lacp::PortId{static_cast<std::uint16_t>(port)}, static_cast<std::uint16_t>(port + 1), 32768, true});
  return config;
}

/// Two cards whose ports of the same number are joined. Frames take no time.
class TwoCards {
 public:
  TwoCards(const std::vector<LagConfig>& a, const std::vector<LagConfig>& b) {
    services_.emplace_back(a, LagSnapshots{}, std::set<unsigned>{}, kStart);
    services_.emplace_back(b, LagSnapshots{}, std::set<unsigned>{}, kStart);
  }
  void linkUp(const std::vector<unsigned>& ports) {
    for (const unsigned port : ports) {
      for (const std::size_t side : {0U, 1U}) obey(side, services_[side].linkChanged(port, kUp, now_));
    }
    deliver();
  }
  void runFor(lacp::Duration time) {
    const TimePoint end = now_ + time;
    while (true) {
      std::optional<TimePoint> next;
      for (const LagService& one : services_) {
        const auto due = one.deadline();
        if (due && (!next || *due < *next)) next = due;
      }
      if (!next || *next > end) break;
      now_ = std::max(now_, *next);
      for (const std::size_t side : {0U, 1U}) obey(side, services_[side].run(now_));
      deliver();
    }
    now_ = end;
  }
  void obey(std::size_t side, const LagActions& actions) {
    for (const LagAction& action : actions) {
      if (const auto* frame = std::get_if<SendFrame>(&action)) {
        flights_.emplace_back(1 - side, frame->port, frame->bytes);
        last_[side][frame->port] = *frame;
      } else if (const auto* member = std::get_if<SetMember>(&action)) {
        members_[side][member->port] = *member;
        if (!member->distributing && was_[side].count(member->port) != 0) ++falls_;
        if (member->distributing) was_[side].insert(member->port);
      } else if (const auto* stop = std::get_if<StopRepeating>(&action)) {
        stopped_[side].insert(stop->port);
      } else {
        events_.push_back(std::get<LagEvent>(action));
      }
    }
  }
  void deliver() {
    while (!flights_.empty()) {
      const auto [side, port, bytes] = flights_.front();
      flights_.erase(flights_.begin());
      obey(side, services_[side].receive(port, bytes, now_));
    }
  }
  bool distributing(std::size_t side, unsigned port) { return members_[side][port].distributing; }

  std::vector<LagService> services_;
  TimePoint now_ = kStart;
  std::vector<std::tuple<std::size_t, unsigned, std::vector<std::uint8_t>>> flights_;
  std::map<unsigned, SendFrame> last_[2];
  std::map<unsigned, SetMember> members_[2];
  std::set<unsigned> was_[2], stopped_[2];
  std::vector<LagEvent> events_;
  unsigned falls_ = 0;  ///< ports that distributed, and do not any more
};

TEST(LagService, EachLagComesUpByItself) {
  TwoCards cards({config(0, {0, 1}), config(4, {4, 5})}, {config(0, {0, 1}, 2), config(4, {4, 5}, 2)});
  cards.linkUp({0, 1, 4, 5});
  cards.runFor(4s);
  for (const unsigned port : {0U, 1U, 4U, 5U}) {
    EXPECT_TRUE(cards.distributing(0, port)) << port;
    EXPECT_TRUE(cards.distributing(1, port)) << port;
  }
  EXPECT_TRUE(cards.services_[0].lags().at(0).group.operational());
  EXPECT_TRUE(cards.services_[0].lags().at(4).group.operational());
}

TEST(LagService, ACableBetweenTwoLagsIsLeftOut) {
  // Port 4 of one side is in LAG 0, of the other in LAG 4: keys and systems do not fit together.
  TwoCards cards({config(0, {0, 1, 4})}, {config(0, {0, 1}, 2), config(4, {4}, 2)});
  cards.linkUp({0, 1, 4});
  cards.runFor(10s);
  EXPECT_TRUE(cards.distributing(0, 0));
  EXPECT_TRUE(cards.distributing(0, 1));
  EXPECT_FALSE(cards.distributing(0, 4));
  EXPECT_EQ(cards.services_[0].lags().at(0).group.find(lacp::PortId{4})->reason, lacp::Reason::key_differs);
}

TEST(LagService, FramesCarryTheirPortsOwnAddress) {
  TwoCards cards({config(0, {0, 1})}, {config(0, {0, 1}, 2)});
  cards.linkUp({0, 1});
  cards.runFor(4s);
  ASSERT_EQ(cards.last_[0].at(1).bytes.size(), lacp::kFrameBytes);
  const std::vector<std::uint8_t> source(cards.last_[0].at(1).bytes.begin() + 6,
                                         cards.last_[0].at(1).bytes.begin() + 12);
  EXPECT_EQ(source, (std::vector<std::uint8_t>{2, 0, 0, 0, 1, 2}));
}

TEST(LagService, TheCardMayRepeatAtTheRateThatThePartnerWants) {
  LagConfig slow = config(0, {0}, 2);
  slow.settings.fast = false;
  TwoCards cards({config(0, {0})}, {slow});
  cards.linkUp({0});
  cards.runFor(40s);
  EXPECT_EQ(cards.last_[0].at(0).interval, lacp::kSlowPeriodicTime);
  EXPECT_EQ(cards.last_[1].at(0).interval, lacp::kFastPeriodicTime);
}

TEST(LagService, AMarkerResponseIsNothingToRepeat) {
  TwoCards cards({config(0, {0})}, {config(0, {0}, 2)});
  cards.linkUp({0});
  lacp::MarkerPdu marker;
  marker.requester_port = 9;
  cards.obey(0, cards.services_[0].receive(0, lacp::encodeFrame(marker, {2, 0, 0, 0, 0, 9}), cards.now_));
  EXPECT_FALSE(cards.last_[0].at(0).interval);
  EXPECT_TRUE(std::get<lacp::MarkerPdu>(lacp::decodeFrame(cards.last_[0].at(0).bytes)).response);
}

TEST(LagService, WhereThisSideFallsSilentTheCardDoesToo) {
  TwoCards cards({config(0, {0})}, {config(0, {0}, 2)});
  cards.linkUp({0});
  cards.runFor(4s);
  EXPECT_TRUE(cards.stopped_[0].empty());
  cards.obey(0, cards.services_[0].linkChanged(0, {}, cards.now_));
  EXPECT_EQ(cards.stopped_[0], std::set<unsigned>{0});
}

TEST(LagService, FramesAndLinksOfOtherPortsAreNobodys) {
  TwoCards cards({config(0, {0})}, {config(0, {0}, 2)});
  EXPECT_TRUE(cards.services_[0].receive(7, std::vector<std::uint8_t>(124), cards.now_).empty());
  EXPECT_TRUE(cards.services_[0].linkChanged(7, kUp, cards.now_).empty());
}

TEST(LagService, TheSameConfigurationAgainDoesNothing) {
  TwoCards cards({config(0, {0, 1})}, {config(0, {0, 1}, 2)});
  cards.linkUp({0, 1});
  cards.runFor(4s);
  EXPECT_TRUE(cards.services_[0].configure({config(0, {0, 1})}, cards.now_).empty());
}

TEST(LagService, APortThatLeavesSaysSoAndTheOthersGoOn) {
  TwoCards cards({config(0, {0, 1})}, {config(0, {0, 1}, 2)});
  cards.linkUp({0, 1});
  cards.runFor(4s);
  cards.falls_ = 0;
  cards.obey(0, cards.services_[0].configure({config(0, {0})}, cards.now_));
  cards.deliver();
  EXPECT_FALSE(cards.distributing(0, 1));
  EXPECT_FALSE(cards.distributing(1, 1)) << "the partner knows at once";
  EXPECT_TRUE(cards.distributing(0, 0));
  EXPECT_TRUE(cards.distributing(1, 0));
  EXPECT_EQ(cards.falls_, 2U);
  EXPECT_EQ(cards.stopped_[0], std::set<unsigned>{1});
  cards.runFor(300s);
  EXPECT_EQ(cards.falls_, 2U);
}

TEST(LagService, APortThatJoinsFindsItsLinkAsItWas) {
  TwoCards cards({config(0, {0})}, {config(0, {0, 1}, 2)});
  cards.linkUp({0, 1});
  cards.runFor(4s);
  cards.obey(0, cards.services_[0].configure({config(0, {0, 1})}, cards.now_));
  cards.deliver();
  cards.runFor(4s);
  EXPECT_TRUE(cards.distributing(0, 1));
}

TEST(LagService, ALagThatGoesTakesItsPortsOutOfService) {
  TwoCards cards({config(0, {0, 1}), config(4, {4})}, {config(0, {0, 1}, 2), config(4, {4}, 2)});
  cards.linkUp({0, 1, 4});
  cards.runFor(4s);
  cards.obey(0, cards.services_[0].configure({config(4, {4})}, cards.now_));
  EXPECT_FALSE(cards.distributing(0, 0));
  EXPECT_FALSE(cards.distributing(0, 1));
  EXPECT_TRUE(cards.distributing(0, 4));
  EXPECT_FALSE(cards.services_[0].hasPort(1));
}

class Restart : public testing::Test {
 protected:
  Restart() : cards_({config(0, {0, 1})}, {config(0, {0, 1}, 2)}) {
    cards_.linkUp({0, 1});
    cards_.runFor(10s);
  }
  /// What the first card's program saves and reads again.
  LagSnapshots saved() {
    std::string problem;
    auto saved = decodeState(encodeState(cards_.services_[0].snapshots()), problem);
    EXPECT_TRUE(saved) << problem;
    return saved.value_or(LagSnapshots{});
  }
  void restart(const LagSnapshots& saved, const std::set<unsigned>& intact) {
    cards_.falls_ = 0;
    cards_.services_[0] = LagService({config(0, {0, 1})}, saved, intact, cards_.now_);
    cards_.obey(0, cards_.services_[0].run(cards_.now_));
    cards_.deliver();
  }
  TwoCards cards_;
};

TEST_F(Restart, NobodyNotices) {
  restart(saved(), {0, 1});
  cards_.runFor(100s);
  EXPECT_EQ(cards_.falls_, 0U);
  EXPECT_TRUE(cards_.distributing(0, 0) && cards_.distributing(0, 1));
}

TEST_F(Restart, APortWhoseLinkHasFallenBeginsAndTheOtherGoesOn) {
  restart(saved(), {0});
  EXPECT_FALSE(cards_.distributing(0, 1));
  EXPECT_TRUE(cards_.distributing(0, 0));
  cards_.linkUp({1});
  cards_.runFor(5s);
  EXPECT_TRUE(cards_.distributing(0, 1));
  EXPECT_TRUE(cards_.distributing(0, 0));
}

TEST_F(Restart, AnotherSystemBeginsAnew) {
  LagSnapshots of_another = saved();
  for (lacp::PortSnapshot& port : of_another.at(0).ports) port.actor.system = {2, 9, 9, 9, 9, 9};
  restart(of_another, {0, 1});
  EXPECT_FALSE(cards_.distributing(0, 0));
  EXPECT_FALSE(cards_.distributing(0, 1));
}

TEST_F(Restart, WhatIsSavedComesBackWhole) {
  const LagSnapshots before = cards_.services_[0].snapshots();
  EXPECT_EQ(encodeState(saved()), encodeState(before));
  const LagSnapshots again = saved();
  const lacp::PortSnapshot& port = again.at(0).ports.at(1);
  EXPECT_EQ(port.partner, before.at(0).ports.at(1).partner);
  EXPECT_EQ(port.mux, lacp::MuxState::DISTRIBUTING);
  EXPECT_EQ(port.counters, before.at(0).ports.at(1).counters);
}

TEST_F(Restart, AStateThatIsNoneIsRefusedWhereverItIsBroken) {
  const std::string whole = encodeState(cards_.services_[0].snapshots());
  std::string problem;
  for (std::size_t length = 0; length + 2 < whole.size(); ++length)
    EXPECT_FALSE(decodeState(whole.substr(0, length), problem)) << length;
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = whole;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{{"\"version\": 1", "\"version\": 2"},
                                                                                 {"\"mux\": 4", "\"mux\": 6"},
                                                                                 {"\"mux\": 4", "\"mux\": -1"},
                                                                                 {"\"mux\": 4", "\"mux\": 4294967300"},
                                                                                 {"\"state\": ", "\"state\": 9"},
                                                                                 {"\"mbit\"", "\"bit\""},
                                                                                 {"\"up\": true", "\"up\": 1"},
                                                                                 {"\"key\": 1", "\"key\": 65537"}}) {
    problem.clear();
    EXPECT_FALSE(decodeState(with(from, to), problem)) << from << " -> " << to;
    EXPECT_NE(problem, "") << from;
  }
  EXPECT_FALSE(decodeState("{\"version\": " + std::string(500'000, '[') + std::string(500'000, ']') + "}", problem));
  EXPECT_EQ(problem, "no version");
}

TEST(StateFile, IsReplacedInOneStepAndMissingIsNoError) {
  const std::string folder = testing::TempDir() + "poplink-state-" + std::to_string(::getpid());
  const std::string path = folder + "/card.json";
  EXPECT_FALSE(readStateFile(path));
  writeStateFile(path, "one");
  writeStateFile(path, "two, longer");
  EXPECT_EQ(readStateFile(path), "two, longer");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1) << "nothing lies beside it";
  ASSERT_EQ(::unlink(path.c_str()), 0);
  ASSERT_EQ(::rmdir(folder.c_str()), 0);
}

TEST(StateFile, WhatCannotBeWrittenSaysWhere) {
  try {
    writeStateFile("/proc/no-such-place/card.json", "text");
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("/proc/no-such-place"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace poplink::host
