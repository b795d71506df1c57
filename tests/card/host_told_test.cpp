// SPDX-License-Identifier: Apache-2.0
// What the host is told, how much of it and when: policers, copies, new addresses, interrupts, events.
#include "host_path_fixture.h"

namespace poplink::tests {
namespace {

TEST_F(HostPath, policer_lets_its_rate_and_burst_through) {
  open(0, 10, 128);
  bench.card.writeRegister(map::reg::kPolicePortInterval, 1000 * 256);  // 1000 a second,
  bench.card.writeRegister(map::reg::kPolicePortTolerance, 9000);       // burst 10
  std::uint64_t now = 5'000'000;
  const auto offer = [&](unsigned port, std::uint64_t at, std::uint32_t frames) {
    now += at;
    bench.card.setNow(now);
    for (std::uint32_t i = 0; i < frames; ++i) bench.card.receive(port, slowFrame(60, i));
    settle();
    return hostCount(bench, 0, port, Fate::queued).frames;
  };
  EXPECT_EQ(offer(2, 0, 50), 10U);
  EXPECT_EQ(offer(2, 999, 50), 10U);
  EXPECT_EQ(offer(2, 1, 50), 11U);
  EXPECT_EQ(offer(3, 0, 5), 5U);  // another port has its own
  EXPECT_EQ(offer(2, 3000, 2), 13U);
  EXPECT_EQ(offer(2, 1000, 50), 15U);
  EXPECT_EQ(offer(2, 1'000'000, 50), 25U);                 // full again, and no fuller
  EXPECT_EQ(offer(2, 11ULL * 3600 * 1'000'000, 50), 35U);  // slept for more than half the circle
  EXPECT_EQ(hostCount(bench, 0, 2, Fate::port_policed).frames, 50U * 5 + 52 - 35U);
}

TEST_F(HostPath, copies_go_to_the_digest_ring_and_change_nothing) {
  Ring& ring = open(3);
  const auto capture = [&](std::uint32_t ports, std::uint64_t outcomes, std::uint32_t control) {
    bench.card.writeRegister(map::reg::kCapturePorts, ports);
    bench.card.writeRegister(map::reg::kCaptureOutcomesLow, static_cast<std::uint32_t>(outcomes));
    bench.card.writeRegister(map::reg::kCaptureOutcomesHigh, static_cast<std::uint32_t>(outcomes >> 32));
    bench.card.writeRegister(map::reg::kCaptureControl, control);
  };
  Frame stp = routingFrame(60, 1);
  constexpr std::uint8_t kStp[] = {0x01, 0x80, 0xC2, 0, 0, 0};
  std::copy(std::begin(kStp), std::end(kStp), stp.begin());
  const auto all = [&] {
    bench.send(0, stp);
    bench.send(1, stp);
    bench.send(0, routingFrame(200, 2));
    bench.finish();
  };
  all();
  EXPECT_FALSE(ring.poll());
  capture(1, 1U << 1, 1);  // STP on port 0
  all();
  auto got = ring.poll();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->frame, stp);
  EXPECT_EQ(got->port, 0U);
  EXPECT_EQ(got->reason, 1U);
  EXPECT_EQ(got->kind, 1U);
  EXPECT_FALSE(ring.poll());
  capture(0xFF, 1, 1);  // forwarded
  all();
  got = ring.poll();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->frame, routingFrame(200, 2));  // as received
  EXPECT_EQ(got->egress_port, 6U);
  EXPECT_EQ(got->reason, 0U);
  EXPECT_EQ(got->service, 0x8004U);
  EXPECT_FALSE(ring.poll());
  capture(0xFF, ~0ULL,
          map::field::kCaptureControlEnable.with(1) | map::field::kCaptureControlByService.with(1) |
              map::field::kCaptureControlService.with(5));
  all();
  EXPECT_FALSE(ring.poll());
  bench.send(1, routingFrame(100, 3));
  bench.finish();
  EXPECT_TRUE(ring.poll());
}

TEST_F(HostPath, new_source_addresses_are_told_once_an_age) {
  Ring& ring = open(3);
  std::uint64_t now = 5ULL << 28;
  bench.card.setNow(now);
  const auto from = [&](unsigned port, std::uint8_t address, bool wanted, unsigned kind = 2) {
    Frame frame = routingFrame(100, address);
    frame[11] = address;
    bench.send(port, frame);
    bench.finish();
    const auto got = ring.poll();
    ASSERT_EQ(got.has_value(), wanted) << "port " << port << " address " << unsigned{address};
    if (!got) return;
    EXPECT_EQ(got->frame, frame);
    EXPECT_EQ(got->kind, kind);
    EXPECT_EQ(got->port, port);
    EXPECT_EQ(got->reason, 0U);
    ring.post();
    ring.ring();
  };
  from(0, 1, false);  // nobody asked
  bench.card.writeRegister(map::reg::kLearnPorts, 0b0011);
  from(0, 1, true);
  from(0, 1, false);
  from(0, 2, true);
  from(0, 1, false);
  from(1, 1, true);  // on another port
  from(2, 1, false);
  from(5, 3, false);  // a host port forwards nothing
  Frame dropped = routingFrame(60, 9);
  constexpr std::uint8_t kStp[] = {0x01, 0x80, 0xC2, 0, 0, 0};
  std::copy(std::begin(kStp), std::end(kStp), dropped.begin());
  dropped[11] = 9;
  bench.send(0, dropped);
  bench.finish();
  EXPECT_FALSE(ring.poll());
  bench.card.setNow(now += (1U << 28) - 1);
  from(0, 1, false);
  bench.card.setNow(now += 1);
  from(0, 1, true);
  from(0, 1, false);
  // A frame that is both is copied once.
  bench.card.writeRegister(map::reg::kCapturePorts, 1);
  bench.card.writeRegister(map::reg::kCaptureOutcomesLow, 1);
  bench.card.writeRegister(map::reg::kCaptureControl, 1);
  from(0, 77, true, 3);
  from(0, 77, true, 1);
}

