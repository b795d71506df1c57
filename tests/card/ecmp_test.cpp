// SPDX-License-Identifier: Apache-2.0
// Two backbone links in the card: who carries which flow, how fast a dead link is out of the decisions, what is
// counted.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "card_bench.h"

namespace poplink::tests {
namespace {

constexpr unsigned kCustomer = 1, kService = 5, kGroup = 9;
constexpr unsigned kFailoverCycles = 16;

/// A UDP frame of a flow; its number stands in the source address and port.
Frame flowFrame(unsigned flow, std::size_t length = 60) {
  Frame frame(length, 0);
  const std::uint8_t head[] = {2, 0, 0, 0, 0, 0xB, 2, 0, 0, 0, 0, 0xA, 8, 0, 0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, 17};
  std::copy(std::begin(head), std::end(head), frame.begin());
  const std::uint8_t addresses[] = {10,
                                    static_cast<std::uint8_t>(flow >> 12),
                                    0,
                                    static_cast<std::uint8_t>(flow),
                                    10,
                                    1,
                                    0,
                                    7,
                                    static_cast<std::uint8_t>(0x80 | (flow >> 8 & 15)),
                                    1,
                                    0x12,
                                    0xB5};
  std::copy(std::begin(addresses), std::end(addresses), frame.begin() + 26);
  return frame;
}
unsigned flowOf(const Frame& tagged) {
  return static_cast<unsigned>(tagged[31]) << 12 | static_cast<unsigned>(tagged[38] & 15) << 8 | tagged[33];
}

class CardEcmp : public ::testing::Test {
 protected:
  CardEcmp() {
    Tables tables = exampleTables();
    tables.setGroup(kGroup, 4096, 8, {{6, 1}, {7, 1}});
    tables.service[kService].group = kGroup;
    for (const unsigned link : {6U, 7U}) tables.vid[(link << 12) | (1000 + kService)] = {true, kService};
    bench.program(tables);
  }
  /// Sends one frame of each flow and gives the port that each left on.
  std::map<unsigned, unsigned> ways(unsigned flows) {
    std::map<unsigned, unsigned> way;
    bench.on_sent = [&](const sim::SentFrame& frame) { way[flowOf(frame.bytes)] = frame.port; };
    for (unsigned flow = 0; flow < flows; ++flow) {
      bench.send(kCustomer, flowFrame(flow));
      if (flow % 64 == 63) bench.card.drain(10'000);
    }
    bench.finish();
    bench.on_sent = nullptr;
    return way;
  }
  /// Because a port fell between the choice of the link and the frame's reservation of room.
  std::uint64_t droppedUnderWay(unsigned port) {
    return bench.dropped(port, 37).frames + bench.dropped(port, static_cast<unsigned>(kernels::Drop::no_path)).frames;
  }

  Bench bench;
};

TEST_F(CardEcmp, flows_of_a_dead_link_move_all_others_stay_and_they_come_back) {
  constexpr unsigned kFlows = 20'000;
  const auto before = ways(kFlows);
  ASSERT_EQ(before.size(), kFlows);
  const auto on = [&](unsigned port) {
    return static_cast<unsigned>(
        std::count_if(before.begin(), before.end(), [&](const auto& one) { return one.second == port; }));
  };
  EXPECT_NEAR(on(6), kFlows / 2.0, 4 * std::sqrt(kFlows / 4.0));
  for (const unsigned dead : {7U, 6U}) {
    bench.setPortUp(dead, false);
    bench.card.run(4);
    for (const auto& [flow, port] : ways(kFlows)) ASSERT_EQ(port, 13 - dead) << flow;
    bench.setPortUp(dead, true);
    bench.card.run(4);
    EXPECT_EQ(ways(kFlows), before);
  }
  EXPECT_EQ(bench.allDropped(kCustomer), Count{});
  // Each frame is in its member's counter, bytes as received.
  const Count six = bench.member(kGroup, 6), seven = bench.member(kGroup, 7);
  EXPECT_EQ(six.frames, 3 * on(6) + kFlows);
  EXPECT_EQ(seven.frames, 3 * on(7) + kFlows);
  EXPECT_EQ(six.bytes, six.frames * 60);
  EXPECT_EQ(bench.member(kGroup, 5), Count{});
  EXPECT_EQ(bench.member(kGroup - 1, 6), Count{});
}

// A decision per cycle: frames of a beat each, at the bus's speed, all of flows on the link that falls. Those whose
// link was chosen before are dropped by name, in or behind the decision, so their number is the number of cycles.
TEST_F(CardEcmp, dead_link_is_out_of_the_decisions_within_16_cycles) {
  std::vector<Frame> frames;
  for (unsigned flow = 0; frames.size() < 200; ++flow) {
    const Frame frame = flowFrame(flow);
    if (decide(bench.golden, frame, kCustomer).out.egress_port == 7) frames.push_back(frame);
  }
  bench.unexpected = 1;  // the golden model does not know in which cycle the link falls
  std::uint64_t worst = 0, late = 0;
  for (unsigned round = 0; round < 20; ++round) {
    std::array<std::uint64_t, 8> sent{};
    bench.on_sent = [&](const sim::SentFrame& frame) { ++sent[frame.port]; };
    for (const Frame& frame : frames) bench.card.receive(kCustomer, frame);
    bench.card.run(60 + round);
    bench.card.setPortUp(7, false);
    ASSERT_TRUE(bench.card.drain(10'000));
    const std::uint64_t dropped = droppedUnderWay(kCustomer) - late;
    late += dropped;
    worst = std::max(worst, dropped);
    EXPECT_GT(bench.dropped(kCustomer, 37).frames, 0U);
    EXPECT_GT(sent[7], 0U);
    EXPECT_GT(sent[6], 100U);
    EXPECT_EQ(sent[6] + sent[7] + dropped, frames.size()) << "every other frame found its way";
    bench.card.setPortUp(7, true);
    bench.card.run(4);
  }
  RecordProperty("failover_cycles", static_cast<int>(worst));
  EXPECT_LE(worst, kFailoverCycles);
}

// The same for the port of a customer's LAG, from the backbone.
TEST_F(CardEcmp, dead_lag_member_is_out_of_the_decisions_within_16_cycles) {
  Tables tables = bench.golden;
  tables.setLink(kCustomer, {{kCustomer, 1}, {5, 1}});
  bench.program(tables);
  std::vector<Frame> frames;
  for (unsigned flow = 0; frames.size() < 200; ++flow) {
    const Frame tagged = decide(bench.golden, flowFrame(flow), kCustomer).frame;
    if (decide(bench.golden, tagged, 6).out.egress_port == 5) frames.push_back(tagged);
  }
  bench.unexpected = 1;
  std::array<std::uint64_t, 8> sent{};
  bench.on_sent = [&](const sim::SentFrame& frame) { ++sent[frame.port]; };
  for (const Frame& frame : frames) bench.card.receive(6, frame);
  bench.card.run(60);
  bench.card.setPortUp(5, false);
  ASSERT_TRUE(bench.card.drain(10'000));
  const std::uint64_t late = droppedUnderWay(6);
  EXPECT_GT(sent[5], 0U);
  EXPECT_GT(late, 0U);
  EXPECT_LE(late, kFailoverCycles);
  EXPECT_EQ(sent[kCustomer] + sent[5] + late, frames.size());
}

TEST_F(CardEcmp, group_whose_links_are_all_dead_drops_by_name) {
  bench.setPortUp(6, false);
  bench.setPortUp(7, false);
  bench.card.run(4);
  for (unsigned flow = 0; flow < 50; ++flow) bench.send(kCustomer, flowFrame(flow));
  bench.finish();
  bench.checkDropCounters();
  EXPECT_EQ(bench.dropped(kCustomer, static_cast<unsigned>(kernels::Drop::no_path)), (Count{50, 3000}));
  EXPECT_EQ(bench.member(kGroup, 6), Count{});
}

/// Linear counting, whose standard error is known (driver/include/poplink/driver/card.h).
void expectEstimate(unsigned touched, double flows) {
  constexpr double kSlots = 4096;
  const double t = flows / kSlots, sigma = std::sqrt(kSlots * (std::exp(t) - t - 1));
  EXPECT_NEAR(-kSlots * std::log(1 - touched / kSlots), flows, 4 * sigma);
}

TEST_F(CardEcmp, flows_of_each_link_are_counted_by_the_second) {
  constexpr std::uint64_t kSecond = 1U << 20;
  std::uint64_t now = 1000 * kSecond;
  const auto nextSecond = [&](unsigned seconds) { bench.card.setNow(now += seconds * kSecond); };
  for (const unsigned flows : {300U, 3000U, 20'000U}) {
    nextSecond(1);
    std::array<std::set<unsigned>, 16> slots;
    std::array<unsigned, 16> on{};
    for (unsigned flow = 0; flow < flows; ++flow) {
      const Decision decision = decide(bench.golden, flowFrame(flow), kCustomer);
      const auto link = static_cast<unsigned>(decision.out.link);
      slots.at(link).insert(static_cast<unsigned>(decision.out.flow_slot));
      ++on.at(link);
      for (unsigned frame = 0; frame <= flow % 3; ++frame) bench.send(kCustomer, flowFrame(flow));
      // Neither what comes from the backbone nor what is dropped is a flow towards it.
      if (flow % 16 == 0) bench.send(6, decide(bench.golden, flowFrame(99'999), kCustomer).frame);
      if (flow % 16 == 1) bench.send(kCustomer, flowFrame(50'000 + flow, 9100));
      if (flow % 32 == 31) bench.card.drain(20'000);
    }
    bench.finish();
    EXPECT_EQ(bench.touchedSlots(6), 0U) << "the second is not over";
    nextSecond(1);
    for (unsigned link = 0; link < 16; ++link) EXPECT_EQ(bench.touchedSlots(link), slots.at(link).size()) << link;
    for (const unsigned link : {6U, 7U}) expectEstimate(bench.touchedSlots(link), on.at(link));
    nextSecond(1);
    EXPECT_EQ(bench.touchedSlots(6), 0U) << "a second without a frame";
  }
  bench.send(kCustomer, flowFrame(1));
  bench.finish();
  nextSecond(2);
  EXPECT_EQ(bench.touchedSlots(6) + bench.touchedSlots(7), 0U) << "an empty second between";
}

TEST_F(CardEcmp, seed_and_mode_are_the_cards_own) {
  const auto before = ways(2000);
  Tables tables = bench.golden;
  tables.hash_seed = 77;
  bench.program(tables);
  const auto with_seed = ways(2000);
  EXPECT_NE(with_seed, before);
  tables.hash_symmetric = true;
  bench.program(tables);
  EXPECT_NE(ways(2000), with_seed);  // as the golden model says, or finish() fails
}

TEST_F(CardEcmp, host_reads_what_it_wrote_of_a_link_whatever_is_alive) {
  bench.setPortUp(6, false);
  bench.card.run(4);
  EXPECT_EQ(bench.readEntry("link", 6), forward_rtl::LinkPort::pack(bench.golden.link[6]));
  bench.writeEntry("link", 7, forward_rtl::LinkPort::pack(kernels::LinkEntry{false, 0x80}));
  bench.golden.link[7] = {false, 0x80};
  for (unsigned flow = 0; flow < 10; ++flow) bench.send(kCustomer, flowFrame(flow));
  bench.finish();
  EXPECT_EQ(bench.dropped(kCustomer, static_cast<unsigned>(kernels::Drop::no_path)).frames, 10U);
}

}  // namespace
}  // namespace poplink::tests
