// SPDX-License-Identifier: Apache-2.0
// The card with other parameters: narrower buses, another number of ports. Built once per variant.
#include <gtest/gtest.h>

#include <numeric>

#include "card_bench.h"

namespace poplink::tests {
namespace {

constexpr unsigned kPorts = sim::CardModel::kPortCount;

TEST(CardVariant, random_traffic_equals_forward) {
  Bench bench;
  bench.program(exampleTables());
  std::mt19937_64 random(POPLINK_CARD_BEAT_BYTES);
  for (int i = 0; i < 12'000; ++i) {
    const std::size_t length = random() % 8 == 0 ? 60 + random() % 1500 : 60 + random() % 140;
    bench.card.receive(static_cast<unsigned>(random() % kPorts), Frame(30 + random() % 30, 0));  // runts between
    const auto port = static_cast<unsigned>(random() % kPorts);
    const Frame frame = randomFrame(random, length);
    bench.send(port, frame);
    if (i % 16 == 0) bench.card.drain(100'000);
  }
  bench.finish();
  bench.checkDropCounters();
  EXPECT_GT(bench.frames_out, 1'000U);
}

TEST(CardVariant, every_length_modulo_the_width_keeps_its_bytes) {
  Bench bench;
  Tables tables = exampleTables();
  tables.setPorts({kPorts - 1});
  tables.service[0].group = kPorts - 1;  // a link that every variant has
  tables.vid[((kPorts - 1) << 12) | 1000] = {true, 0};
  tables.port[kPorts - 1] = {true, 2, true, kPorts - 1, 0x88A8};
  bench.program(tables);
  for (std::size_t length = 60; length < 60 + 5 * POPLINK_CARD_BEAT_BYTES; ++length) {
    Frame frame(length);
    std::iota(frame.begin(), frame.end(), static_cast<std::uint8_t>(length));
    const std::uint8_t head[] = {2, 0, 0, 0, 0, 0xB, 2, 0, 0, 0, 0, 7, 0x81, 0, 0, 100, 8, 0};
    std::copy(std::begin(head), std::end(head), frame.begin());
    ASSERT_EQ(static_cast<unsigned>(bench.send(0, frame).out.drop), 0U);
    ASSERT_EQ(static_cast<unsigned>(bench.send(kPorts - 1, decide(tables, frame, 0).frame).out.drop), 0U);
    if (length % 8 == 0) bench.card.drain(100'000);
  }
  bench.finish();
  EXPECT_EQ(bench.frames_out, 10U * POPLINK_CARD_BEAT_BYTES);
}

void expectFresh(Bench& bench) {
  for (std::uint32_t address : {map::reg::kScratch, map::reg::kTableSelect, map::reg::kTableIndex,
                                map::reg::kTableCommand, map::reg::kTableStatus, map::reg::kTableUsed}) {
    EXPECT_EQ(bench.card.readRegister(address), 0U) << address;
  }
  for (unsigned i = 0; i < map::reg::kTableDataCount; ++i)
    EXPECT_EQ(bench.card.readRegister(map::reg::kTableData + i * map::reg::kTableDataStride), 0U);
  for (unsigned i = 0; i < map::reg::kPortControlCount; ++i)
    EXPECT_EQ(bench.card.readRegister(map::reg::kPortControl + i * map::reg::kPortControlStride), 1U);
  const std::uint32_t status = bench.card.readRegister(map::reg::kStatus);
  EXPECT_EQ(map::field::kStatusReady.of(status), 1U);
  EXPECT_EQ(map::field::kStatusOverrun.of(status), 0U);
  EXPECT_EQ(map::field::kStatusEmpty.of(status), 1U);
  for (unsigned p = 0; p < kPorts; ++p) {
    EXPECT_EQ(bench.received(p), Count{});
    EXPECT_EQ(bench.sentCount(p), Count{});
    EXPECT_EQ(bench.allDropped(p), Count{});
  }
  for (unsigned service : {0U, 1U, 4095U}) EXPECT_EQ(bench.service(service, true), Count{});
  for (const map::Table& table : map::kTables) {
    for (std::uint32_t index : {0U, 1U, table.capacity - 1})
      EXPECT_EQ(static_cast<std::uint64_t>(bench.readEntry(table.name, index)), 0U) << table.name << " " << index;
  }
}

TEST(CardVariant, comes_up_as_documented_whatever_was_in_its_registers) {
  for (int seed = 1; seed <= 6; ++seed) {
    Bench bench(sim::PortSpeed::bus, seed);
    expectFresh(bench);
  }
}

TEST(CardVariant, tells_its_sizes) {
  Bench bench;
  EXPECT_EQ(map::field::kGeometryPorts.of(bench.card.readRegister(map::reg::kGeometry)), kPorts);
  EXPECT_EQ(map::field::kGeometryDataWidth.of(bench.card.readRegister(map::reg::kGeometry)),
            8U * POPLINK_CARD_BEAT_BYTES);
}

TEST(CardVariant, shows_the_module_of_its_first_and_of_its_last_port) {
  Bench bench;
  for (unsigned p = 0; p < kPorts; ++p) bench.card.setModule(p, std::nullopt);
  for (const unsigned p : {0U, kPorts - 1}) {
    sim::Module module;
    module.serial = "PORT " + std::to_string(p);
    bench.card.setModule(p, module);
    bench.card.setReceivedLight(p, -3.0 - p);
  }
  for (unsigned p = 0; p < 16; ++p) {
    const bool plugged = p == 0 || p == kPorts - 1;
    const std::uint32_t status = bench.card.readRegister(map::reg::kPortStatus + p * map::reg::kPortStatusStride);
    const std::uint32_t light = bench.card.readRegister(map::reg::kPortLight + p * map::reg::kPortLightStride);
    EXPECT_EQ(map::field::kPortStatusModule.of(status), plugged ? 1U : 0U) << p;
    EXPECT_EQ(map::field::kPortStatusSpeed.of(status), p < kPorts ? 10'000U : 0U) << p;
    EXPECT_EQ(map::field::kPortLightReceive.of(light), plugged ? sim::tenthsOfMicrowatt(-3.0 - p) : 0U) << p;
    const std::uint32_t serial = map::window::kModuleMemory + p * sim::kModuleBytes + 68;
    if (plugged)
      EXPECT_EQ(bench.card.readRegister(serial + 4) & 0xFFFF, p > 9 ? ('1' << 8 | ' ') : (('0' + p) << 8 | ' ')) << p;
    else
      EXPECT_THROW(bench.card.readRegister(serial), sim::BusError) << p;
  }
}

}  // namespace
}  // namespace poplink::tests
