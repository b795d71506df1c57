// SPDX-License-Identifier: Apache-2.0
// What the driver asks of the card for a LAG whose host is away: repeated PDUs, held ports, and the events of links.
#include "poplink/driver/pdu_repeat.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <functional>
#include <limits>

#include "poplink/driver/card.h"
#include "poplink/driver/link_events.h"
#include "verilated_transport.h"

namespace poplink::driver {
namespace {

using namespace std::chrono_literals;
using Frame = std::vector<std::uint8_t>;

class LagOverModel : public ::testing::Test {
 protected:
  LagOverModel() {
    auto transport = std::make_unique<VerilatedTransport>();
    transport_ = transport.get();
    card = std::make_unique<Card>(std::move(transport));
    model().on_sent = [this](sim::SentFrame&& frame) { sent.push_back(std::move(frame)); };
  }
  sim::CardModel& model() { return transport_->model; }
  /// Card time goes on, and the card comes to rest.
  void at(std::uint64_t us) {
    model().setNow(us);
    model().step();
    ASSERT_TRUE(model().drain(10'000));
  }
  void setLink(unsigned port, bool up) {
    model().setPortUp(port, up);
    model().run(4);
  }
  std::string refusal(const std::function<void()>& action) {
    const std::uint64_t writes = transport_->writes;
    std::string why;
    try {
      action();
    } catch (const DriverError& error) {
      why = error.what();
    }
    EXPECT_EQ(transport_->writes, writes) << "nothing is written";
    return why;
  }
  static Frame pdu(std::size_t bytes = 124) {
    Frame frame(bytes);
    for (std::size_t i = 0; i < bytes; ++i) frame[i] = static_cast<std::uint8_t>(200 - i);
    return frame;
  }

  VerilatedTransport* transport_;
  std::unique_ptr<Card> card;
  std::vector<sim::SentFrame> sent;
};

TEST_F(LagOverModel, frame_is_repeated_until_the_driver_or_its_lifetime_says_stop) {
  Transport& transport = card->transport();
  EXPECT_TRUE(card->repeatsPdus());
  EXPECT_EQ(repetition(transport, 5), RepetitionState{});
  for (std::size_t bytes : {60U, 61U, 62U, 63U, 124U, 128U}) {
    at(0);
    repeatFrame(transport, 5, pdu(bytes), {1500ms, 1s, 4s});
    EXPECT_TRUE(repetition(transport, 5).armed);
    const std::uint32_t before = repetition(transport, 5).sent;
    at(1'499'999);
    EXPECT_TRUE(sent.empty());
    at(1'500'000);
    at(2'500'000);
    ASSERT_EQ(sent.size(), 2U);
    for (const sim::SentFrame& one : sent) {
      EXPECT_EQ(one.port, 5U);
      EXPECT_EQ(one.bytes, pdu(bytes));
    }
    sent.clear();
    refreshRepetition(transport, 5);
    at(3'999'999);
    EXPECT_TRUE(sent.empty());
    at(4'000'000);
    EXPECT_EQ(repetition(transport, 5), (RepetitionState{true, before + 3}));
    sent.clear();
    stopRepeating(transport, 5);
    EXPECT_FALSE(repetition(transport, 5).armed);
    refreshRepetition(transport, 5);
    EXPECT_FALSE(repetition(transport, 5).armed);
  }
  at(0);
  repeatFrame(transport, 5, pdu(), {1s, 1s, 2s});
  at(2'000'001);
  EXPECT_FALSE(repetition(transport, 5).armed);
  EXPECT_TRUE(sent.empty());
}

TEST_F(LagOverModel, arming_is_one_exchange_and_a_refresh_one_write) {
  const std::uint64_t reads = transport_->reads;
  std::uint64_t writes = transport_->writes;
  repeatFrame(card->transport(), 1, pdu(), {1s, 1s, 1s});
  EXPECT_EQ(transport_->writes - writes, 124U / 4 + 5);
  writes = transport_->writes;
  refreshRepetition(card->transport(), 1);
  EXPECT_EQ(transport_->writes - writes, 1U);
  EXPECT_EQ(transport_->reads, reads);
}

TEST_F(LagOverModel, what_cannot_be_repeated_is_refused_in_words) {
  Transport& transport = card->transport();
  const Repetition good = {1s, 1s, 1s};
  repeatFrame(transport, 1, pdu(), good);
  EXPECT_EQ(refusal([&] { repeatFrame(transport, 1, pdu(59), good); }), "a repeated frame has 60 to 128 bytes, not 59");
  EXPECT_EQ(refusal([&] { repeatFrame(transport, 1, pdu(129), good); }),
            "a repeated frame has 60 to 128 bytes, not 129");
  EXPECT_EQ(refusal([&] { repeatFrame(transport, 1, pdu(), {-1us, 1s, 1s}); }),
            "a repetition's wait is 0 to 4294967295 us, not -1");
  EXPECT_EQ(refusal([&] { repeatFrame(transport, 1, pdu(), {1s, 0us, 1s}); }),
            "a repetition's interval is 1 to 4294967295 us, not 0");
  EXPECT_EQ(refusal([&] { repeatFrame(transport, 1, pdu(), {1s, 1s, 4'294'967'296us}); }),
            "a repetition's lifetime is 0 to 4294967295 us, not 4294967296");
  const std::function<void()> of_no_port[] = {
      [&] { repeatFrame(transport, 16, pdu(), good); }, [&] { refreshRepetition(transport, 16); },
      [&] { stopRepeating(transport, 16); }, [&] { repetition(transport, 16); }};
  for (const auto& action : of_no_port) EXPECT_EQ(refusal(action), "a card has no port 16");
  EXPECT_TRUE(repetition(transport, 1).armed) << "what was there goes on";
  repeatFrame(transport, 2, pdu(), {0us, 4'294'967'295us, 4'294'967'295us});
  EXPECT_TRUE(repetition(transport, 2).armed);
}

TEST_F(LagOverModel, rings_that_are_disabled_leave_it_alone_and_the_links_fall_ends_it) {
  Transport& transport = card->transport();
  repeatFrame(transport, 3, pdu(), {1s, 1s, 60s});
  for (unsigned ring = 0; ring < 8; ++ring) model().writeRegister(card_map::reg::kRingControl + 4 * ring, 0);
  at(1'000'000);
  EXPECT_EQ(repetition(transport, 3), (RepetitionState{true, 1}));
  setLink(3, false);
  EXPECT_EQ(repetition(transport, 3), (RepetitionState{false, 1}));
  repeatFrame(transport, 3, pdu(), {1s, 1s, 60s});
  EXPECT_FALSE(repetition(transport, 3).armed) << "no link";
}

TEST_F(LagOverModel, port_is_held_from_its_links_fall_until_it_is_released) {
  EXPECT_FALSE(card->port(2).hold || card->port(2).held);
  card->holdPort(2, true);
  EXPECT_TRUE(card->port(2).hold);
  EXPECT_FALSE(card->port(2).held);
  setLink(2, false);
  card->releasePort(2);
  setLink(2, true);
  EXPECT_TRUE(card->port(2).held) << "a release without link";
  card->enablePort(2, true);
  EXPECT_TRUE(card->port(2).hold && card->port(2).held) << "another matter";
  card->releasePort(2);
  EXPECT_TRUE(card->port(2).up && card->port(2).hold);
  EXPECT_FALSE(card->port(2).held);
  setLink(2, false);
  setLink(2, true);
  EXPECT_TRUE(card->port(2).held);
  card->holdPort(2, false);
  EXPECT_FALSE(card->port(2).hold || card->port(2).held);
  for (unsigned port = 0; port < card->ports(); ++port) EXPECT_FALSE(card->port(port).hold) << port;
  EXPECT_NE(refusal([&] { card->holdPort(8, true); }).find("has no port 8"), std::string::npos);
  EXPECT_NE(refusal([&] { card->releasePort(8); }).find("has no port 8"), std::string::npos);
}

/// A card of register map 2.4.
class OlderCard : public VerilatedTransport {
 public:
  std::vector<std::uint32_t> run(std::span<const Access> accesses) override {
    std::vector<std::uint32_t> values = VerilatedTransport::run(accesses);
    std::size_t read = 0;
    for (const Access& access : accesses) {
      EXPECT_FALSE(access.address >= card_map::reg::kPortHold && access.address < card_map::reg::kPortStatus);
      if (access.kind != Access::Kind::read) continue;
      if (access.address == card_map::reg::kVersion) values[read] = card_map::kVersionMajor << 16 | 4;
      ++read;
    }
    return values;
  }
};

TEST(CardOfAnOlderMap, holds_nothing_and_says_so) {
  Card card(std::make_unique<OlderCard>());
  EXPECT_FALSE(card.repeatsPdus());
  EXPECT_FALSE(card.port(1).hold || card.port(1).held);
  for (const std::function<void()>& action :
       {std::function<void()>([&] { card.holdPort(1, true); }), std::function<void()>([&] { card.releasePort(1); })}) {
    try {
      action();
      ADD_FAILURE();
    } catch (const DriverError& error) {
      EXPECT_STREQ(error.what(), "the card at the model cannot hold a port");
    }
  }
}

TEST_F(LagOverModel, every_change_of_a_link_is_told_once_also_when_it_has_changed_back) {
  Transport& transport = card->transport();
  const auto fired = [&] {
    pollfd vector{transport.vectors()[kEventVector], POLLIN, 0};
    if (::poll(&vector, 1, 0) != 1) return false;
    std::uint64_t count = 0;
    return ::read(vector.fd, &count, sizeof count) == sizeof count;
  };
  takeLinkEvents(transport);
  EXPECT_FALSE(fired());
  setLink(6, false);
  setLink(6, true);
  setLink(1, false);
  model().run(16);
  EXPECT_TRUE(fired());
  EXPECT_EQ(takeLinkEvents(transport), std::bitset<16>(1U << 6 | 1U << 1));
  EXPECT_EQ(takeLinkEvents(transport), std::bitset<16>());
  EXPECT_FALSE(fired());
  setLink(1, true);
  model().run(16);
  EXPECT_TRUE(fired()) << "armed again";
  setLink(2, false);
  model().run(16);
  EXPECT_FALSE(fired()) << "once for every answer";
  EXPECT_EQ(takeLinkEvents(transport), std::bitset<16>(1U << 1 | 1U << 2));
}

TEST_F(LagOverModel, ring_that_stopped_does_not_fire_for_ever) {
  Transport& transport = card->transport();
  model().writeRegister(card_map::reg::kRingControl, card_map::field::kRingControlEnable.with(1));
  model().writeRegister(card_map::reg::kRingTail, 1000);  // more than it has
  model().receive(0, [] {
    Frame frame = pdu();
    const std::uint8_t head[] = {1, 0x80, 0xC2, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 9, 1};
    std::copy(std::begin(head), std::end(head), frame.begin());
    return frame;
  }());
  takeLinkEvents(transport);
  ASSERT_TRUE(model().drain(10'000));
  const std::uint64_t before = transport_->interrupts;
  EXPECT_EQ(before, 1U);
  EXPECT_EQ(takeLinkEvents(transport), std::bitset<16>());
  model().run(100);
  EXPECT_EQ(transport_->interrupts, before);
}

}  // namespace
}  // namespace poplink::driver
