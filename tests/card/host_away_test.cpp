// SPDX-License-Identifier: Apache-2.0
// What the card does by itself for its LAGs while the host is away (docs/host-path.md, section 7): it repeats a port's
// last PDU, and holds a port back whose link has fallen.
#include <numeric>
#include <random>

#include "host_path_fixture.h"

namespace poplink::tests {
namespace {

constexpr std::uint64_t kCyclesPerUs = 250;
constexpr unsigned kFailoverCycles = 16;
constexpr unsigned kLocked = 38, kDown = 37;

class HostAway : public HostPath {
 protected:
  void write(std::uint32_t address, std::uint32_t value) { bench.card.writeRegister(address, value); }
  std::uint32_t read(std::uint32_t array, unsigned port) { return bench.card.readRegister(array + 4 * port); }
  void arm(unsigned port, const Frame& frame, std::uint32_t wait, std::uint32_t interval, std::uint32_t lifetime) {
    Frame words = frame;
    words.resize(4 * map::reg::kRepeatFrameCount);
    for (unsigned i = 0; i < map::reg::kRepeatFrameCount; ++i)
      write(map::reg::kRepeatFrame + 4 * i, little<std::uint32_t>(&words[4 * i]));
    write(map::reg::kRepeatBytes, static_cast<std::uint32_t>(frame.size()));
    write(map::reg::kRepeatWait, wait);
    write(map::reg::kRepeatInterval, interval);
    write(map::reg::kRepeatLifetime, lifetime);
    write(map::reg::kRepeatControl + 4 * port, map::field::kRepeatControlArm.with(1));
  }
  bool armed(unsigned port) { return map::field::kRepeatStatusArmed.of(read(map::reg::kRepeatStatus, port)) != 0; }
  /// Card time and the card's clock, side by side.
  void pass(unsigned us) {
    for (unsigned i = 0; i < us; ++i) {
      bench.card.setNow(++now);
      bench.card.run(kCyclesPerUs);
    }
  }
  /// Frames that left `port` since the last call.
  std::vector<sim::SentFrame> sentBy(unsigned port) {
    std::vector<sim::SentFrame> of_port;
    for (const sim::SentFrame& one : std::exchange(sent, {})) {
      if (one.port == port) of_port.push_back(one);
    }
    return of_port;
  }
  std::uint64_t now = 0;
};

TEST_F(HostAway, frame_is_repeated_as_it_is_at_its_rate_until_its_lifetime_ends) {
  const Frame pdu = slowFrame(124, 9);
  arm(3, pdu, 30, 10, 95);
  pass(200);
  const auto got = sentBy(3);
  ASSERT_EQ(got.size(), 7U);
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].bytes, pdu);
    if (i == 0) continue;
    const std::uint64_t apart = got[i].first_cycle - got[i - 1].first_cycle;
    EXPECT_NEAR(static_cast<double>(apart), 10.0 * kCyclesPerUs, 2 * sim::CardModel::kPortCount);
  }
  EXPECT_FALSE(armed(3));
  EXPECT_EQ(read(map::reg::kRepeatSent, 3), 7U);
  EXPECT_EQ(bench.sentCount(3), (Count{7, 7 * 124})) << "counted like any other";
  EXPECT_EQ(hostSent(bench, 0, false), Count{}) << "no ring had a part in it";
  EXPECT_EQ(bench.allDropped(16), Count{});
}

TEST_F(HostAway, every_port_of_the_card_repeats_its_own) {
  for (unsigned port = sim::CardModel::kPortCount; port-- > 0;) {
    arm(port, slowFrame(60 + port, port), 0, 10, 5);
    pass(1);
    const auto got = sentBy(port);
    ASSERT_EQ(got.size(), 1U) << port;
    EXPECT_EQ(got[0].bytes, slowFrame(60 + port, port));
  }
  for (unsigned port = sim::CardModel::kPortCount; port < map::reg::kRepeatControlCount; ++port) {
    arm(port, slowFrame(60, port), 0, 10, 5);
    EXPECT_FALSE(armed(port)) << "a port that the card does not have";
  }
  pass(2);
  EXPECT_TRUE(sent.empty());
}

