// SPDX-License-Identifier: Apache-2.0
// The driver over the model of a card.
#include "model_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "forward_model.h"
#include "host_frames.h"
#include "poplink/driver/card.h"
#include "poplink/driver/pdu_repeat.h"
#include "poplink/driver/rings.h"

namespace poplink::sim {
namespace {

using driver::Access;
using driver::Card;
using driver::DriverError;
using driver::HostClass;
using driver::HostFrame;
using driver::RxRing;
using driver::TxRing;
using tests::Frame;
using tests::numberOf;
using tests::routingFrame;
using tests::slowFrame;
namespace reg = card_map::reg;
namespace field = card_map::field;

struct Sent {
  unsigned port;
  Frame bytes;
  friend bool operator==(const Sent&, const Sent&) = default;
};

class ModelTransport : public ::testing::Test {
 protected:
  ModelTransport() {
    model.on_sent = [this](unsigned port, std::span<const std::uint8_t> frame) {
      sent.push_back({port, {frame.begin(), frame.end()}});
    };
  }
  std::unique_ptr<driver::Transport> open() { return openModelCard(model, "a", "the test"); }
  static bool fired(int event) {
    pollfd one{event, POLLIN, 0};
    std::uint64_t count = 0;
    return ::poll(&one, 1, 0) == 1 && ::read(event, &count, sizeof count) == sizeof count;
  }
  static std::uint32_t read(driver::Transport& transport, std::uint32_t address) {
    const Access access[] = {Access::read(address)};
    return transport.run(access).at(0);
  }
  static void write(driver::Transport& transport, std::uint32_t address, std::uint32_t value) {
    const Access access[] = {Access::write(address, value)};
    transport.run(access);
  }

