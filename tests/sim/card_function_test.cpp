// SPDX-License-Identifier: Apache-2.0
// The card as a PCI function: configuration, capabilities, MSI-X, reset, and what the command register allows.
#include "card_function.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "fresh_kernel.h"
#include "poplink/card_map.h"

namespace poplink::sim {
namespace {

namespace reg = card_map::reg;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint16_t kPower = 0x40, kMsixCapability = 0x50, kExpress = 0x60;
constexpr std::uint16_t kMsixControl = kMsixCapability + 2, kDeviceControl = kExpress + 8;
constexpr std::uint32_t kEnable = 0x8000, kFunctionMask = 0x4000, kInitiateReset = 0x8000;

struct Host : PciHost {
  bool readMemory(std::uint64_t address, std::span<std::uint8_t> into) override {
    if (address + into.size() > memory.size()) return false;
    std::copy_n(memory.begin() + static_cast<std::ptrdiff_t>(address), into.size(), into.begin());
    return true;
  }
  bool writeMemory(std::uint64_t address, std::span<const std::uint8_t> from) override {
    if (address + from.size() > memory.size()) return false;
    std::copy(from.begin(), from.end(), memory.begin() + static_cast<std::ptrdiff_t>(address));
    return true;
  }
  void message(std::uint64_t address, std::uint32_t data) override { messages.emplace_back(address, data); }