TEST_F(HostAway, repetition_outlives_the_rings_and_a_bus_that_hangs) {
  const Frame pdu = slowFrame(124, 1);
  arm(2, pdu, 5, 5, 100'000);
  Ring& rx = open(0);
  Ring& tx = open(4);
  tx.post(slowFrame(1000, 2), 1, 2);
  bench.card.host.timing.read_cycles = [] { return 100 * static_cast<unsigned>(kCyclesPerUs); };
  tx.ring();
  pass(52);
  EXPECT_EQ(sentBy(2).size(), 10U) << "its frame is half in the card";
  for (Ring* ring : {&rx, &tx}) ring->stop();
  bench.card.host.memory = nullptr;
  pass(300);
  sent.clear();
  EXPECT_FALSE(rx.running() || tx.running());
  pass(50);
  const auto got = sentBy(2);
  ASSERT_EQ(got.size(), 10U);
  for (const auto& one : got) EXPECT_EQ(one.bytes, pdu);
  EXPECT_TRUE(armed(2));
}

TEST_F(HostAway, repeated_frames_and_those_of_the_rings_stay_whole_side_by_side) {
  std::mt19937_64 random(5);
  Ring& tx = open(4, 6);
  std::map<unsigned, Frame> pdus;
  for (unsigned port = 0; port < 5; ++port) {
    pdus[port] = slowFrame(60 + 17 * port, 1000 + port);
    arm(port, pdus[port], 1, 1 + port % 2, 1'000'000);
  }
  std::vector<Frame> posted;
  std::size_t next = 0;
  std::map<unsigned, unsigned> repeated;
  const auto check = [&] {
    for (const sim::SentFrame& one : std::exchange(sent, {})) {
      if (next < posted.size() && one.port == 5 && one.bytes == posted[next]) {
        ++next;
      } else {
        ASSERT_EQ(one.bytes, pdus[one.port]) << "port " << one.port;
        ++repeated[one.port];
      }
    }
  };
  for (unsigned us = 0; us < 400; ++us) {
    for (unsigned i = 0; i < 8 && tx.free() != 0; ++i) {
      posted.push_back(slowFrame(60 + random() % (us % 16 == 0 ? 9000 : 500), static_cast<std::uint32_t>(us)));
      tx.post(posted.back(), 1, 5);
    }
    tx.ring();
    pass(1);
    while (tx.poll()) {
    }
    check();
    ASSERT_FALSE(HasFatalFailure());
  }
  for (unsigned port = 0; port < 5; ++port) write(map::reg::kRepeatControl + 4 * port, 4);
  settle();
  check();
  EXPECT_EQ(next, posted.size());
  EXPECT_GT(next, 300U);
  for (const auto& [port, frames] : repeated) {
    EXPECT_EQ(frames, read(map::reg::kRepeatSent, port));
    EXPECT_GT(frames, 150U) << port;
  }
  EXPECT_EQ(repeated.size(), 5U);
}

TEST_F(HostAway, flood_of_customers_does_not_hold_it_up) {
  const Frame pdu = slowFrame(124, 1);
  arm(6, pdu, 10, 10, 100'000);
  std::mt19937_64 random(5);
  for (unsigned us = 0; us < 200; ++us) {
    for (const unsigned port : {0U, 1U, 2U, 3U}) {
      while (bench.card.waiting(port) < 40) bench.card.receive(port, routingFrame(60 + random() % 1000, us));
    }
    pass(1);
  }
  unsigned repeated = 0;
  for (const sim::SentFrame& one : sentBy(6)) repeated += one.bytes == pdu;
  EXPECT_NEAR(repeated, 20, 1);
}

TEST_F(HostAway, locked_port_drops_it_by_name_and_a_capture_sees_it_as_the_hosts) {
  Ring& ring = open(3);
  write(map::reg::kCapturePorts, 1U << 16);
  write(map::reg::kCaptureOutcomesLow, 1);
  write(map::reg::kCaptureOutcomesHigh, 1U << (kLocked - 32));
  write(map::reg::kCaptureControl, 1);
  const Frame pdu = slowFrame(124, 1);
  arm(2, pdu, 10, 10, 100'000);
  write(map::reg::kPortControl + 8, 0);
  pass(10);
  EXPECT_TRUE(sentBy(2).empty());
  EXPECT_EQ(bench.dropped(16, kLocked), (Count{1, 124}));
  write(map::reg::kPortControl + 8, 1);
  pass(10);
  EXPECT_EQ(sentBy(2).size(), 1U);
  for (const unsigned reason : {kLocked, 0U}) {
    const auto copy = ring.poll();
    ASSERT_TRUE(copy);
    EXPECT_EQ(copy->port, 16U);
    EXPECT_EQ(copy->reason, reason);
    EXPECT_EQ(copy->frame, pdu);
  }
}

TEST_F(HostAway, link_that_falls_ends_it_for_good) {
  arm(2, slowFrame(124, 1), 10, 10, 100'000);
  pass(15);
  EXPECT_EQ(sentBy(2).size(), 1U);
  bench.card.setPortUp(2, false);
  bench.card.step();
  bench.card.setPortUp(2, true);
  write(map::reg::kRepeatControl + 8, map::field::kRepeatControlRefresh.with(1));
  pass(50);
  EXPECT_TRUE(sentBy(2).empty());
  EXPECT_FALSE(armed(2));
}

TEST_F(HostAway, idle_card_sleeps_until_the_next_frame_is_due) {
  bench.card.setNow(now = 5'000'000);
  EXPECT_FALSE(bench.card.alarmUs());
  arm(0, slowFrame(124, 1), 3'000'000, 1'000'000, 5'500'000);
  settle();
  std::vector<std::uint64_t> alarms;
  while (const auto alarm = bench.card.alarmUs()) {
    alarms.push_back(*alarm);
    ASSERT_LT(alarms.size(), 10U);
    bench.card.setNow(*alarm);
    EXPECT_FALSE((bench.card.step(), bench.card.quiescent()));
    settle();
  }
  EXPECT_EQ(alarms, (std::vector<std::uint64_t>{8'000'000, 9'000'000, 10'000'000, 10'500'001}));
  EXPECT_EQ(sentBy(0).size(), 3U);
}

/// A customer's LAG of ports 1 and 4, seen from the backbone's port 7.
class HeldPort : public HostAway {
 protected:
  static constexpr unsigned kStays = 1, kFalls = 4, kBackbone = 7, kFlows = 300;

  HeldPort() {
    Tables tables = bench.golden;
    tables.setLink(1, {{kStays, 1}, {kFalls, 1}});
    tables.port[kFalls] = tables.port[kStays];
    bench.program(tables);
    write(map::reg::kPortHold + 4 * kFalls, 1);
    bench.on_sent = [this](const sim::SentFrame& frame) { sent.push_back(frame); };
    for (std::uint32_t flow = 0; flow < kFlows; ++flow)
      flows.push_back(decide(bench.golden, routingFrame(90, flow), kStays).frame);
    // The flow's hash takes a frame of no protocol that it knows by its addresses.
    for (std::uint32_t flow = 0; flow < kFlows; ++flow) flows[flow][5] = static_cast<std::uint8_t>(flow);
  }
  /// By flow: the port it leaves on.
  std::vector<unsigned> ways() {
    sent.clear();
    std::vector<unsigned> way;
    for (const Frame& frame : flows) bench.send(kBackbone, frame);
    bench.finish();
    for (const Frame& frame : flows)
      way.push_back(static_cast<unsigned>(decide(bench.golden, frame, kBackbone).out.egress_port));
    EXPECT_EQ(sent.size(), flows.size());
    for (const unsigned port : {kStays, kFalls}) {
      EXPECT_EQ(std::count_if(sent.begin(), sent.end(), [&](const auto& one) { return one.port == port; }),
                std::count(way.begin(), way.end(), port));
    }
    return way;
  }
  void fall(unsigned cycles) {
    bench.card.setPortUp(kFalls, false);
    bench.card.run(cycles);
    bench.card.setPortUp(kFalls, true);
  }
  void expectHeld(bool held) {
    bench.card.run(4);
    EXPECT_EQ(map::field::kPortStatusHeld.of(read(map::reg::kPortStatus, kFalls)), held ? 1U : 0U);
    const std::uint16_t bit = 1U << kFalls;
    bench.golden.held_ports = held ? bit : 0;
    bench.golden.live_ports = static_cast<std::uint16_t>(held ? 0xFF & ~bit : 0xFF);
  }
  void release() { write(map::reg::kPortRelease + 4 * kFalls, 1); }

  std::vector<Frame> flows;
};

TEST_F(HeldPort, only_the_flows_of_the_fallen_port_move_and_they_stay_away_until_it_is_released) {
  const auto before = ways();
  ASSERT_GT(std::count(before.begin(), before.end(), kFalls), kFlows / 4);
  for (unsigned cycles : {1U, 2U, 30U}) {
    fall(cycles);
    expectHeld(true);
    const auto after = ways();
    for (unsigned flow = 0; flow < kFlows; ++flow) EXPECT_EQ(after[flow], kStays);
    release();
    expectHeld(false);
    EXPECT_EQ(ways(), before);
  }
}

TEST_F(HeldPort, release_counts_with_a_link_only_and_holding_can_be_ended) {
  bench.card.setPortUp(kFalls, false);
  release();
  bench.card.setPortUp(kFalls, true);
  expectHeld(true);
  write(map::reg::kPortRelease + 4 * kFalls, 0);
  write(map::reg::kPortRelease + 4 * kStays, 1);
  expectHeld(true);
  write(map::reg::kPortHold + 4 * kFalls, 0);
  expectHeld(false);
  fall(5);
  expectHeld(false);
  ways();
  bench.card.setPortUp(kFalls, false);
  write(map::reg::kPortHold + 4 * kFalls, 1);
  bench.card.setPortUp(kFalls, true);
  expectHeld(true);
  for (unsigned port = 0; port < sim::CardModel::kPortCount; ++port) {
    EXPECT_EQ(map::field::kPortStatusHeld.of(read(map::reg::kPortStatus, port)), port == kFalls ? 1U : 0U) << port;
  }
}

TEST_F(HeldPort, port_that_the_card_does_not_have_is_not_held) {
  for (unsigned port = sim::CardModel::kPortCount; port < map::reg::kPortHoldCount; ++port) {
    write(map::reg::kPortHold + 4 * port, 1);
    EXPECT_EQ(read(map::reg::kPortStatus, port), 0U);
  }
}

// A decision per cycle or two, all of flows on the port that falls, however short the fall: what was decided for it
// before is dropped by name, though the link may be up again.
TEST_F(HeldPort, it_is_out_of_the_decisions_within_16_cycles_and_nothing_decided_for_it_slips_out) {
  std::vector<Frame> frames;
  for (const Frame& frame : flows) {
    Frame shorter(frame.begin(), frame.begin() + 64);
    if (decide(bench.golden, shorter, kBackbone).out.egress_port == kFalls) frames.push_back(shorter);
  }
  while (frames.size() < 300) frames.push_back(frames[frames.size() % 7]);
  bench.unexpected = 1;  // the golden model does not know in which cycle the link falls
  std::uint64_t dropped = 0;
  for (unsigned round = 0; round < 24; ++round) {
    sent.clear();
    for (const Frame& frame : frames) bench.card.receive(kBackbone, frame);
    bench.card.run(120 + round);
    fall(1 + round % 12 * 3);
    ASSERT_TRUE(bench.card.drain(20'000));
    const std::uint64_t late = bench.dropped(kBackbone, kDown).frames +
                               bench.dropped(kBackbone, static_cast<unsigned>(kernels::Drop::no_path)).frames - dropped;
    dropped += late;
    EXPECT_GT(late, 0U) << round;
    EXPECT_LE(late, kFailoverCycles) << round;
    const auto on = [&](unsigned port) {
      return static_cast<std::size_t>(
          std::count_if(sent.begin(), sent.end(), [&](const auto& one) { return one.port == port; }));
    };
    EXPECT_GT(on(kFalls), 0U) << round;
    EXPECT_GT(on(kStays), 20U) << round;
    EXPECT_EQ(on(kFalls) + on(kStays) + late, frames.size()) << round;
    release();
    bench.card.run(4);
  }
}

TEST_F(HeldPort, takes_no_customers_frame_but_slow_protocols_pass_both_ways) {
  Ring& rx = open(0);
  Ring& tx = open(4);
  fall(1);
  expectHeld(true);
  for (unsigned i = 0; i < 10; ++i) {
    EXPECT_EQ(bench.send(kFalls, routingFrame(90, i)).out.drop, static_cast<unsigned>(kernels::Drop::not_collecting));
    EXPECT_EQ(bench.send(kStays, routingFrame(90, i)).out.drop, 0U);
  }
  bench.finish();
  bench.checkDropCounters();
  const Frame theirs = slowFrame(124, 7), ours = slowFrame(124, 8), repeated = slowFrame(124, 9);
  bench.card.receive(kFalls, theirs);
  settle();
  const auto got = rx.poll();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->frame, theirs);
  EXPECT_EQ(got->port, kFalls);
  sent.clear();
  bench.unexpected = 1;  // frames of the host
  tx.post(ours, 1, kFalls);
  tx.ring();
  settle();
  arm(kFalls, repeated, 1, 1000, 1000);
  pass(2);
  const auto out = sentBy(kFalls);
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[0].bytes, ours);
  EXPECT_EQ(out[1].bytes, repeated);
  EXPECT_EQ(bench.readEntry("port", kFalls), forward_rtl::PortPort::pack(bench.golden.port[kFalls]))
      << "the host reads what it wrote";
}

}  // namespace
}  // namespace poplink::tests