  std::uint64_t now = 1000;
  ModelCard model{[this] { return now; }, 0x1234'5678'9ABC};
  std::vector<Sent> sent;
};

TEST_F(ModelTransport, card_has_one_owner_and_is_free_when_that_is_gone) {
  auto first = open();
  try {
    openModelCard(model, "a", "another");
    FAIL() << "two owners";
  } catch (const DriverError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("held by the test"));
  }
  write(*first, reg::kRingControl, field::kRingControlEnable.with(1) | field::kRingControlLogEntries.with(4));
  first.reset();
  const auto second = open();
  EXPECT_EQ(read(*second, reg::kRingControl), 0U) << "rings go with their owner";
  EXPECT_EQ(read(*second, reg::kRingStatus), 0U);
}

TEST_F(ModelTransport, refused_access_ends_a_batch) {
  const auto transport = open();
  const Access accesses[] = {Access::write(reg::kScratch, 1), Access::write(reg::kMagic, 2),
                             Access::write(reg::kScratch, 3)};
  EXPECT_THROW(transport->run(accesses), DriverError);
  EXPECT_EQ(read(*transport, reg::kScratch), 1U);
  EXPECT_THROW(read(*transport, 0x9000), DriverError);
  EXPECT_THROW(read(*transport, reg::kScratch + 2), DriverError);
}

TEST_F(ModelTransport, driver_takes_it_for_a_card) {
  Card card(open());
  card.writeEntry("service", 7, {{"valid", 1}, {"s_vid", 1007}, {"mtu", 9000}});
  EXPECT_EQ(card.readEntry("service", 7).at("s_vid"), 1007U);
  EXPECT_EQ(card.used("service"), 1U);
}

TEST_F(ModelTransport, frames_go_to_the_host_and_back) {
  const auto transport = open();
  RxRing rx(*transport, HostClass::slow_protocols);
  TxRing tx(*transport, HostClass::slow_protocols);
  for (std::uint32_t i = 0; i < 1000; ++i) {
    now += 10'000;
    model.receive(i % 8, slowFrame(60 + i, i));
    ASSERT_EQ(rx.poll([&](const HostFrame& frame) {
      EXPECT_EQ(frame.us, now);
      EXPECT_EQ(frame.lost, 0U);
      tx.toPort(frame.port, frame.bytes);
    }),
              1U);
    tx.flush();
    ASSERT_EQ(tx.reap(), 0U);
    ASSERT_EQ(sent.size(), 1U);
    ASSERT_EQ(sent[0], (Sent{i % 8, slowFrame(60 + i, i)}));
    sent.clear();
  }
}

TEST_F(ModelTransport, card_touches_only_memory_that_it_was_given) {
  const auto transport = open();
  auto memory = transport->allocate(5000);
  EXPECT_EQ(memory->bytes().size() % 4096, 0U);
  EXPECT_GE(memory->bytes().size(), 5000U);
  EXPECT_TRUE(std::all_of(memory->bytes().begin(), memory->bytes().end(), [](auto byte) { return byte == 0; }));
  const auto other = transport->allocate(1);
  EXPECT_GT(other->busAddress(), memory->busAddress() + memory->bytes().size()) << "no gap";
  // A TX ring of 4 in the first pages; its frames in the last line, behind that, and over it.
  const std::uint64_t base = memory->busAddress(), end = base + memory->bytes().size();
  const auto describe = [&](unsigned index, std::uint64_t address, unsigned bytes) {
    std::uint8_t* at = &memory->bytes()[16 * index];
    for (unsigned i = 0; i < 8; ++i) at[i] = static_cast<std::uint8_t>(address >> (8 * i));
    at[8] = static_cast<std::uint8_t>(bytes);
    at[10] = 1;
  };
  describe(0, end - 64, 64);
  describe(1, end, 64);
  describe(2, end - 64, 65);
  const std::uint32_t tx = 4 * 4;
  write(*transport, reg::kRingDescriptorsLow + tx, static_cast<std::uint32_t>(base));
  write(*transport, reg::kRingDescriptorsHigh + tx, static_cast<std::uint32_t>(base >> 32));
  write(*transport, reg::kRingCompletionsLow + tx, static_cast<std::uint32_t>(base + 1024));
  write(*transport, reg::kRingCompletionsHigh + tx, static_cast<std::uint32_t>(base >> 32));
  write(*transport, reg::kRingControl + tx, field::kRingControlEnable.with(1) | field::kRingControlLogEntries.with(2));
  write(*transport, reg::kRingTail + tx, 3);
  EXPECT_EQ(memory->bytes()[1024 + 31], 1);  // phase
  EXPECT_EQ(memory->bytes()[1024 + 32 + 31], 1 | 4);
  EXPECT_EQ(memory->bytes()[1024 + 64 + 31], 1 | 4);
  EXPECT_EQ(sent.size(), 1U);
  // Without it the ring stops.
  memory.reset();
  write(*transport, reg::kRingTail + tx, 4);
  EXPECT_EQ(field::kRingStatusError.of(read(*transport, reg::kRingStatus + tx)), 2U);
}

TEST_F(ModelTransport, interrupts_come_by_number_and_by_age) {
  const auto transport = open();
  ASSERT_EQ(transport->capabilities().vectors, 9U);
  RxRing rx(*transport, HostClass::slow_protocols, {.interrupt_frames = 3, .interrupt_us = 500});
  const int event = rx.eventDescriptor();
  rx.arm();
  EXPECT_FALSE(model.nextPoll());
  model.receive(0, slowFrame(100, 1));
  EXPECT_FALSE(fired(event));
  EXPECT_EQ(model.nextPoll(), now + 500);
  now += 499;
  model.poll();
  EXPECT_FALSE(fired(event));
  now += 1;
  model.poll();
  EXPECT_TRUE(fired(event));
  EXPECT_FALSE(model.nextPoll());
  rx.poll([](const HostFrame&) {});
  rx.arm();
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_FALSE(fired(event));
    model.receive(0, slowFrame(100, i));
  }
  EXPECT_TRUE(fired(event));
}

TEST_F(ModelTransport, link_change_fires_the_event_vector) {
  const auto transport = open();
  const int event = transport->vectors()[8];
  write(*transport, reg::kEventClear, field::kEventClearArm.with(1));
  model.setPortUp(3, true);  // as it is
  EXPECT_FALSE(fired(event));
  model.setPortUp(3, false);
  EXPECT_TRUE(fired(event));
  EXPECT_EQ(field::kPortStatusUp.of(read(*transport, reg::kPortStatus + 12)), 0U);
  EXPECT_EQ(field::kEventStatusLinks.of(read(*transport, reg::kEventStatus)), 1U << 3);
}