  std::vector<std::uint8_t> memory = std::vector<std::uint8_t>(4096);
  std::vector<std::pair<std::uint64_t, std::uint32_t>> messages;
};

class PciCard : public ::testing::Test {
 protected:
  PciCard() {
    sc_core::sc_start(kCycle);
    function.attach(&host);
    enable();
  }
  void enable() { function.configWrite(kPciCommand, 2, kPciMemorySpace | kPciBusMaster); }
  std::uint32_t read(std::uint64_t offset, unsigned bar = 0) {
    std::uint32_t value = 0;
    EXPECT_TRUE(function.barRead(bar, offset, value)) << bar << " " << offset;
    return value;
  }
  void write(unsigned bar, std::uint64_t offset, std::uint32_t value) {
    EXPECT_TRUE(function.barWrite(bar, offset, value)) << bar << " " << offset;
  }
  bool answers(unsigned bar = 0) {
    std::uint32_t value = 0;
    return function.barRead(bar, 0, value);
  }
  /// Vector v sends v + 0x40 to 0x1'FEE0'0000 + 16 * v.
  void programVectors() {
    for (unsigned v = 0; v < Msix::kVectors; ++v) {
      write(2, 16 * v, 0xFEE0'0000 + 16 * v);
      write(2, 16 * v + 4, 1);
      write(2, 16 * v + 8, v + 0x40);
      write(2, 16 * v + 12, 0);
    }
    function.configWrite(kMsixControl, 2, kEnable);
  }
  static std::pair<std::uint64_t, std::uint32_t> messageOf(unsigned v) { return {0x1'FEE0'0000 + 16 * v, v + 0x40}; }
  std::uint32_t pending() { return read(0x800, 2); }
  void mask(unsigned vector, bool masked) { write(2, 16 * vector + 12, masked ? 1 : 0); }

  FreshKernel kernel;  // before the modules
  Host host;
  CardModule card{"card", [](std::uint64_t cycle) { return cycle; }};
  CardFunction function{"function", card};
};

TEST_F(PciCard, ids_and_class_are_those_of_a_poplink_card) {
  EXPECT_EQ(function.configRead(0x00, 2), kPciVendor);
  EXPECT_EQ(function.configRead(0x02, 2), kPciDevice);
  EXPECT_EQ(function.configRead(0x00, 4), std::uint32_t{kPciDevice} << 16 | kPciVendor);
  EXPECT_EQ(function.configRead(0x08, 1), 1U) << "revision";
  EXPECT_EQ(function.configRead(0x08, 4) >> 8, kPciClass);
  EXPECT_EQ(function.configRead(0x0B, 1), kPciClass >> 16) << "a byte in the middle";
  EXPECT_EQ(function.configRead(0x0E, 1), 0U) << "header type 0";
  EXPECT_EQ(function.configRead(0x2C, 2), kPciVendor);
  EXPECT_EQ(function.configRead(0x2E, 2), kPciDevice);
  EXPECT_EQ(function.configRead(0x3D, 1), 0U) << "no interrupt pin";
}

TEST_F(PciCard, bars_tell_their_size_and_keep_their_address) {
  for (const auto& [at, bytes] : std::map<std::uint16_t, std::uint32_t>{{0x10, kBar0Bytes}, {0x18, 4096}}) {
    EXPECT_EQ(function.configRead(at, 4), 0U) << "32-bit memory, not prefetchable";
    function.configWrite(at, 4, 0xFFFF'FFFF);
    EXPECT_EQ(function.configRead(at, 4), ~(bytes - 1));
    function.configWrite(at, 4, 0xE123'4567);
    EXPECT_EQ(function.configRead(at, 4), 0xE123'4567U & ~(bytes - 1));
    function.configWrite(static_cast<std::uint16_t>(at + 3), 1, 0xAB);
    EXPECT_EQ(function.configRead(at, 4), 0xAB23'4567U & ~(bytes - 1));
  }
  for (const std::uint16_t bar : std::vector<std::uint16_t>{0x14, 0x1C, 0x20, 0x24, 0x28, 0x30}) {
    function.configWrite(bar, 4, 0xFFFF'FFFF);
    EXPECT_EQ(function.configRead(bar, 4), 0U) << "there is no other BAR";
  }
  ASSERT_EQ(function.bars().size(), 2U);
  EXPECT_EQ(function.bars()[0].number, 0U);
  EXPECT_EQ(function.bars()[0].bytes, kBar0Bytes);
  EXPECT_EQ(function.bars()[1].number, 2U);
  EXPECT_EQ(function.bars()[1].bytes, 4096U);
}

TEST_F(PciCard, accesses_to_registers_are_counted) {
  const RegisterAccesses before = function.accesses();
  read(reg::kMagic);
  read(reg::kScratch);
  write(0, reg::kScratch, 1);
  read(0, 2);  // no register of the card's, but MSI-X
  function.configRead(0, 4);
  EXPECT_EQ(function.accesses().reads - before.reads, 2U);
  EXPECT_EQ(function.accesses().writes - before.writes, 1U);
}

TEST_F(PciCard, capabilities_are_power_msix_and_express) {
  std::map<std::uint32_t, std::uint16_t> found;
  EXPECT_EQ(function.configRead(0x06, 2), 0x10U) << "status: there are capabilities";
  for (auto at = static_cast<std::uint16_t>(function.configRead(0x34, 1)); at != 0;
       at = static_cast<std::uint16_t>(function.configRead(static_cast<std::uint16_t>(at + 1), 1)))
    ASSERT_TRUE(found.emplace(function.configRead(at, 1), at).second) << "a list, not a ring";
  EXPECT_EQ(found, (std::map<std::uint32_t, std::uint16_t>{{0x01, kPower}, {0x11, kMsixCapability}, {0x10, kExpress}}));
  EXPECT_EQ(function.configRead(kPower + 2, 2), 3U) << "version 3: no D1, no D2, no PME";
  EXPECT_EQ(function.configRead(kPower + 4, 2), 8U) << "D0, no soft reset";
  EXPECT_EQ(function.configRead(kMsixControl, 2), Msix::kVectors - 1);
  EXPECT_EQ(function.configRead(kMsixCapability + 4, 4), 2U) << "table at 0 of BAR2";
  EXPECT_EQ(function.configRead(kMsixCapability + 8, 4), 0x802U) << "pending bits at 0x800 of BAR2";
  EXPECT_EQ(function.configRead(kExpress + 2, 2), 2U) << "version 2, endpoint";
  EXPECT_EQ(function.configRead(kExpress + 4, 4) >> 28, 1U) << "function-level reset";
}

TEST_F(PciCard, only_the_writable_bits_of_the_configuration_change) {
  std::map<std::uint16_t, std::uint32_t> before;
  for (unsigned at = 0; at < 4096; at += 4)
    before[static_cast<std::uint16_t>(at)] = function.configRead(static_cast<std::uint16_t>(at), 4);
  for (const auto& [at, value] : before) function.configWrite(at, 4, at == kDeviceControl ? ~value & 0x7FFF : ~value);
  const std::map<std::uint16_t, std::uint32_t> writable = {
      {kPciCommand, 0x06}, {0x10, ~(kBar0Bytes - 1)},      {0x18, 0xFFFF'F000},      {0x3C, 0xFF},
      {kPower + 4, 3},     {kMsixCapability, 0xC000'0000}, {kDeviceControl, 0x78FF}, {kExpress + 0x10, 0x40}};
  for (const auto& [at, value] : before) {
    const auto found = writable.find(at);
    EXPECT_EQ(function.configRead(at, 4) ^ value, found == writable.end() ? 0 : found->second) << at;
  }
}

TEST_F(PciCard, configuration_outside_or_of_another_size_reads_as_0_and_ignores_writes) {
  EXPECT_EQ(function.configRead(4096, 4), 0U);
  EXPECT_EQ(function.configRead(0xFFFF, 4), 0U);
  EXPECT_EQ(function.configRead(4094, 4), 0U);
  for (const unsigned size : {0U, 3U, 5U, 8U, 64U, 65'535U}) {
    EXPECT_EQ(function.configRead(0, size), 0U) << size;
    function.configWrite(0x3C, size, 0xFFFF'FFFF);
    EXPECT_EQ(function.configRead(0x3C, 1), 0U) << size;
  }
  function.configWrite(4096, 4, 0xFFFF'FFFF);
  function.configWrite(0xFFFF, 4, 0xFFFF'FFFF);
}

TEST_F(PciCard, bar_accesses_that_no_register_answers_are_refused) {
  std::uint32_t value = 0x5555;
  EXPECT_FALSE(function.barRead(1, reg::kMagic, value)) << "no such BAR";
  EXPECT_FALSE(function.barWrite(5, reg::kScratch, 1));
  EXPECT_FALSE(function.barRead(0, kBar0Bytes, value)) << "behind the BAR";
  EXPECT_FALSE(function.barRead(0, kBar0Bytes + reg::kMagic, value));
  EXPECT_FALSE(function.barRead(0, (std::uint64_t{1} << 32) + reg::kMagic, value)) << "not cut to 32 bits";
  EXPECT_FALSE(function.barWrite(0, (std::uint64_t{1} << 32) + reg::kScratch, 1));
  EXPECT_FALSE(function.barRead(0, reg::kMagic + 1, value)) << "not aligned";
  EXPECT_FALSE(function.barRead(0, 0x60000, value)) << "a hole";
  EXPECT_FALSE(function.barWrite(0, reg::kMagic, 1)) << "read only";
  EXPECT_FALSE(function.barRead(2, 4096, value)) << "behind the BAR";
  EXPECT_FALSE(function.barRead(2, 2, value)) << "not aligned";
  EXPECT_EQ(value, 0x5555U) << "a refused read gives nothing";
  EXPECT_TRUE(function.barWrite(0, reg::kScratch, 0xCAFE));
  EXPECT_EQ(read(reg::kScratch), 0xCAFEU);
  EXPECT_EQ(read(reg::kMagic), card_map::kMagicValue);
}

TEST_F(PciCard, bars_answer_only_with_memory_space_enabled_and_in_d0) {
  EXPECT_TRUE(answers(0) && answers(2));
  function.configWrite(kPciCommand, 2, kPciBusMaster);
  EXPECT_FALSE(answers(0) || answers(2));
  EXPECT_FALSE(function.barWrite(0, reg::kScratch, 7));
  enable();
  EXPECT_NE(read(reg::kScratch), 7U);
  function.configWrite(kPower + 4, 2, 3);
  EXPECT_FALSE(answers(0) || answers(2)) << "D3hot";
  function.configWrite(kPower + 4, 2, 0);
  EXPECT_TRUE(answers(0) && answers(2)) << "nothing is lost";
}

TEST_F(PciCard, power_states_that_it_does_not_have_are_ignored) {
  for (const std::uint32_t state : {0U, 3U}) {
    function.configWrite(kPower + 4, 2, state);
    for (const std::uint32_t other : {1U, 2U}) {
      function.configWrite(kPower + 4, 2, other);
      EXPECT_EQ(function.configRead(kPower + 4, 1) & 3, state);
    }
  }
}

TEST_F(PciCard, dma_needs_a_host_bus_mastering_and_d0) {
  std::array<std::uint8_t, 4> data{1, 2, 3, 4};
  std::array<std::uint8_t, 4> back{};
  EXPECT_TRUE(function.writeHost(100, data));
  EXPECT_TRUE(function.readHost(100, back));
  EXPECT_EQ(back, data);
  EXPECT_FALSE(function.writeHost(4093, data)) << "the host says no";
  function.configWrite(kPciCommand, 2, kPciMemorySpace);
  EXPECT_FALSE(function.writeHost(100, data) || function.readHost(100, back)) << "no bus master";
  enable();
  function.configWrite(kPower + 4, 2, 3);
  EXPECT_FALSE(function.writeHost(100, data) || function.readHost(100, back)) << "D3hot";
  function.configWrite(kPower + 4, 2, 0);
  function.attach(nullptr);
  EXPECT_FALSE(function.writeHost(100, data) || function.readHost(100, back)) << "no host";
  function.raise(0);
}

TEST_F(PciCard, vector_sends_the_message_of_its_entry) {
  programVectors();
  for (const unsigned vector : {8U, 0U, 3U, 3U}) function.raise(vector);
  EXPECT_THAT(host.messages, ElementsAre(messageOf(8), messageOf(0), messageOf(3), messageOf(3)));
  EXPECT_EQ(pending(), 0U);
}

TEST_F(PciCard, vectors_are_masked_and_off_until_they_are_programmed) {
  for (unsigned v = 0; v < Msix::kVectors; ++v) EXPECT_EQ(read(16 * v + 12, 2), 1U);
  function.raise(1);
  function.configWrite(kMsixControl, 2, kEnable);
  EXPECT_EQ(pending(), 0U) << "nothing is remembered while MSI-X is off";
  function.raise(1);
  EXPECT_EQ(pending(), 2U);
  EXPECT_THAT(host.messages, IsEmpty());
}

TEST_F(PciCard, masked_vector_is_pending_and_sent_once_when_unmasked) {
  programVectors();
  mask(2, true);
  function.raise(2);
  function.raise(2);
  function.raise(5);
  EXPECT_THAT(host.messages, ElementsAre(messageOf(5))) << "the others are not held";
  EXPECT_EQ(pending(), 4U);
  write(2, 2 * 16 + 8, 0x99);
  mask(2, false);
  EXPECT_THAT(host.messages, ElementsAre(messageOf(5), std::pair(messageOf(2).first, 0x99U))) << "as the entry is now";
  EXPECT_EQ(pending(), 0U);
}

TEST_F(PciCard, function_mask_holds_all_vectors) {
  programVectors();
  mask(4, true);
  function.configWrite(kMsixControl, 2, kEnable | kFunctionMask);
  for (unsigned v = 0; v < Msix::kVectors; ++v) function.raise(v);
  EXPECT_THAT(host.messages, IsEmpty());
  EXPECT_EQ(pending(), 0x1FFU);
  function.configWrite(kMsixControl, 2, kEnable);
  EXPECT_EQ(host.messages.size(), 8U);
  EXPECT_EQ(pending(), 1U << 4) << "its own mask holds";
}

TEST_F(PciCard, messages_wait_until_the_function_is_a_bus_master) {
  programVectors();
  function.configWrite(kPciCommand, 2, kPciMemorySpace);
  function.raise(6);
  EXPECT_THAT(host.messages, IsEmpty());
  EXPECT_EQ(pending(), 1U << 6);
  enable();
  EXPECT_THAT(host.messages, ElementsAre(messageOf(6)));
}

TEST_F(PciCard, msix_table_keeps_what_is_written_and_nothing_else) {
  write(2, 0x00, 0xFFFF'FFFF);
  write(2, 0x04, 0xFFFF'FFFF);
  write(2, 0x08, 0xFFFF'FFFF);
  write(2, 0x0C, 0xFFFF'FFFF);
  EXPECT_EQ(read(0x00, 2), 0xFFFF'FFFCU) << "a dword's address";
  EXPECT_EQ(read(0x04, 2), 0xFFFF'FFFFU);
  EXPECT_EQ(read(0x08, 2), 0xFFFF'FFFFU);
  EXPECT_EQ(read(0x0C, 2), 1U) << "only the mask";
  for (const std::uint64_t offset : std::vector<std::uint64_t>{0x90, 0x7FC, 0x800, 0x804, 0xFFC}) {
    write(2, offset, 0xFFFF'FFFF);
    EXPECT_EQ(read(offset, 2), 0U) << offset;
  }
}

TEST_F(PciCard, function_level_reset_stops_interrupts_and_keeps_the_card) {
  programVectors();
  mask(1, true);
  function.raise(1);
  write(0, reg::kScratch, 0xCAFE);
  function.configWrite(0x10, 4, 0xE000'0000);
  function.configWrite(kDeviceControl, 2, function.configRead(kDeviceControl, 2) | kInitiateReset);
  EXPECT_EQ(function.configRead(kPciCommand, 2), 0U);
  EXPECT_EQ(function.configRead(0x10, 4), 0U);
  EXPECT_EQ(function.configRead(kDeviceControl, 2), 0x2810U) << "the bit reads as 0";
  function.raise(3);
  EXPECT_FALSE(answers());
  enable();
  EXPECT_EQ(pending(), 0U);
  EXPECT_EQ(read(12, 2), 1U) << "masked";
  EXPECT_THAT(host.messages, IsEmpty());
  EXPECT_EQ(read(reg::kScratch), 0xCAFEU) << "what the card does goes on";
  programVectors();
  function.raise(3);
  EXPECT_THAT(host.messages, ElementsAre(messageOf(3))) << "its host is still its host";
}

TEST_F(PciCard, reset_by_the_second_byte_of_the_register_is_one_too) {
  function.configWrite(kDeviceControl + 1, 1, kInitiateReset >> 8);
  EXPECT_EQ(function.configRead(kPciCommand, 2), 0U);
  enable();
  function.configWrite(kDeviceControl, 1, 0xFF);
  EXPECT_NE(function.configRead(kPciCommand, 2), 0U);
}

TEST_F(PciCard, link_that_changes_is_an_event) {
  programVectors();
  card.setLink(2, true);
  EXPECT_THAT(host.messages, IsEmpty()) << "nobody asked for it";
  const auto arm = [&] {
    EXPECT_TRUE(function.barWrite(0, reg::kEventClear,
                                  card_map::field::kEventClearLinks.with(0xFFFF) |
                                      card_map::field::kEventClearClear.with(1) |
                                      card_map::field::kEventClearArm.with(1)));
  };
  arm();
  card.setLink(2, true);
  EXPECT_THAT(host.messages, IsEmpty()) << "no change";
  card.setLink(2, false);
  EXPECT_THAT(host.messages, ElementsAre(messageOf(kEventVector)));
  card.setLink(2, true);
  EXPECT_THAT(host.messages, ElementsAre(messageOf(kEventVector))) << "one until it is asked for again";
  EXPECT_EQ(read(reg::kEventStatus), 1U << 2);
}

}  // namespace
}  // namespace poplink::sim
