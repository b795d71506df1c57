// SPDX-License-Identifier: Apache-2.0
// Frames through the whole card: every length, every branch, nothing lost, everything counted.
#include <gtest/gtest.h>

#include <numeric>

#include "card_bench.h"

namespace poplink::tests {
namespace {

Frame frameOf(std::size_t length, unsigned tag, std::uint8_t seed) {
  Frame frame(length);
  std::iota(frame.begin(), frame.end(), seed);
  const std::uint8_t head[] = {2,
                               0,
                               0,
                               0,
                               0,
                               0xB,
                               2,
                               0,
                               0,
                               0,
                               0,
                               seed,
                               0x81,
                               0,
                               static_cast<std::uint8_t>(tag >> 8),
                               static_cast<std::uint8_t>(tag),
                               8,
                               0};
  std::copy(std::begin(head), std::end(head), frame.begin());
  return frame;
}

class Card : public ::testing::Test {
 protected:
  Card() { bench.program(exampleTables()); }
  Bench bench;
};

TEST_F(Card, passes_every_length_both_ways) {
  Tables tables = exampleTables();
  for (auto& service : tables.service) service.mtu = 9300;
  bench.program(tables);
  for (std::size_t length = 60; length <= 9212; ++length) {
    const Frame to_backbone = frameOf(length, 100, static_cast<std::uint8_t>(length));
    ASSERT_EQ(static_cast<unsigned>(bench.send(0, to_backbone).out.drop), 0U);
    Frame back = decide(tables, to_backbone, 0).frame;
    ASSERT_EQ(static_cast<unsigned>(bench.send(6, back).out.drop), 0U);
    if (length % 16 == 0) bench.card.drain(20'000);
  }
  bench.finish();
  EXPECT_EQ(bench.frames_out, 2U * 9153);
  EXPECT_EQ(bench.received(0).frames, 9153U);
  EXPECT_EQ(bench.sentCount(0).frames, 9153U);
  EXPECT_EQ(bench.service(0, true).frames, 9153U);
  EXPECT_EQ(bench.service(0, false).frames, 9153U);
  EXPECT_EQ(bench.received(0).bytes, bench.service(0, true).bytes);
  EXPECT_EQ(bench.received(0).bytes + 4 * 9153, bench.sentCount(6).bytes);
}

TEST_F(Card, longest_frame_passes_and_one_byte_more_is_oversize) {
  Tables tables = exampleTables();
  for (auto& service : tables.service) service.mtu = 9300;
  bench.program(tables);
  bench.send(0, frameOf(9216, 100, 1));
  bench.card.receive(0, frameOf(9217, 100, 2));
  bench.card.receive(0, frameOf(12000, 100, 3));
  bench.card.receive(0, frameOf(9216 + 64 + 1, 100, 3));  // one byte into another beat
  bench.send(0, frameOf(64, 100, 4));
  bench.finish();
  EXPECT_EQ(bench.dropped(0, 34), (Count{3, 3 * 9217}));
  EXPECT_EQ(bench.received(0).frames, 2U);
}

TEST_F(Card, runts_and_bad_frames_are_dropped_with_their_reason) {
  for (std::size_t length : {1U, 14U, 59U}) bench.card.receive(1, Frame(length, 0xAA));
  bench.card.receive(1, frameOf(60, 5, 1), true);
  bench.card.receive(1, frameOf(1500, 5, 2), true);
  bench.card.receive(1, Frame(20, 1), true);
  bench.send(1, frameOf(60, 5, 3));
  bench.finish();
  EXPECT_EQ(bench.dropped(1, 33), (Count{3, 74}));
  EXPECT_EQ(bench.dropped(1, 32), (Count{3, 1580}));
  EXPECT_EQ(bench.received(1), (Count{1, 60}));
}

TEST_F(Card, drop_decided_on_the_very_last_beat_leaves_nothing_behind) {
  // Length and badness are known only with the last beat; neighbours must come through whole, whatever the length
  // modulo the width.
  for (std::size_t length = 60; length < 60 + 130; ++length) {
    bench.send(0, frameOf(length, 100, 1));
    bench.card.receive(0, frameOf(length, 100, 2), true);
    bench.send(0, frameOf(length + 1, 101, 3));
    bench.card.receive(1, frameOf(length, 7, 4), true);
    bench.send(1, frameOf(length, 7, 5));
  }
  bench.finish();
  EXPECT_EQ(bench.dropped(0, 32).frames, 130U);
  EXPECT_EQ(bench.dropped(1, 32).frames, 130U);
  EXPECT_EQ(bench.received(0).frames, 260U);
}

TEST_F(Card, minimum_frames_back_to_back_on_all_ports_lose_nothing) {
  Tables tables;
  tables.setPorts({0, 1, 2, 3, 4, 5, 6, 7});
  for (unsigned p = 0; p < 8; ++p) {
    tables.port[p] = {true, static_cast<kernels::bits<2>>(p < 4 ? 0 : 2), true, static_cast<kernels::bits<4>>(p),
                      0x88A8};
    tables.attachment[p] = {p < 4, false, 0, p < 4, static_cast<kernels::bits<12>>(p)};
    if (p < 4) {
      tables.service[p] = {true,
                           static_cast<kernels::bits<4>>(p),
                           static_cast<kernels::bits<10>>(p + 4),
                           static_cast<kernels::bits<12>>(50 + p),
                           0x88A8,
                           0,
                           9000};
      tables.vid[((p + 4) << 12) | (50 + p)] = {true, static_cast<kernels::bits<12>>(p)};
    }
  }
  CardBench<sim::CardModel> paced(sim::PortSpeed::ten_gigabit);
  paced.program(tables);
  for (int i = 0; i < 1500; ++i) {
    for (unsigned p = 0; p < 4; ++p) {
      const Frame frame = frameOf(60, 9, static_cast<std::uint8_t>(i));
      paced.send(p + 4, decide(tables, frame, p).frame);
      // Ports to the backbone grow each frame by 4 bytes: 20 of 21 keep the egress at its speed.
      if (i % 21 != 0) paced.send(p, frame);
    }
  }
  paced.finish();
  for (unsigned p = 0; p < 8; ++p) EXPECT_EQ(paced.allDropped(p), Count{}) << "port " << p;
  EXPECT_EQ(paced.frames_out, 4U * (1500 + 1500 - 72));
}

TEST_F(Card, random_traffic_on_all_ports_equals_forward) {
  std::mt19937_64 random(42);
  std::map<unsigned, Count> in;
  for (int i = 0; i < 30'000; ++i) {
    const std::size_t length = random() % 4 == 0 ? 60 + random() % 1500 : 60 + random() % 70;
    const auto port = static_cast<unsigned>(random() % 8);
    const Frame frame = randomFrame(random, length);
    bench.send(port, frame);
    in[port].frames += 1;
    in[port].bytes += frame.size();
    if (i % 4 == 0) bench.card.run(random() % 24);
    if (i % 64 == 0) bench.card.drain(10'000);
  }
  bench.finish();
  bench.checkDropCounters();
  for (const auto& [port, count] : in) EXPECT_EQ(bench.received(port), count) << "port " << port;
  EXPECT_GT(bench.frames_out, 5'000U);
  EXPECT_GE(bench.expected_drops.size(), 40U);
}

TEST_F(Card, port_without_link_or_locked_is_no_way_on) {
  bench.setPortUp(7, false);
  bench.card.writeRegister(map::reg::kPortControl + 6 * map::reg::kPortControlStride, 0);
  bench.card.run(4);
  EXPECT_FALSE(bench.card.portEnabled(6));
  bench.card.receive(0, frameOf(60, 100, 1));  // to port 6
  bench.card.receive(0, frameOf(60, 101, 2));  // to port 7
  bench.finish();
  EXPECT_EQ(bench.dropped(0, static_cast<unsigned>(kernels::Drop::no_path)), (Count{2, 120}));
  EXPECT_EQ(bench.allDropped(0), (Count{2, 120}));
  EXPECT_EQ(bench.frames_out, 0U);
}

// Frames whose decision is under way when the port goes are dropped by name behind it.
TEST_F(Card, egress_that_falls_while_a_decision_is_under_way_is_named) {
  for (unsigned i = 0; i < 40; ++i) bench.card.receive(1, frameOf(60, 9, static_cast<std::uint8_t>(i)));  // to port 7
  bench.card.run(30);
  bench.card.setPortUp(7, false);
  ASSERT_TRUE(bench.card.drain(1000));
  const std::uint64_t down = bench.dropped(1, 37).frames;
  EXPECT_GT(down, 0U);
  EXPECT_EQ(bench.dropped(1, static_cast<unsigned>(kernels::Drop::no_path)).frames + down + bench.frames_out, 40U);

  bench.card.setPortUp(7, true);
  bench.card.run(4);
  bench.frames_out = 0;
  for (unsigned i = 0; i < 40; ++i) bench.card.receive(0, frameOf(60, 100, static_cast<std::uint8_t>(i)));  // to port 6
  bench.card.run(26);
  bench.card.writeRegister(map::reg::kPortControl + 6 * map::reg::kPortControlStride, 0);
  ASSERT_TRUE(bench.card.drain(1000));
  const std::uint64_t locked = bench.dropped(0, 38).frames;
  EXPECT_GT(locked, 0U);
  EXPECT_EQ(bench.dropped(0, static_cast<unsigned>(kernels::Drop::no_path)).frames + locked + bench.frames_out, 40U);
}

TEST_F(Card, reason_of_forward_wins_over_the_egress_ports) {
  bench.setPortUp(7, false);
  bench.writeEntry("service", 5,
                   forward_rtl::ServicePort::pack(kernels::ServiceEntry{true, 1, 7, 1005, 0x88A8, 0, 1500}));
  bench.card.receive(1, frameOf(1600, 9, 1));  // too long for a service whose link is down too
  bench.finish();
  EXPECT_EQ(bench.dropped(1, static_cast<unsigned>(kernels::Drop::mtu)), (Count{1, 1600}));
  EXPECT_EQ(bench.allDropped(1), (Count{1, 1600}));
}

TEST_F(Card, minimum_frames_take_one_cycle_each) {
  // 60 bytes and an S-tag fill a beat exactly: no gap is needed between such frames.
  constexpr unsigned kFrames = 400;
  std::vector<std::uint64_t> cycles;
  bench.on_sent = [&](const sim::SentFrame& frame) { cycles.push_back(frame.last_cycle); };
  for (unsigned i = 0; i < kFrames; ++i) bench.send(1, frameOf(60, 9, static_cast<std::uint8_t>(i)));
  bench.finish();
  ASSERT_EQ(cycles.size(), kFrames);
  EXPECT_EQ(cycles.back() - cycles.front(), kFrames - 1);
}

TEST_F(Card, full_egress_queue_drops_whole_frames_and_recovers) {
  bench.card.blockEgress(7, true);
  const unsigned frames = 700;  // 512 beats of room, one frame per beat
  for (unsigned i = 0; i < frames; ++i) bench.card.receive(1, frameOf(60, 9, static_cast<std::uint8_t>(i)));
  for (unsigned i = 0; i < 50; ++i)
    bench.send(0, frameOf(200, 100, static_cast<std::uint8_t>(i)));  // another egress port goes on
  bench.card.run(20'000);
  EXPECT_EQ(bench.outstanding, 0U);
  EXPECT_EQ(bench.dropped(1, 36).frames, frames - 512);
  std::vector<Frame> out;
  bench.on_sent = [&](const sim::SentFrame& frame) { out.push_back(frame.bytes); };
  bench.unexpected = 1;  // these frames were not announced
  bench.card.blockEgress(7, false);
  ASSERT_TRUE(bench.card.drain(20'000));
  ASSERT_EQ(out.size(), 512U);
  for (unsigned i = 0; i < 512; ++i)
    ASSERT_EQ(out[i], decide(bench.golden, frameOf(60, 9, static_cast<std::uint8_t>(i)), 1).frame) << i;
  bench.on_sent = nullptr;
  bench.unexpected = 0;
  for (unsigned i = 0; i < 100; ++i) bench.send(1, frameOf(60 + i * 7, 9, 1));
  bench.finish();
}

class Overfull : public ::testing::TestWithParam<std::size_t> {
 protected:
  Overfull() { bench.program(exampleTables()); }
  Bench bench;
};

TEST_P(Overfull, ingress_buffer_counts_its_losses_and_recovers) {
  // Frames of a beat or two with a gap behind each, as fast as the bus takes them: more than the pipeline takes.
  std::uint64_t sent = 0;
  std::map<std::pair<unsigned, Frame>, std::uint64_t> order;  // what may leave, by egress port
  for (unsigned round = 0; round < 1600; ++round) {
    for (unsigned p = 0; p < 6; ++p) {
      Frame frame = frameOf(GetParam() - round % 4, p == 0 ? 100 : 9, static_cast<std::uint8_t>(p));
      frame[20] = static_cast<std::uint8_t>(round >> 8);  // each beat tells which frame it belongs to
      frame[21] = static_cast<std::uint8_t>(round);
      frame[frame.size() - 2] = frame[20];
      frame[frame.size() - 1] = frame[21];
      const Decision decision = decide(bench.golden, frame, p);
      if (decision.out.drop == 0) order[{static_cast<unsigned>(decision.out.egress_port), decision.frame}] = sent;
      bench.card.receive(p, frame);
      ++sent;
    }
  }
  bench.unexpected = 1;
  std::map<unsigned, std::uint64_t> last;
  bench.on_sent = [&](const sim::SentFrame& frame) {
    const auto found = order.find({frame.port, frame.bytes});
    ASSERT_NE(found, order.end()) << "a frame that nobody sent";
    const unsigned ingress = frame.bytes[11];
    EXPECT_GE(found->second, last[ingress]) << "out of order";
    last[ingress] = found->second + 1;
  };
  ASSERT_TRUE(bench.card.drain(200'000));
  bench.on_sent = nullptr;
  for (unsigned p = 1; p < 6; ++p) {  // nobody is starved
    EXPECT_NEAR(static_cast<double>(bench.received(p).frames), static_cast<double>(bench.received(0).frames), 30.0);
  }
  std::uint64_t received = 0, overflow = 0, dropped = 0, out = 0;
  for (unsigned p = 0; p < 8; ++p) {
    received += bench.received(p).frames;
    overflow += bench.dropped(p, 35).frames;
    dropped += bench.allDropped(p).frames;
    out += bench.sentCount(p).frames;
  }
  EXPECT_GT(overflow, 0U);
  EXPECT_EQ(received + overflow, sent);
  EXPECT_EQ(out + dropped, sent);
  EXPECT_EQ(out, bench.frames_out);
  bench.unexpected = 0;
  bench.send(1, frameOf(333, 9, 1));
  bench.finish();
}

INSTANTIATE_TEST_SUITE_P(beats, Overfull, ::testing::Values(64, 128), ::testing::PrintToStringParamName());

TEST_F(Card, beats_of_a_port_that_is_not_there_are_ignored) {
  auto& dut = bench.card.dut();
  bench.card.receive(1, frameOf(200, 9, 1));
  bench.card.step();
  bench.card.step();
  ASSERT_TRUE(bench.card.drain(1000));
  dut.rx_tid = sim::CardModel::kPortCount;
  dut.rx_tkeep = ~std::uint64_t{0};
  dut.rx_tlast = 1;
  dut.rx_tuser = 0;
  dut.rx_tvalid = 1;
  dut.clk = 1;
  dut.eval();
  dut.clk = 0;
  dut.rx_tvalid = 0;
  dut.eval();
  EXPECT_TRUE(bench.card.drain(1000));
  bench.unexpected = 0;
  EXPECT_EQ(bench.frames_out, 1U);
  bench.send(1, frameOf(300, 9, 2));
  bench.finish();
}

TEST_F(Card, counters_are_at_rest_when_the_card_is) {
  std::uint64_t last_out = 0;
  bench.on_sent = [&](const sim::SentFrame& frame) { last_out = frame.last_cycle; };
  bench.send(1, frameOf(60, 9, 1));
  bench.finish();
  EXPECT_GE(bench.card.cycle(), last_out + 8);  // a count is in its memory 4 cycles behind its event
}

TEST_F(Card, latency_is_one_number_for_every_frame_and_within_the_goal) {
  std::map<std::uint64_t, unsigned> seen;
  std::uint64_t in_cycle = 0;
  bench.card.on_received = [&](unsigned, std::uint64_t cycle) { in_cycle = cycle; };
  bench.on_sent = [&](const sim::SentFrame& frame) { ++seen[frame.first_cycle - in_cycle]; };
  for (std::size_t length : {60U, 61U, 64U, 65U, 124U, 128U, 129U, 1514U, 9000U}) {
    bench.send(0, frameOf(length, 100, 1));
    bench.finish();
    bench.send(6, decide(bench.golden, frameOf(length, 100, 1), 0).frame);
    bench.finish();
  }
  ASSERT_EQ(seen.size(), 1U) << "first " << seen.begin()->first << " last " << seen.rbegin()->first;
  RecordProperty("latency_cycles", static_cast<int>(seen.begin()->first));
  EXPECT_LE(seen.begin()->first, 37U);  // 150 ns at 250 MHz
}

TEST_F(Card, quiescent_only_when_nothing_is_inside) {
  ASSERT_TRUE(bench.card.drain(100));
  bench.card.blockEgress(7, true);
  bench.card.receive(1, frameOf(60, 9, 1));
  bench.card.run(500);
  EXPECT_FALSE(bench.card.quiescent());
  EXPECT_EQ(map::field::kStatusEmpty.of(bench.card.readRegister(map::reg::kStatus)), 0U);
  bench.card.blockEgress(7, false);
  bench.unexpected = 1;
  EXPECT_TRUE(bench.card.drain(500));
  EXPECT_EQ(bench.frames_out, 1U);
  EXPECT_EQ(map::field::kStatusEmpty.of(bench.card.readRegister(map::reg::kStatus)), 1U);
}

}  // namespace
}  // namespace poplink::tests