TEST_F(ModelTransport, module_pulled_is_an_event_and_has_no_memory) {
  const auto transport = open();
  model.setSpeed(2, 1'000);
  const std::uint32_t status = read(*transport, reg::kPortStatus + 8);
  EXPECT_EQ(field::kPortStatusModule.of(status), 1U);
  EXPECT_EQ(field::kPortStatusSpeed.of(status), 1'000U);
  EXPECT_EQ(read(*transport, card_map::window::kModuleMemory + 2 * 512) & 0xFF, 3U) << "an SFP";
  model.setModule(2, std::nullopt);
  EXPECT_EQ(field::kEventStatusLinks.of(read(*transport, reg::kEventStatus)), 1U << 2);
  EXPECT_THROW(read(*transport, card_map::window::kModuleMemory + 2 * 512), DriverError);
}

TEST_F(ModelTransport, reset_ends_rings_and_nothing_else) {
  const auto transport = open();
  write(*transport, reg::kHashSeed, 77);
  model.receive(2, slowFrame(100, 1));
  write(*transport, reg::kRingControl + 4, field::kRingControlEnable.with(1));
  EXPECT_EQ(field::kRingStatusRunning.of(read(*transport, reg::kRingStatus + 4)), 1U);
  transport->reset();
  EXPECT_EQ(field::kRingStatusRunning.of(read(*transport, reg::kRingStatus + 4)), 0U);
  EXPECT_EQ(read(*transport, reg::kHashSeed), 77U);
  EXPECT_EQ(read(*transport, card_map::window::kPortCounters + 2 * 32), 1U);
}

TEST_F(ModelTransport, pdu_is_repeated_by_who_polls_when_it_says) {
  using namespace std::chrono_literals;
  const auto transport = open();
  const Frame pdu = slowFrame(124, 5);
  EXPECT_FALSE(model.nextPoll());
  driver::repeatFrame(*transport, 3, pdu, {1500us, 1000us, 3000us});
  transport->reset();
  std::vector<std::uint64_t> polls;
  for (const std::uint64_t start = now; const auto due = model.nextPoll();) {
    now = *due - 1;
    model.poll();
    EXPECT_EQ(model.nextPoll(), due) << "not before its time";
    now = *due;
    model.poll();
    polls.push_back(now - start);
    ASSERT_LT(polls.size(), 9U);
  }
  EXPECT_EQ(polls, (std::vector<std::uint64_t>{1500, 2500, 3001}));
  EXPECT_EQ(sent, (std::vector<Sent>{{3, pdu}, {3, pdu}}));
  EXPECT_EQ(driver::repetition(*transport, 3), (driver::RepetitionState{false, 2}));
}

TEST_F(ModelTransport, who_hears_a_repeated_frame_may_give_another_at_once) {
  using namespace std::chrono_literals;
  const auto transport = open();
  const Frame first = slowFrame(124, 1), second = slowFrame(100, 2);
  model.on_sent = [&](unsigned port, std::span<const std::uint8_t> frame) {
    sent.push_back({port, {frame.begin(), frame.end()}});
    if (sent.size() == 1) driver::repeatFrame(*transport, 3, second, {0us, 1000us, 9000us});
  };
  driver::repeatFrame(*transport, 3, first, {10us, 10us, 9000us});
  now += 10;
  model.poll();
  EXPECT_EQ(sent, (std::vector<Sent>{{3, first}, {3, second}}));
}

TEST_F(ModelTransport, held_port_carries_customers_frames_when_it_is_released_and_not_before) {
  Card card(open());
  card.writeEntry("port", 0, {{"valid", 1}, {"collecting", 1}, {"attachment", 0}, {"s_tpid", 0x88A8}});
  card.writeEntry("attachment", 0, {{"valid", 1}, {"whole_valid", 1}, {"whole_service", 1}});
  card.writeEntry("service", 1, {{"valid", 1}, {"group", 6}, {"s_vid", 500}, {"s_tpid", 0x88A8}, {"mtu", 9000}});
  card.writeEntry("link", 6, {{"valid", 1}, {"ports", 1U << 6}});
  card.writeEntry("group", 6, {{"valid", 1}, {"links", 1U << 6}, {"log_buckets", 6}});
  for (const unsigned port : {0U, 6U}) {
    card.holdPort(port, true);
    model.setPortUp(port, false);
    card.releasePort(port);
    model.setPortUp(port, true);
    EXPECT_TRUE(card.port(port).held);
    model.receive(0, routingFrame(90, 1));
    EXPECT_TRUE(sent.empty());
    card.releasePort(port);
    EXPECT_FALSE(card.port(port).held);
    model.receive(0, routingFrame(90, 1));
    EXPECT_EQ(sent.size(), 1U);
    sent.clear();
  }
  const auto drops = card.drops(0);
  EXPECT_EQ(drops.at(static_cast<unsigned>(kernels::Drop::not_collecting)).frames, 1U);
  EXPECT_EQ(drops.at(static_cast<unsigned>(kernels::Drop::no_path)).frames, 1U);
}

TEST_F(ModelTransport, high_word_belongs_to_the_low_word_that_was_read) {
  const auto transport = open();
  const Frame frame(9216, 1);
  const std::uint32_t bytes = card_map::window::kDropCounters + 16 * static_cast<unsigned>(kernels::Drop::port_off) + 8;
  constexpr std::uint64_t kFrames = (std::uint64_t{1} << 32) / 9216;
  for (std::uint64_t i = 0; i < kFrames; ++i) model.receive(0, frame);
  EXPECT_EQ(read(*transport, bytes), kFrames * 9216);
  model.receive(0, frame);
  EXPECT_EQ(read(*transport, bytes + 4), 0U) << "what was read before";
  EXPECT_EQ(read(*transport, bytes), static_cast<std::uint32_t>((kFrames + 1) * 9216));
  EXPECT_EQ(read(*transport, bytes + 4), 1U);
  EXPECT_EQ(read(*transport, card_map::window::kMemberCounters + 4), 1U) << "there is one high word";
}

TEST_F(ModelTransport, cards_of_one_program_take_turns) {
  // A customer's frame into one card, over a cable without delay into another, out there; and an answer the other way.
  ModelCard far([this] { return now; });
  std::vector<Sent> out;
  const auto program = [](ModelCard& model_card, std::uint32_t untagged) {
    Card card(openModelCard(model_card, "card", "test"));
    card.writeEntry("port", 0, {{"valid", 1}, {"collecting", 1}, {"attachment", 0}, {"s_tpid", 0x88A8}});
    card.writeEntry("port", 6, {{"valid", 1}, {"role", 2}, {"collecting", 1}, {"attachment", 6}, {"s_tpid", 0x88A8}});
    card.writeEntry("attachment", 0, {{"valid", 1}, {"whole_valid", 1}, {"whole_service", untagged}});
    card.writeEntry("vid", 6 << 12 | 500, {{"valid", 1}, {"service", untagged}});
    card.writeEntry("service", untagged,
                    {{"valid", 1}, {"group", 6}, {"s_vid", 500}, {"s_tpid", 0x88A8}, {"mtu", 9000}});
    card.writeEntry("link", 0, {{"valid", 1}, {"ports", 1}});
    card.writeEntry("link", 6, {{"valid", 1}, {"ports", 1U << 6}});
    card.writeEntry("group", 6, {{"valid", 1}, {"links", 1U << 6}, {"log_buckets", 6}});
  };
  program(model, 10);
  program(far, 20);
  bool answered = false;
  unsigned under_way = 0;
  model.on_sent = [&](unsigned port, std::span<const std::uint8_t> frame) {
    EXPECT_EQ(++under_way, 1U) << "a frame in the middle of another";
    if (port == 6)
      far.receive(6, frame);
    else
      out.push_back({port, {frame.begin(), frame.end()}});
    --under_way;
  };
  far.on_sent = [&](unsigned port, std::span<const std::uint8_t> frame) {
    if (port == 6) return model.receive(6, frame);  // which is in the middle of the frame that is answered
    EXPECT_EQ(numberOf(frame), 1U);
    if (!std::exchange(answered, true)) far.receive(0, routingFrame(61, 2));
  };
  model.receive(0, routingFrame(60, 1));
  EXPECT_TRUE(answered);
  EXPECT_EQ(out, (std::vector<Sent>{{0, routingFrame(61, 2)}}));
}

TEST_F(ModelTransport, same_calls_do_the_same) {
  const auto run = [] {
    std::uint64_t now_us = 0;
    ModelCard card([&now_us] { return now_us; });
    std::vector<Sent> all;
    card.on_sent = [&all](unsigned port, std::span<const std::uint8_t> frame) {
      all.push_back({port, {frame.begin(), frame.end()}});
    };
    const auto transport = openModelCard(card, "a", "b");
    RxRing rx(*transport, HostClass::slow_protocols, {.entries = 8});
    TxRing tx(*transport, HostClass::routing, {.entries = 8});
    std::mt19937_64 random(5);
    for (unsigned i = 0; i < 5000; ++i) {
      now_us += random() % 300;
      card.receive(static_cast<unsigned>(random() % 8), slowFrame(60 + random() % 400, i));
      if (random() % 4 == 0)
        rx.poll([&](const HostFrame& frame) { tx.toPort(static_cast<unsigned>(frame.lost % 8), frame.bytes); });
      if (random() % 4 == 0) tx.flush();
      if (random() % 4 == 0) tx.reap();
    }
    return all;
  };
  const auto once = run();
  EXPECT_GT(once.size(), 500U);
  EXPECT_EQ(once, run());
}

TEST_F(ModelTransport, frames_that_cannot_be_are_a_mistake) {
  EXPECT_THROW(model.receive(8, slowFrame(60, 1)), std::out_of_range);
  EXPECT_THROW(model.receive(0, {}), std::invalid_argument);
}

}  // namespace
}  // namespace poplink::sim
