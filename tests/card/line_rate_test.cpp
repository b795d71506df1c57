// SPDX-License-Identifier: Apache-2.0
// Line rate on all 8 ports at once, both directions, S-tag service: nothing lost, counted by the card's own counters.
// A run takes 10 ms of wire time; POPLINK_LINE_RATE_CYCLES sets another length, 100,000 cycles at least.
#include "line_rate.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "card_access.h"

namespace poplink::tests {
namespace {

constexpr std::uint64_t kRunCycles = 2'500'000;
constexpr double kBusy = 0.99;  ///< below this it was not line rate

std::uint64_t runCycles() {
  const char* text = std::getenv("POPLINK_LINE_RATE_CYCLES");
  return text == nullptr ? kRunCycles : std::strtoull(text, nullptr, 10);
}

class LineRate : public ::testing::TestWithParam<Mix> {
 protected:
  using Meters = std::array<WireMeter, kPorts>;

  LineRate() { bench.program(tables); }

  /// Runs until everything offered within `cycles` is out.
  void run(LineRateSource<sim::CardModel>& source, std::uint64_t cycles) {
    bench.card.on_sent = [this](sim::SentFrame&& frame) {
      out[frame.port].frame(frame.bytes.size(), frame.last_cycle);
    };
    const std::uint64_t end = bench.card.cycle() + cycles;
    while (bench.card.cycle() < end) {
      source.feed();
      bench.card.step();
    }
    ASSERT_TRUE(bench.card.drain(200'000));
  }

  /// What the source offers is worth nothing if it is less than the wires carry: those of the backbone limit, in the
  /// egress direction by themselves, and in the ingress direction because a pair sends both ways at the same rate.
  void expectFullWires(std::uint64_t cycles) {
    for (unsigned port = kPairs; port < kPorts; ++port) {
      EXPECT_GE(out[port].busy(sim::kTenGigabitBytesPerCycle), kBusy) << "backbone port " << port;
      EXPECT_GE(out[port].wireBytes(), cycles * sim::kTenGigabitBytesPerCycle) << "backbone port " << port;
      EXPECT_EQ(out[port].frames(), out[pairOf(port)].frames()) << "backbone port " << port;
    }
  }

  CardAccess<sim::CardModel> bench{sim::PortSpeed::ten_gigabit};
  const Tables tables = pairedTables();
  Meters out;
};

TEST_P(LineRate, loses_nothing_on_eight_ports) {
  LineRateSource source(bench.card, tables, GetParam());
  run(source, runCycles());
  for (unsigned port = 0; port < kPorts; ++port) {
    const std::uint64_t sent = source.sent(port), delivered = bench.sentCount(pairOf(port)).frames;
    const std::uint64_t dropped = bench.allDropped(port).frames;
    EXPECT_EQ(sent - delivered - dropped, 0U) << "lost without a reason, port " << port;
    EXPECT_EQ(dropped, 0U) << "port " << port;
    EXPECT_EQ(bench.received(port).frames, sent) << "port " << port;
    EXPECT_EQ(out[pairOf(port)].frames(), delivered) << "port " << port;
  }
  EXPECT_EQ(map::field::kStatusOverrun.of(bench.card.readRegister(map::reg::kStatus)), 0U);
  expectFullWires(runCycles());
}

INSTANTIATE_TEST_SUITE_P(sizes, LineRate, ::testing::ValuesIn(standardMixes()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace poplink::tests
