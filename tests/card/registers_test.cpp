// SPDX-License-Identifier: Apache-2.0
// What the host sees: identity, tables while traffic flows, counters, refusals.
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <random>

#include "card_bench.h"

namespace poplink::tests {
namespace {

Frame plain(std::uint8_t seed, std::size_t length = 60) {
  Frame frame(length, seed);
  const std::uint8_t head[] = {2, 0, 0, 0, 0, 0xB, 2, 0, 0, 0, 0, seed, 8, 0};
  std::copy(std::begin(head), std::end(head), frame.begin());
  return frame;
}

class Registers : public ::testing::Test {
 protected:
  Bench bench;
};

TEST_F(Registers, identity_and_sizes) {
  EXPECT_EQ(bench.card.readRegister(map::reg::kMagic), map::kMagicValue);
  EXPECT_EQ(bench.card.readRegister(map::reg::kVersion), map::kVersionMajor << 16 | map::kVersionMinor);
  const std::uint32_t geometry = bench.card.readRegister(map::reg::kGeometry);
  EXPECT_EQ(map::field::kGeometryPorts.of(geometry), 8U);
  EXPECT_EQ(map::field::kGeometryDataWidth.of(geometry), 512U);
  EXPECT_EQ(bench.card.readRegister(map::reg::kForwardLatency), forward_rtl::kLatency);
  EXPECT_EQ(bench.card.readRegister(map::reg::kTables), map::kTables.size());
  EXPECT_EQ(bench.card.readRegister(map::reg::kCoreClock), 250000U);
  const std::uint32_t buffers = bench.card.readRegister(map::reg::kBuffers);
  EXPECT_EQ(map::field::kBuffersRx.of(buffers), 512U);
  EXPECT_EQ(map::field::kBuffersTx.of(buffers), 512U);
  const std::uint32_t sketch = bench.card.readRegister(map::reg::kFlowSketch);
  EXPECT_EQ(map::field::kFlowSketchSlots.of(sketch), 4096U);
  EXPECT_EQ(map::field::kFlowSketchSecond.of(sketch), 20U);
  EXPECT_EQ(map::field::kStatusReady.of(bench.card.readRegister(map::reg::kStatus)), 1U);
}

TEST_F(Registers, time_ports_and_scratch) {
  bench.card.setNow(0x1234'5678'9ABC'DEF0);
  EXPECT_EQ(bench.card.readRegister(map::reg::kNowUsLow), 0x9ABC'DEF0U);
  EXPECT_EQ(bench.card.readRegister(map::reg::kNowUsHigh), 0x1234'5678U);
  bench.card.setSerial(0x0123'4567'89AB'CDEF);
  EXPECT_EQ(bench.card.readRegister(map::reg::kSerialLow), 0x89AB'CDEFU);
  EXPECT_EQ(bench.card.readRegister(map::reg::kSerialHigh), 0x0123'4567U);
  bench.card.writeRegister(map::reg::kScratch, 0xDEAD'BEEF);
  EXPECT_EQ(bench.card.readRegister(map::reg::kScratch), 0xDEAD'BEEFU);
  bench.card.setPortUp(3, false);
  for (unsigned p = 0; p < 8; ++p) {
    EXPECT_EQ(
        map::field::kPortStatusUp.of(bench.card.readRegister(map::reg::kPortStatus + p * map::reg::kPortStatusStride)),
        p == 3 ? 0U : 1U);
    EXPECT_EQ(bench.card.readRegister(map::reg::kPortControl + p * map::reg::kPortControlStride), 1U);
    bench.card.writeRegister(map::reg::kPortControl + p * map::reg::kPortControlStride, 0);
    for (unsigned other = 0; other < 8; ++other) EXPECT_EQ(bench.card.portEnabled(other), other > p);
  }
}

TEST_F(Registers, every_writable_register_holds_what_is_written) {
  // Each gets a value of its own before any is read back.
  std::map<std::uint32_t, std::uint32_t> written = {
      {map::reg::kScratch, 0x0123'4567},
      {map::reg::kHashSeed, 0x9876'5432},
      {map::reg::kHashMode, 1},
      {map::reg::kTableSelect, 0xA5},
      {map::reg::kTableIndex, 0x89AB'CDEF},
      {map::reg::kTableCommand, map::field::kTableCommandIncrement.with(1)}};
  for (unsigned i = 0; i < map::reg::kPortControlCount; ++i)
    written[map::reg::kPortControl + i * map::reg::kPortControlStride] = i % 3 == 0 ? 1 : 0;
  for (unsigned i = 0; i < map::reg::kTableDataCount; ++i)
    written[map::reg::kTableData + i * map::reg::kTableDataStride] = 0x1357'9BD0 + i;
  for (const bool inverted : {false, true}) {
    for (auto& [address, value] : written) {
      if (inverted && value > 1) value = ~value;
      if (inverted && value <= 1) value ^= 1;
      if (address == map::reg::kTableSelect) value &= 0xFF;
      if (address == map::reg::kTableCommand) value &= map::field::kTableCommandIncrement.with(1);
      bench.card.writeRegister(address, value);
    }
    for (const auto& [address, value] : written) EXPECT_EQ(bench.card.readRegister(address), value) << address;
  }
}

TEST_F(Registers, card_does_not_rest_while_an_access_is_under_way) {
  constexpr unsigned kSettled = 40;
  auto& dut = bench.card.dut();
  const auto restsWith = [&](auto& signal) {
    signal = 1;
    bench.card.run(kSettled);
    const bool rests = dut.quiescent;
    signal = 0;
    return rests;
  };
  bench.card.run(kSettled);
  ASSERT_TRUE(dut.quiescent);
  dut.s_axil_awaddr = map::reg::kScratch;
  EXPECT_FALSE(restsWith(dut.s_axil_awvalid));
  EXPECT_FALSE(restsWith(dut.s_axil_wvalid));
  dut.s_axil_awvalid = dut.s_axil_wvalid = 1;  // its response stays unfetched
  bench.card.step();
  dut.s_axil_awvalid = dut.s_axil_wvalid = 0;
  bench.card.run(kSettled);
  EXPECT_FALSE(dut.quiescent);
  dut.s_axil_bready = 1;
  bench.card.run(kSettled);
  dut.s_axil_bready = 0;
  EXPECT_TRUE(dut.quiescent);
  dut.s_axil_araddr = map::reg::kMagic;
  EXPECT_FALSE(restsWith(dut.s_axil_arvalid));  // taken at once; its answer stays unfetched
  bench.card.run(kSettled);
  EXPECT_FALSE(dut.quiescent);
  dut.s_axil_rready = 1;
  bench.card.run(kSettled);
  dut.s_axil_rready = 0;
  EXPECT_TRUE(dut.quiescent);
}

TEST_F(Registers, what_is_not_there_or_not_writable_is_refused) {
  for (std::uint32_t address :
       {0x3CU, 0x10C0U, 0x2050U, 0x9000U, 0x10400U, 0x28000U, 0x34000U, 0x60000U, 0xC0040U, 0xFFFFCU, 0x1U}) {
    EXPECT_THROW(bench.card.readRegister(address), sim::BusError) << address;
  }
  for (std::uint32_t window : {map::window::kPortCounters, map::window::kDropCounters, map::window::kServiceCounters,
                               map::window::kMemberCounters, map::window::kHostCounters, map::window::kFlowCounts})
    EXPECT_EQ(bench.card.readRegister(window), 0U) << "the first word of a window is in it";
  for (std::uint32_t address : {map::reg::kMagic, map::reg::kStatus, map::reg::kPortStatus, map::reg::kTableUsed,
                                map::window::kDropCounters, 0x9000U, 0x22U}) {
    EXPECT_THROW(bench.card.writeRegister(address, 1), sim::BusError) << address;
  }
  EXPECT_EQ(bench.card.readRegister(map::reg::kScratch), 0U);
  EXPECT_EQ(bench.card.readRegister(map::reg::kMagic), map::kMagicValue);
}

TEST_F(Registers, refusal_is_slverr) {
  auto& dut = bench.card.dut();
  dut.s_axil_araddr = 0x9000;
  dut.s_axil_arvalid = 1;
  bench.card.step();
  dut.s_axil_arvalid = 0;
  bench.card.run(10);
  EXPECT_TRUE(dut.s_axil_rvalid);
  EXPECT_EQ(dut.s_axil_rresp, 2);
  dut.s_axil_rready = 1;
  bench.card.step();
  dut.s_axil_rready = 0;
}

TEST_F(Registers, partial_writes_are_refused) {
  bench.card.writeRegister(map::reg::kScratch, 0x1111'1111);
  auto& dut = bench.card.dut();
  dut.s_axil_awaddr = map::reg::kScratch;
  dut.s_axil_wdata = 0x2222'2222;
  dut.s_axil_wstrb = 0x7;
  dut.s_axil_awvalid = dut.s_axil_wvalid = 1;
  bench.card.step();
  dut.s_axil_awvalid = dut.s_axil_wvalid = 0;
  dut.eval();
  EXPECT_TRUE(dut.s_axil_bvalid);
  EXPECT_EQ(dut.s_axil_bresp, 2) << "SLVERR";
  dut.s_axil_bready = 1;
  bench.card.step();
  dut.s_axil_bready = 0;
  EXPECT_EQ(bench.card.readRegister(map::reg::kScratch), 0x1111'1111U);
}

TEST_F(Registers, responses_wait_for_the_master) {
  auto& dut = bench.card.dut();
  dut.s_axil_araddr = map::reg::kMagic;
  dut.s_axil_arvalid = 1;
  bench.card.step();
  dut.s_axil_arvalid = 0;
  bench.card.run(20);
  EXPECT_TRUE(dut.s_axil_rvalid);
  EXPECT_FALSE(dut.s_axil_arready);
  EXPECT_EQ(dut.s_axil_rdata, map::kMagicValue);
  EXPECT_FALSE(dut.quiescent);
  dut.s_axil_rready = 1;
  bench.card.step();
  EXPECT_FALSE(dut.s_axil_rvalid);
  dut.s_axil_rready = 0;
  // A write response likewise, and no second write is taken before it is fetched.
  dut.s_axil_awaddr = map::reg::kScratch;
  dut.s_axil_wdata = 5;
  dut.s_axil_wstrb = 0xF;
  dut.s_axil_awvalid = dut.s_axil_wvalid = 1;
  bench.card.step();
  dut.s_axil_wdata = 6;
  bench.card.run(10);
  EXPECT_TRUE(dut.s_axil_bvalid);
  EXPECT_FALSE(dut.s_axil_awready);
  dut.s_axil_awvalid = dut.s_axil_wvalid = 0;
  dut.s_axil_bready = 1;
  bench.card.step();
  dut.s_axil_bready = 0;
  EXPECT_EQ(bench.card.readRegister(map::reg::kScratch), 5U);
}

TEST_F(Registers, tables_are_empty_after_reset_and_hold_what_is_written) {
  std::mt19937_64 random(3);
  for (const map::Table& table : map::kTables) {
    bench.card.writeRegister(map::reg::kTableSelect, table.number);
    EXPECT_EQ(bench.card.readRegister(map::reg::kTableCapacity), table.capacity);
    EXPECT_EQ(bench.card.readRegister(map::reg::kTableUsed), 0U);
    EXPECT_EQ(bench.card.readRegister(map::reg::kTableEntryBits), table.entry_width);
    EXPECT_EQ(static_cast<std::uint64_t>(bench.readEntry(table.name, table.capacity - 1)), 0U);
    std::map<std::uint32_t, std::uint64_t> written;
    for (int i = 0; i < 40; ++i) {
      const std::uint64_t entry = random() & ((std::uint64_t{1} << table.entry_width) - 1);
      const auto index = static_cast<std::uint32_t>(i == 0   ? 0
                                                    : i == 1 ? table.capacity - 1
                                                             : random() % table.capacity);
      bench.writeEntry(table.name, index, static_cast<hls::bits<128>>(entry));
      EXPECT_FALSE(bench.tableError());
      written[index] = entry;
      const auto valid = std::count_if(written.begin(), written.end(), [](const auto& one) { return one.second & 1; });
      ASSERT_EQ(bench.card.readRegister(map::reg::kTableUsed), static_cast<std::uint32_t>(valid)) << table.name;
    }
    for (const auto& [index, entry] : written)
      EXPECT_EQ(static_cast<std::uint64_t>(bench.readEntry(table.name, index)), entry) << table.name << " " << index;
  }
}

TEST_F(Registers, table_that_is_not_there_has_no_size) {
  bench.card.writeRegister(map::reg::kTableSelect, static_cast<std::uint32_t>(map::kTables.size()));
  EXPECT_EQ(bench.card.readRegister(map::reg::kTableCapacity), 0U);
  EXPECT_EQ(bench.card.readRegister(map::reg::kTableUsed), 0U);
  EXPECT_EQ(bench.card.readRegister(map::reg::kTableEntryBits), 0U);
}

TEST_F(Registers, index_moves_on_when_asked_to) {
  bench.card.writeRegister(map::reg::kTableSelect, tableNamed("service").number);
  bench.card.writeRegister(map::reg::kTableIndex, 100);
  const std::uint32_t write = map::field::kTableCommandWrite.with(1) | map::field::kTableCommandIncrement.with(1);
  for (std::uint32_t i = 0; i < 5; ++i) {
    bench.card.writeRegister(map::reg::kTableData, i << 1 | 1);
    bench.card.writeRegister(map::reg::kTableCommand, write);
    bench.awaitTable();
  }
  EXPECT_EQ(bench.card.readRegister(map::reg::kTableIndex), 105U);
  for (std::uint32_t i = 0; i < 5; ++i)
    EXPECT_EQ(static_cast<std::uint32_t>(bench.readEntry("service", 100 + i)), i << 1 | 1);
  bench.card.writeRegister(map::reg::kTableIndex, 102);
  bench.card.writeRegister(map::reg::kTableCommand,
                           map::field::kTableCommandRead.with(1) | map::field::kTableCommandIncrement.with(1));
  bench.awaitTable();
  EXPECT_EQ(bench.card.readRegister(map::reg::kTableData), 5U);
  EXPECT_EQ(bench.card.readRegister(map::reg::kTableIndex), 103U);
}

TEST_F(Registers, command_changes_nothing_that_it_was_not_asked_to) {
  bench.writeEntry("service", 7, static_cast<hls::bits<128>>(0x0F0F'0F0F'0F0F'0F0F >> 10 | 1));
  bench.card.writeRegister(map::reg::kTableIndex, 7);
  bench.card.writeRegister(map::reg::kTableData, 0x1234'5679);
  bench.card.writeRegister(map::reg::kTableCommand, map::field::kTableCommandWrite.with(1));
  bench.awaitTable();
  EXPECT_EQ(bench.card.readRegister(map::reg::kTableData), 0x1234'5679U) << "a write leaves the data words";
  EXPECT_EQ(bench.card.readRegister(map::reg::kTableIndex), 7U);
  bench.card.writeRegister(map::reg::kTableCommand, map::field::kTableCommandRead.with(1));
  bench.awaitTable();
  EXPECT_EQ(bench.card.readRegister(map::reg::kTableIndex), 7U);
}

TEST_F(Registers, command_behind_a_command_waits_for_it) {
  auto& dut = bench.card.dut();
  const std::uint32_t command = map::field::kTableCommandWrite.with(1) | map::field::kTableCommandIncrement.with(1);
  unsigned waited = 0;
  for (unsigned distance = 2; distance <= 8; ++distance) {
    for (std::uint32_t index : {100U, 101U, 102U}) bench.writeEntry("service", index, static_cast<hls::bits<128>>(0));
    bench.card.writeRegister(map::reg::kTableIndex, 100);
    bench.card.writeRegister(map::reg::kTableData, 1);
    dut.s_axil_bready = 1;
    dut.s_axil_awaddr = map::reg::kTableCommand;
    dut.s_axil_wdata = command;
    dut.s_axil_wstrb = 0xF;
    for (unsigned i = 0; i < 2; ++i) {
      dut.s_axil_awvalid = dut.s_axil_wvalid = 1;
      dut.eval();
      for (unsigned cycles = 0; !dut.s_axil_awready && cycles < 100; ++cycles, ++waited) bench.card.step();
      bench.card.step();
      dut.s_axil_awvalid = dut.s_axil_wvalid = 0;
      bench.card.run(distance - 1);
    }
    bench.card.run(10);
    dut.s_axil_bready = 0;
    EXPECT_FALSE(bench.tableError()) << distance;
    EXPECT_EQ(bench.card.readRegister(map::reg::kTableIndex), 102U) << distance;
    for (std::uint32_t index : {100U, 101U, 102U})
      EXPECT_EQ(static_cast<std::uint32_t>(bench.readEntry("service", index)), index < 102 ? 1U : 0U) << distance;
  }
  EXPECT_GT(waited, 0U) << "none came while another was under way";
  EXPECT_LT(waited, 100U);
}

TEST_F(Registers, every_register_begins_as_the_map_says_and_keeps_what_is_written_to_it_alone) {
  const auto each = [&](auto&& visit) {
    for (const map::Register& one : map::kRegisters) {
      for (unsigned i = 0; i < std::max(one.count, 1U); ++i) visit(one, one.address + i * one.stride);
    }
  };
  const auto masked = [](const map::Register& one, auto&& of) {
    std::uint32_t bits = 0;
    for (const map::RegisterField& field : one.fields) {
      if (field.readable && field.writable) bits |= of(field) << field.bits.low;
    }
    return bits;
  };
  const auto ones = [](const map::RegisterField& field) {
    return field.bits.width == 32 ? ~0U : (1U << field.bits.width) - 1;
  };
  std::map<std::uint32_t, std::uint32_t> want;
  std::mt19937 random(1);
  each([&](const map::Register& one, std::uint32_t address) {
    const std::uint32_t mask = masked(one, ones);
    if (mask == 0) return;
    want[address] = masked(one, [](const map::RegisterField& field) { return field.reset; });
    EXPECT_EQ(bench.card.readRegister(address) & mask, want[address]) << one.name;
  });
  // Enabled rings and ports, and table accesses, would change others: those are looked at elsewhere.
  each([&](const map::Register& one, std::uint32_t address) {
    if (!want.contains(address) || one.name == "ring_control" || one.name.starts_with("table_")) return;
    const std::uint32_t mask = masked(one, ones), value = static_cast<std::uint32_t>(random());
    bench.card.writeRegister(address, value & mask);
    want[address] = value & mask;
  });
  each([&](const map::Register& one, std::uint32_t address) {
    if (want.contains(address))
      EXPECT_EQ(bench.card.readRegister(address) & masked(one, ones), want[address])
          << one.name << " " << std::hex << address;
  });
}

TEST_F(Registers, refused_table_access_is_remembered_until_it_is_forgotten) {
  const auto refused = [&] {
    return map::field::kTableStatusRefused.of(bench.card.readRegister(map::reg::kTableStatus));
  };
  const auto write = [&](std::uint32_t index) {
    bench.card.writeRegister(map::reg::kTableIndex, index);
    bench.card.writeRegister(map::reg::kTableCommand, map::field::kTableCommandWrite.with(1));
  };
  bench.card.writeRegister(map::reg::kTableSelect, tableNamed("port").number);
  EXPECT_EQ(refused(), 0U);
  write(3);
  EXPECT_EQ(refused(), 0U);
  write(16);
  write(3);
  EXPECT_EQ(refused(), 1U) << "though the last was none";
  bench.card.writeRegister(map::reg::kTableCommand, map::field::kTableCommandForget.with(1));
  EXPECT_EQ(refused(), 0U);
}

TEST_F(Registers, impossible_table_commands_are_errors_and_change_nothing) {
  bench.card.writeRegister(map::reg::kTableData, 0xFFFF'FFFF);
  const auto attempt = [&](std::uint32_t select, std::uint32_t index, std::uint32_t command) {
    bench.card.writeRegister(map::reg::kTableSelect, select);
    bench.card.writeRegister(map::reg::kTableIndex, index);
    bench.card.writeRegister(map::reg::kTableCommand, command);
    bench.awaitTable();
    return bench.tableError();
  };
  const std::uint32_t write = map::field::kTableCommandWrite.with(1), read = map::field::kTableCommandRead.with(1);
  EXPECT_TRUE(attempt(tableNamed("port").number, 16, write));
  EXPECT_TRUE(attempt(tableNamed("service").number, 4096, read));
  EXPECT_TRUE(attempt(tableNamed("service").number, 0xFFFF'FFFF, write));
  EXPECT_TRUE(attempt(99, 0, write));
  EXPECT_TRUE(attempt(tableNamed("port").number, 0, write | read));
  EXPECT_FALSE(attempt(tableNamed("port").number, 0, read));
  EXPECT_EQ(bench.card.readRegister(map::reg::kTableUsed), 0U);
  EXPECT_EQ(static_cast<std::uint32_t>(bench.readEntry("port", 0)), 0U);
}

TEST_F(Registers, entries_change_whole_while_traffic_flows) {
  Tables tables = exampleTables();
  bench.program(tables);
  bench.unexpected = 1;  // two outcomes are right for each frame; checked here
  const kernels::ServiceEntry first = tables.service[5], second = {true, 1, 6, 0x5A5, 0x9100, 2, 9000};
  Tables other = tables;
  other.service[5] = second;
  std::uint64_t as_first = 0, as_second = 0;
  bench.on_sent = [&](const sim::SentFrame& frame) {
    const Frame sent = plain(frame.bytes[11]);
    if (frame.port == 7 && frame.bytes == decide(tables, sent, 1).frame)
      ++as_first;
    else if (frame.port == 6 && frame.bytes == decide(other, sent, 1).frame)
      ++as_second;
    else
      ADD_FAILURE() << "a frame saw half an entry";
  };
  for (int i = 0; i < 400; ++i) {
    for (int k = 0; k < 8; ++k) bench.card.receive(1, plain(static_cast<std::uint8_t>(k)));
    bench.writeEntry("service", 5, forward_rtl::ServicePort::pack(i % 2 == 0 ? second : first));
    EXPECT_EQ(bench.readEntry("service", 5), forward_rtl::ServicePort::pack(i % 2 == 0 ? second : first));
  }
  ASSERT_TRUE(bench.card.drain(10'000));
  EXPECT_EQ(as_first + as_second, 3200U);
  EXPECT_GT(as_first, 300U);
  EXPECT_GT(as_second, 300U);
}

TEST_F(Registers, counters_are_exact_under_load_and_while_read) {
  bench.program(exampleTables());
  bench.unexpected = 1;
  std::uint64_t last = 0;
  for (int i = 0; i < 200; ++i) {
    for (int k = 0; k < 10; ++k) bench.card.receive(1, plain(1, 60 + static_cast<std::size_t>(k)));
    const Count now = bench.service(5, true);
    EXPECT_GE(now.frames, last);
    last = now.frames;
  }
  ASSERT_TRUE(bench.card.drain(10'000));
  EXPECT_EQ(bench.service(5, true), (Count{2000, 200 * 645}));
  EXPECT_EQ(bench.service(5, false), Count{});
  EXPECT_EQ(bench.received(1), (Count{2000, 200 * 645}));
  EXPECT_EQ(bench.sentCount(7), (Count{2000, 200 * 685}));
}

}  // namespace
}  // namespace poplink::tests
