// SPDX-License-Identifier: Apache-2.0
// A flood of one class on one port at the wire's speed, and everybody else: each other (port, class) sends at the rate
// that its policer allows, and all of it must arrive, in order.
#include <map>
#include <random>

#include "card_bench.h"
#include "host_bench.h"

namespace poplink::tests {
namespace {

using Ring = TestRing<Bench>;

constexpr unsigned kPortsUsed = 8, kFloodPort = 3;
constexpr unsigned kClasses[] = {0, 1, 3};  // BFD frames are not told apart yet
constexpr std::uint64_t kFrameUs = 50;      // 20 000 frames a second and (port, class)
constexpr std::uint64_t kBurst = 32;
constexpr std::uint64_t kRunUs = 10'000;
constexpr std::uint64_t kCyclesPerUs = 250;

/// Slow protocol, a host port's traffic, or a bridge PDU that a capture copies.
Frame frameOf(unsigned host_class, std::size_t bytes, std::uint32_t number) {
  Frame frame = host_class == 1 ? routingFrame(bytes, number) : slowFrame(bytes, number);
  if (host_class == 3) frame[5] = frame[12] = 0, frame[13] = 0x26;
  return frame;
}

struct Flood {
  unsigned host_class;
  std::size_t bytes;
};
std::ostream& operator<<(std::ostream& out, const Flood& flood) {
  return out << "class_" << flood.host_class << "_of_" << flood.bytes << "_bytes";
}

class HostFlood : public ::testing::TestWithParam<Flood> {};

TEST_P(HostFlood, leaves_every_other_port_and_class_its_rate_and_order) {
  Bench bench(sim::PortSpeed::ten_gigabit);
  TestMemory memory(64U << 20);
  bench.card.host.memory = &memory;
  Tables tables = exampleTables();
  for (unsigned port = 0; port < kPortsUsed; ++port)
    tables.port[port] = {true, static_cast<hls::bits<2>>(kernels::Role::host), true, static_cast<hls::bits<4>>(port),
                         0x88A8};
  bench.program(tables);
  std::map<unsigned, std::unique_ptr<Ring>> rings;
  for (const unsigned c : kClasses) {
    rings[c] = std::make_unique<Ring>(bench, memory, c, 8);
    while (rings[c]->free() != 0) rings[c]->post();
    rings[c]->ring();
    bench.card.writeRegister(map::reg::kPolicePortInterval + 4 * c, kFrameUs * 256);
    bench.card.writeRegister(map::reg::kPolicePortTolerance + 4 * c, (kBurst - 1) * kFrameUs);
  }
  bench.card.writeRegister(map::reg::kCapturePorts, (1U << kPortsUsed) - 1);
  bench.card.writeRegister(map::reg::kCaptureOutcomesLow, 1U << static_cast<unsigned>(kernels::Drop::stp));
  bench.card.writeRegister(map::reg::kCaptureControl, 1);

  std::map<std::pair<unsigned, unsigned>, std::uint32_t> sent, received;  // by class and port
  std::uint64_t out_of_order = 0, flooded = 0, flood_arrived = 0;
  const std::uint32_t kOfFlood = 1U << 31;
  const auto collect = [&] {
    for (auto& [c, ring] : rings) {
      bool any = false;
      while (const auto one = ring->poll()) {
        any = true;
        ring->post();
        const std::uint32_t number = numberOf(one->frame);
        if ((number & kOfFlood) != 0) {
          ++flood_arrived;
          continue;
        }
        out_of_order += number != received[{c, one->port}]++;
      }
      if (any) ring->ring();
    }
  };
  const std::uint64_t start = bench.card.cycle();
  std::mt19937_64 random(1);
  std::map<std::pair<unsigned, unsigned>, std::uint64_t> due;
  for (const unsigned c : kClasses) {
    for (unsigned port = 0; port < kPortsUsed; ++port) due[{c, port}] = 1000 + random() % kFrameUs;
  }
  for (std::uint64_t us = 1000; us < 1000 + kRunUs; ++us) {
    bench.card.setNow(us);
    for (auto& [who, when] : due) {
      const auto [c, port] = who;
      if (us < when || (c == GetParam().host_class && port == kFloodPort)) continue;
      when += kFrameUs;
      bench.card.receive(port, frameOf(c, 60 + random() % 200, sent[who]++));
    }
    for (unsigned part = 0; part < kCyclesPerUs; part += 25) {
      while (bench.card.waiting(kFloodPort) < 4)
        bench.card.receive(kFloodPort, frameOf(GetParam().host_class, GetParam().bytes,
                                               kOfFlood | static_cast<std::uint32_t>(flooded++)));
      bench.card.run(25);
    }
    collect();
  }
  const std::uint64_t cycles = bench.card.cycle() - start;
  ASSERT_TRUE(bench.card.drain(5'000'000));
  collect();
  ASSERT_TRUE(bench.card.drain(5'000'000));
  collect();

  // The flood was one: more than nine tenths of the wire.
  const auto wire = static_cast<double>(flooded * (GetParam().bytes + sim::kWireOverheadBytes)) /
                    static_cast<double>(cycles * sim::kTenGigabitBytesPerCycle);
  EXPECT_GT(wire, 0.9);
  EXPECT_EQ(out_of_order, 0U);
  for (const auto& [who, frames] : sent) {
    EXPECT_EQ(received[who], frames) << "class " << who.first << " port " << who.second;
    EXPECT_GE(frames, kRunUs / kFrameUs - 1);
  }
  EXPECT_EQ(sent.size(), 3 * kPortsUsed - 1);
  EXPECT_LE(flood_arrived, kRunUs / kFrameUs + kBurst + 2);
  EXPECT_GE(flood_arrived, kRunUs / kFrameUs);
  const Count policed = hostCount(bench, GetParam().host_class, kFloodPort, Fate::port_policed);
  const Count none = hostCount(bench, GetParam().host_class, kFloodPort, Fate::no_room);
  EXPECT_EQ(policed.frames + none.frames + flood_arrived, flooded) << "each frame of the flood is counted";
  EXPECT_EQ(memory.violations, 0U);
}

INSTANTIATE_TEST_SUITE_P(of, HostFlood,
                         ::testing::Values(Flood{0, 60}, Flood{1, 60}, Flood{3, 60}, Flood{0, 9216}, Flood{1, 9216},
                                           Flood{3, 1514}),
                         ::testing::PrintToStringParamName());

}  // namespace
}  // namespace poplink::tests
