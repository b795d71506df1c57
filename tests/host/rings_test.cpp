// SPDX-License-Identifier: Apache-2.0
// The driver's rings over a Verilated card.
#include "poplink/driver/rings.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <cstdlib>
#include <random>

#include "host_frames.h"
#include "poplink/driver/card.h"
#include "verilated_transport.h"

namespace poplink::driver {
namespace {

using tests::numberOf;
using tests::routingFrame;
using tests::slowFrame;

class Rings : public ::testing::Test {
 protected:
  Rings() {
    auto owned = std::make_unique<VerilatedTransport>();
    transport = owned.get();
    card = std::make_unique<Card>(std::move(owned));
    card->writeEntry("port", 5, {{"valid", 1}, {"role", 3}, {"collecting", 1}, {"attachment", 5}, {"s_tpid", 0x88A8}});
    transport->model.on_sent = [this](sim::SentFrame&& frame) { sent.push_back(std::move(frame)); };
  }
  ~Rings() override { EXPECT_EQ(transport->outside, 0U); }

  void settle() { ASSERT_TRUE(transport->model.drain(1'000'000)); }
  static bool fired(int event) {
    pollfd one{event, POLLIN, 0};
    std::uint64_t count = 0;
    return ::poll(&one, 1, 0) == 1 && ::read(event, &count, sizeof count) == sizeof count;
  }
  /// What a check says.
  static std::string failure(Ring& ring) {
    try {
      ring.check();
    } catch (const DriverError& error) {
      return error.what();
    }
    return "";
  }
  void unpoliced() {
    for (unsigned c = 0; c < kHostClasses; ++c) {
      const Access off[] = {Access::write(card_map::reg::kPolicePortInterval + 4 * c, 0),
                            Access::write(card_map::reg::kPoliceServiceInterval + 4 * c, 0)};
      transport->run(off);
    }
  }

  VerilatedTransport* transport;
  std::unique_ptr<Card> card;
  std::vector<sim::SentFrame> sent;
};

TEST_F(Rings, received_frame_comes_with_what_is_known_of_it) {
  RxRing ring(*transport, HostClass::slow_protocols);
  transport->model.setNow(4242);
  const auto frame = slowFrame(124, 9);
  transport->model.receive(3, frame);
  settle();
  unsigned frames = 0;
  EXPECT_EQ(ring.poll([&](const HostFrame& got) {
    ++frames;
    EXPECT_TRUE(std::equal(got.bytes.begin(), got.bytes.end(), frame.begin(), frame.end()));
    EXPECT_EQ(got.frame_bytes, 124U);
    EXPECT_EQ(got.port, 3U);
    EXPECT_EQ(got.reason, 3U);
    EXPECT_FALSE(got.copy);
    EXPECT_FALSE(got.service);
    EXPECT_EQ(got.us, 4242U);
    EXPECT_EQ(got.lost, 0U);
  }),
            1U);
  EXPECT_EQ(frames, 1U);
  EXPECT_EQ(ring.poll([](const HostFrame&) { FAIL(); }), 0U);
}

TEST_F(Rings, sent_frames_leave_by_port_and_link) {
  card->writeEntry("link", 9, {{"valid", 1}, {"ports", 1U << 6}});
  TxRing ring(*transport, HostClass::routing);
  EXPECT_TRUE(ring.toPort(2, routingFrame(60, 1)));
  EXPECT_TRUE(ring.toLink(9, routingFrame(9216, 2)));
  EXPECT_TRUE(sent.empty()) << "nothing before the flush";
  EXPECT_EQ(ring.reap(), 2U);
  ring.flush();
  settle();
  EXPECT_EQ(ring.reap(), 0U);
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].port, 2U);
  EXPECT_EQ(sent[0].bytes, routingFrame(60, 1));
  EXPECT_EQ(sent[1].port, 6U);
  EXPECT_EQ(sent[1].bytes, routingFrame(9216, 2));
}

TEST_F(Rings, full_ring_says_so_and_what_cannot_be_sent_is_refused) {
  TxRing ring(*transport, HostClass::routing, {.entries = 4});
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring.toPort(2, routingFrame(60, 1)));
  EXPECT_FALSE(ring.toPort(2, routingFrame(60, 1)));
  ring.flush();
  settle();
  EXPECT_TRUE(ring.toPort(2, routingFrame(60, 1)));
  EXPECT_THROW(ring.toPort(2, std::vector<std::uint8_t>(59)), DriverError);
  EXPECT_THROW(ring.toPort(2, std::vector<std::uint8_t>(9217)), DriverError);
  EXPECT_THROW(ring.toPort(16, routingFrame(60, 1)), DriverError);
}

TEST_F(Rings, sizes_that_cannot_be_are_refused) {
  for (unsigned entries : {0U, 2U, 3U, 100U, 65536U})
    EXPECT_THROW(RxRing(*transport, HostClass::bfd, {.entries = entries}), DriverError);
  for (unsigned bytes : {0U, 32U, 100U, 65536U})
    EXPECT_THROW(RxRing(*transport, HostClass::bfd, {.buffer_bytes = bytes}), DriverError);
  EXPECT_THROW(RxRing(*openNoCard(), HostClass::bfd), DriverError);
}