TEST_F(HostPath, new_addresses_back_to_back_are_all_told) {
  Ring& ring = open(3, 10, 128);
  bench.card.writeRegister(map::reg::kLearnPorts, 1);
  for (std::uint32_t i = 0; i < 300; ++i) {
    Frame frame = routingFrame(60, i / 3);  // each three times
    frame[10] = static_cast<std::uint8_t>(i / 3);
    bench.send(0, frame);
    if (i % 60 == 59) bench.finish();
  }
  bench.finish();
  for (std::uint32_t i = 0; i < 100; ++i) {
    const auto got = ring.poll();
    ASSERT_TRUE(got) << i;
    EXPECT_EQ(numberOf(got->frame), i);
  }
  EXPECT_FALSE(ring.poll());
}

TEST_F(HostPath, interrupts_come_when_armed_by_number_or_by_age) {
  Ring& ring = open(0, 6, 128);
  const auto frames = [&](unsigned count) {
    for (std::uint32_t i = 0; i < count; ++i) bench.card.receive(2, slowFrame(124, i));
    bench.card.run(3000);
  };
  std::uint64_t now = 1000;
  bench.card.setNow(now);
  frames(3);
  EXPECT_TRUE(interrupts.empty());  // not armed
  ring.arm();                       // and late
  bench.card.run(20);
  EXPECT_EQ(interrupts, std::vector<unsigned>{0});
  while (ring.poll()) {
  }
  ring.moderate(4, 100);
  ring.arm();
  frames(3);
  EXPECT_EQ(interrupts.size(), 1U);
  frames(1);
  EXPECT_EQ(interrupts.size(), 2U);  // the fourth
  frames(5);
  EXPECT_EQ(interrupts.size(), 2U);  // disarmed by firing
  while (ring.poll()) {
  }
  ring.arm();
  frames(1);
  EXPECT_EQ(interrupts.size(), 2U);
  bench.card.setNow(now + 99);
  bench.card.run(100);
  EXPECT_EQ(interrupts.size(), 2U);
  EXPECT_FALSE(bench.card.quiescent());  // time is awaited
  bench.card.setNow(now + 100);
  bench.card.run(100);
  EXPECT_EQ(interrupts.size(), 3U);
  settle();
}

TEST_F(HostPath, ring_armed_twice_interrupts_once) {
  Ring& ring = open(0, 6, 128);
  bench.card.receive(2, slowFrame(124, 1));
  settle();
  while (ring.poll()) {
  }
  for (unsigned cycles = 0; cycles < 18; ++cycles) {  // the card looks at a ring in one cycle of nine
    interrupts.clear();
    ring.arm();
    bench.card.run(cycles);
    EXPECT_TRUE(interrupts.empty());
    // Now without the one that was seen before.
    bench.card.writeRegister(map::reg::kRingArm, map::field::kRingArmArm.with(1));
    settle();
    EXPECT_EQ(interrupts, std::vector<unsigned>{0}) << cycles;
  }
}

TEST_F(HostPath, each_ring_is_armed_by_itself) {
  for (unsigned number = 0; number < 8; ++number) {
    Ring& ring = open(number, 4);
    if (number < 4) continue;
    ring.post(slowFrame(100, number), 1, 1);
    ring.ring();
  }
  for (std::uint32_t port : {2U, 5U}) {  // classes 0 and 1
    bench.card.receive(port, slowFrame(100, 1));
    bench.card.receive(port, routingFrame(100, 1));
  }
  settle();
  for (const unsigned number : {5U, 0U, 7U, 4U, 1U, 6U}) {
    interrupts.clear();
    rings[number]->arm();
    bench.card.run(30);
    EXPECT_EQ(interrupts, std::vector<unsigned>{number});
  }
}

TEST_F(HostPath, link_change_interrupts_once_armed) {
  bench.card.writeRegister(map::reg::kEventClear, map::field::kEventClearArm.with(1));
  bench.card.setPortUp(3, false);
  bench.card.run(20);
  EXPECT_EQ(interrupts, std::vector<unsigned>{8});
  EXPECT_EQ(map::field::kEventStatusLinks.of(bench.card.readRegister(map::reg::kEventStatus)), 1U << 3);
  bench.card.setPortUp(3, true);
  bench.card.run(20);
  EXPECT_EQ(interrupts.size(), 1U);
  bench.card.writeRegister(map::reg::kEventClear, map::field::kEventClearLinks.with(1U << 3) |
                                                      map::field::kEventClearClear.with(1) |
                                                      map::field::kEventClearArm.with(1));
  EXPECT_EQ(bench.card.readRegister(map::reg::kEventStatus), 0U);
  bench.card.run(20);
  EXPECT_EQ(interrupts.size(), 1U);
}

}  // namespace
}  // namespace poplink::tests
