// SPDX-License-Identifier: Apache-2.0
// Line rate on all 8 ports at once, both directions, S-tag service: nothing lost, counted by the card's own counters.
// POPLINK_LINE_RATE_CYCLES sets the length of each run; 2,500,000 cycles are 10 ms of wire time.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <numeric>

#include "card_bench.h"

namespace poplink::tests {
namespace {

constexpr unsigned kPairs = 4;  // customer port p and backbone port p + 4

std::uint64_t runCycles() {
  const char* text = std::getenv("POPLINK_LINE_RATE_CYCLES");
  return text == nullptr ? 150'000 : std::strtoull(text, nullptr, 10);
}

Tables pairedTables() {
  Tables tables;
  for (unsigned p = 0; p < kPairs; ++p) {
    tables.port[p] = {true, 0, true, static_cast<kernels::bits<4>>(p), 0x88A8};
    tables.port[p + 4] = {true, 2, true, static_cast<kernels::bits<4>>(p + 4), 0x88A8};
    tables.attachment[p] = {true, false, 0, true, static_cast<kernels::bits<12>>(p)};
    tables.service[p] = {true,
                         static_cast<kernels::bits<4>>(p),
                         static_cast<kernels::bits<4>>(p + 4),
                         static_cast<kernels::bits<12>>(100 + p),
                         0x88A8,
                         0,
                         9000};
    tables.vid[((p + 4) << 12) | (100 + p)] = {true, static_cast<kernels::bits<12>>(p)};
  }
  return tables;
}

/// Frame sizes of one run in turn, with FCS, as the customer sends them.
struct Mix {
  const char* name;
  std::vector<std::size_t> sizes;
};

class LineRate : public ::testing::TestWithParam<Mix> {};

TEST_P(LineRate, loses_nothing_on_eight_ports) {
  CardBench<sim::CardModel> bench(sim::PortSpeed::ten_gigabit);
  const Tables tables = pairedTables();
  bench.program(tables);
  bench.card.on_sent = nullptr;
  std::map<unsigned, std::uint64_t> out;
  bench.card.on_sent = [&](sim::SentFrame&& frame) { ++out[frame.port]; };
  // Towards the backbone a frame grows by the S-tag: the customer offers what the backbone port can carry. Every port's
  // wire is kept just so full that no egress port exceeds its speed after encapsulation.
  struct Source {
    std::uint64_t free_cycle_times_5 = 0;  // in bytes of wire time
    std::size_t next = 0;
    std::uint64_t sent = 0;
  };
  std::array<Source, 8> sources;
  std::vector<Frame> customer, backbone;
  for (std::size_t size : GetParam().sizes) {
    Frame frame(size - 4);
    std::iota(frame.begin(), frame.end(), std::uint8_t{1});
    const std::uint8_t head[] = {2, 0, 0, 0, 0, 0xB, 2, 0, 0, 0, 0, 0xA, 8, 0};
    std::copy(std::begin(head), std::end(head), frame.begin());
    customer.push_back(frame);
  }
  std::array<std::vector<Frame>, 8> frames;
  for (unsigned p = 0; p < kPairs; ++p) {
    for (const Frame& frame : customer) {
      frames[p].push_back(frame);
      frames[p + 4].push_back(decide(tables, frame, p).frame);
    }
  }
  const std::uint64_t start = bench.card.cycle(), end = start + runCycles();
  const auto wall = std::chrono::steady_clock::now();
  while (bench.card.cycle() < end) {
    for (unsigned p = 0; p < 8; ++p) {
      Source& source = sources[p];
      if (source.free_cycle_times_5 > (bench.card.cycle() - start) * sim::kTenGigabitBytesPerCycle) continue;
      const Frame& frame = frames[p][source.next];
      // The wire time of the longer of the two forms: the tagged one.
      const std::size_t tagged = frames[p % 4 + 4][source.next].size();
      source.free_cycle_times_5 += tagged + sim::kWireOverheadBytes;
      bench.card.receive(p, frame);
      source.next = (source.next + 1) % frames[p].size();
      ++source.sent;
    }
    bench.card.step();
  }
  ASSERT_TRUE(bench.card.drain(200'000));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - wall).count();
  const std::uint64_t cycles = bench.card.cycle() - start;
  std::uint64_t total = 0;
  for (unsigned p = 0; p < 8; ++p) {
    const std::uint64_t lost = sources[p].sent - bench.received(p).frames + bench.allDropped(p).frames;
    EXPECT_EQ(lost, 0U) << "port " << p;
    EXPECT_EQ(out[(p + 4) % 8], sources[p].sent) << "port " << p;
    EXPECT_EQ(bench.sentCount((p + 4) % 8).frames, sources[p].sent);
    total += sources[p].sent;
  }
  EXPECT_EQ(map::field::kStatusOverrun.of(bench.card.readRegister(map::reg::kStatus)), 0U);
  EXPECT_GT(total, 8U);
  std::printf("line_rate size=%s cycles=%llu frames=%llu lost=0 frames_per_cycle=%.4f kcycles_per_s=%.0f\n",
              GetParam().name, static_cast<unsigned long long>(cycles), static_cast<unsigned long long>(total),
              static_cast<double>(total) / static_cast<double>(cycles), static_cast<double>(cycles) / seconds / 1000);
}

INSTANTIATE_TEST_SUITE_P(sizes, LineRate,
                         ::testing::Values(Mix{"64", {64}}, Mix{"65", {65}}, Mix{"128", {128}}, Mix{"1518", {1518}},
                                           Mix{"9018", {9018}},
                                           Mix{"IMIX", {64, 64, 64, 64, 64, 64, 64, 570, 570, 570, 570, 1518}}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace poplink::tests