TEST_F(Rings, ring_taken_again_begins_anew_and_its_memory_is_free) {
  for (std::uint32_t round = 0; round < 3; ++round) {
    RxRing ring(*transport, HostClass::slow_protocols, {.entries = 8});
    for (std::uint32_t i = 0; i < 5; ++i) transport->model.receive(1, slowFrame(124, i));
    settle();
    std::uint32_t next = 0;
    ring.poll([&](const HostFrame& got) { EXPECT_EQ(numberOf(got.bytes), next++); }, 3);
    EXPECT_EQ(next, 3U);
  }
  transport->model.receive(1, slowFrame(124, 0));
  settle();
}

TEST_F(Rings, card_that_is_gone_is_said_to_be) {
  RxRing ring(*transport, HostClass::slow_protocols);
  ring.check();
  for (const std::uint32_t answer : {~0U, 0U}) {  // of a bus, of a virtual machine's
    transport->gone = answer;
    EXPECT_EQ(failure(ring), "the card at the model is gone");
    EXPECT_EQ(ring.poll([](const HostFrame&) { FAIL(); }), 0U);
    transport->gone.reset();
  }
}

TEST_F(Rings, card_that_somebody_has_reset_is_said_to_be) {
  RxRing ring(*transport, HostClass::bfd);
  const Access off[] = {Access::write(card_map::reg::kRingControl + 4 * static_cast<unsigned>(HostClass::bfd), 0)};
  transport->run(off);
  settle();
  EXPECT_EQ(failure(ring), "ring 2 of the card at the model was disabled by somebody else: the card has been reset");
}

TEST_F(Rings, armed_ring_interrupts) {
  RxRing ring(*transport, HostClass::slow_protocols);
  const int event = ring.eventDescriptor();
  ASSERT_GE(event, 0);
  transport->model.receive(1, slowFrame(124, 0));
  settle();
  EXPECT_FALSE(fired(event));
  ring.arm();
  settle();
  EXPECT_TRUE(fired(event)) << "what came before the arming is not missed";
  ring.poll([](const HostFrame&) {});
  ring.arm();
  settle();
  EXPECT_FALSE(fired(event));
  transport->model.receive(1, slowFrame(124, 0));
  settle();
  EXPECT_TRUE(fired(event));
}

/// Frames in both directions at once, as many as there may be; what a host does per frame and per batch.
class RingsInBulk : public Rings, public ::testing::WithParamInterface<bool> {};

TEST_P(RingsInBulk, no_frame_needs_a_register_to_be_read) {
  const bool interrupts = GetParam();
  RxRing rx(*transport, HostClass::routing,
            {.entries = 256, .buffer_bytes = 256, .interrupt_frames = 16, .interrupt_us = 1});
  TxRing tx(*transport, HostClass::routing, {.entries = 256, .buffer_bytes = 256});
  unpoliced();
  std::uint64_t bad = 0;
  transport->model.on_sent = [&](sim::SentFrame&& frame) { bad += frame.port != 2; };
  const std::uint64_t reads = transport->reads, writes = transport->writes;
  std::uint32_t offered = 0, received = 0, posted = 0;
  const auto frame = routingFrame(124, 0);
  auto numbered = frame;
  const auto number = [&](std::uint32_t n) {
    for (unsigned i = 0; i < 4; ++i) numbered[20 + i] = static_cast<std::uint8_t>(n >> (8 * i));
  };
  if (interrupts) rx.arm();
  std::uint64_t now = 1000, turns = 0;
  const char* many = std::getenv("POPLINK_RING_FRAMES");
  const auto frames = static_cast<std::uint32_t>(many == nullptr ? 20'000 : std::atoi(many));
  while (received < frames || posted < frames || tx.reap() != 0) {
    transport->model.setNow(++now);
    while (offered < frames && offered - received < 64) {
      number(offered++);
      transport->model.receive(5, numbered);
    }
    while (posted < frames && tx.toPort(2, frame)) ++posted;
    tx.flush();
    transport->model.run(500);
    if (interrupts && !fired(rx.eventDescriptor())) {
      ASSERT_LT(++turns, 100'000U + frames);
      continue;
    }
    while (rx.poll([&](const HostFrame& got) { bad += numberOf(got.bytes) != received++; }) != 0) {
    }
    if (interrupts) rx.arm();
  }
  EXPECT_EQ(bad, 0U);
  EXPECT_EQ(transport->reads - reads, 0U);
  std::printf("%u frames each way: 0 register reads, %.3f register writes and %.3f interrupts a frame\n", frames,
              static_cast<double>(transport->writes - writes) / (2.0 * frames),
              static_cast<double>(transport->interrupts) / (2.0 * frames));
  RecordProperty("register_reads", std::to_string(transport->reads - reads));
  RecordProperty("register_writes", std::to_string(transport->writes - writes));
}

INSTANTIATE_TEST_SUITE_P(by, RingsInBulk, ::testing::Bool(),
                         [](const auto& one) { return one.param ? "msix" : "polling"; });

}  // namespace
}  // namespace poplink::driver
