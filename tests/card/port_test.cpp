// SPDX-License-Identifier: Apache-2.0
// What the card shows of its ports beside traffic: link, speed, module, light, and the modules' memories that the board
// keeps.
#include <gtest/gtest.h>

#include "card_bench.h"

namespace poplink::tests {
namespace {

namespace field = map::field;

class Ports : public ::testing::Test {
 protected:
  std::uint32_t status(unsigned port) {
    return card.readRegister(map::reg::kPortStatus + port * map::reg::kPortStatusStride);
  }
  std::uint32_t light(unsigned port) {
    return card.readRegister(map::reg::kPortLight + port * map::reg::kPortLightStride);
  }
  std::uint32_t memory(unsigned port, unsigned byte) {
    return card.readRegister(map::window::kModuleMemory + port * sim::kModuleBytes + byte);
  }
  /// Cycles that a refused access takes.
  std::uint64_t refusal(unsigned port, unsigned byte) {
    const std::uint64_t start = card.cycle();
    EXPECT_THROW(memory(port, byte), sim::BusError) << port << " " << byte;
    return card.cycle() - start;
  }
  /// Ports with an event, which are cleared; the interrupt is armed again.
  std::uint32_t events() {
    const std::uint32_t ports = field::kEventStatusLinks.of(card.readRegister(map::reg::kEventStatus));
    card.writeRegister(map::reg::kEventClear, field::kEventClearLinks.with(ports) | field::kEventClearClear.with(1) |
                                                  field::kEventClearArm.with(1));
    return ports;
  }

  Bench bench;
  sim::CardModel& card = bench.card;
};

TEST_F(Ports, each_shows_its_own_link_speed_module_and_light) {
  for (unsigned p = 0; p < 8; ++p) {
    card.setSpeed(p, p % 2 == 0 ? sim::PortSpeed::gigabit : sim::PortSpeed::ten_gigabit);
    sim::Module module;
    module.fault = p == 5;
    module.optic = {-0.5 * p, -14.4};
    card.setModule(p, p == 3 ? std::nullopt : std::optional(module));
    if (p != 3) card.setReceivedLight(p, p == 6 ? std::nullopt : std::optional(-1.0 - p));
    card.setPortUp(p, p != 2);
  }
  for (unsigned p = 0; p < 8; ++p) {
    EXPECT_EQ(field::kPortStatusUp.of(status(p)), p != 2 ? 1U : 0U) << p;
    EXPECT_EQ(field::kPortStatusSpeed.of(status(p)), p % 2 == 0 ? 1'000U : 10'000U) << p;
    EXPECT_EQ(field::kPortStatusModule.of(status(p)), p != 3 ? 1U : 0U) << p;
    EXPECT_EQ(field::kPortStatusFault.of(status(p)), p == 5 ? 1U : 0U) << p;
    EXPECT_EQ(field::kPortStatusLos.of(status(p)), p == 6 ? 1U : 0U) << p;
    const bool sends = p != 3 && p != 5, receives = p != 3 && p != 6;
    EXPECT_EQ(field::kPortLightTransmit.of(light(p)), sends ? std::lround(std::pow(10, -0.05 * p) * 10'000) : 0) << p;
    EXPECT_EQ(field::kPortLightReceive.of(light(p)), receives ? std::lround(std::pow(10, -0.1 - 0.1 * p) * 10'000) : 0)
        << p;
  }
  for (unsigned p = 8; p < map::reg::kPortStatusCount; ++p) {
    EXPECT_EQ(status(p), 0U) << "a port that the card does not have";
    EXPECT_EQ(light(p), 0U);
  }
}

TEST_F(Ports, every_byte_of_every_module_is_read_through_the_window) {
  for (unsigned p = 0; p < 8; ++p) {
    sim::Module module;
    module.serial = "SERIAL " + std::to_string(p);
    card.setModule(p, module);
    card.setReceivedLight(p, -3.0 - p);
    const sim::ModuleImage image(module, -3.0 - p);
    for (unsigned byte = 0; byte < sim::kModuleBytes; byte += 4) {
      const std::uint32_t word = memory(p, byte);
      for (unsigned i = 0; i < 4; ++i) ASSERT_EQ(word >> (8 * i) & 0xFF, image.bytes()[byte + i]) << p << " " << byte;
    }
  }
}

TEST_F(Ports, memory_that_is_not_there_is_refused_at_once) {
  constexpr std::uint64_t kAtOnce = 10;
  card.setModule(4, std::nullopt);
  EXPECT_LE(refusal(4, 0), kAtOnce);
  EXPECT_LE(refusal(8, 0), kAtOnce) << "a port that the card does not have";
  EXPECT_LE(refusal(15, 508), kAtOnce);
  EXPECT_THROW(card.writeRegister(map::window::kModuleMemory, 0), sim::BusError);
  EXPECT_THROW(memory(3, 1), sim::BusError) << "no whole word";
  EXPECT_EQ(memory(3, 0) & 0xFF, 3U);
}

TEST_F(Ports, board_that_does_not_answer_costs_a_bounded_time_and_nothing_else) {
  constexpr std::uint64_t kLimit = 4096;
  card.modules.answers = false;
  for (unsigned i = 0; i < 3; ++i) {
    const std::uint64_t cycles = refusal(i, 0);
    EXPECT_GE(cycles, kLimit);
    EXPECT_LE(cycles, kLimit + 10) << "each access has the whole time, and no more";
    EXPECT_FALSE(card.dut().module_req) << "withdrawn";
    EXPECT_EQ(card.readRegister(map::reg::kMagic), map::kMagicValue);
  }
  card.modules.answers = true;
  card.modules.answer_cycles = kLimit - 1;
  EXPECT_EQ(memory(2, 0) & 0xFF, 3U) << "as late as may be";
  card.modules.answer_cycles = kLimit;
  refusal(2, 0);
  card.modules.answer_cycles = 0;
  EXPECT_EQ(memory(2, 0) & 0xFF, 3U);
  EXPECT_TRUE(card.drain(100));
}

TEST_F(Ports, card_does_not_rest_while_the_board_is_asked) {
  auto& dut = card.dut();
  card.modules.answers = false;
  dut.s_axil_araddr = map::window::kModuleMemory;
  dut.s_axil_arvalid = 1;
  card.step();
  dut.s_axil_arvalid = 0;
  card.run(100);
  EXPECT_FALSE(dut.quiescent);
  EXPECT_TRUE(dut.module_req);
  dut.s_axil_rready = 1;
  card.run(4096 + 100);
  EXPECT_TRUE(dut.quiescent);
}

TEST_F(Ports, every_change_is_an_event_of_its_port) {
  unsigned interrupts = 0;
  card.host.on_interrupt = [&](unsigned vector) {
    EXPECT_EQ(vector, 8U);
    ++interrupts;
  };
  EXPECT_EQ(events(), 0U) << "what is so from the start has not changed";
  sim::Module failed;
  failed.fault = true;
  const std::pair<const char*, std::function<void()>> changes[] = {
      {"link", [&] { card.setPortUp(6, false); }},
      {"loss of light", [&] { card.setReceivedLight(6, std::nullopt); }},
      {"light again", [&] { card.setReceivedLight(6, -3.0); }},
      {"pulled", [&] { card.setModule(6, std::nullopt); }},
      {"plugged", [&] { card.setModule(6, sim::Module{}); }},
      {"fault", [&] { card.setModule(6, failed); }}};
  for (const auto& [what, change] : changes) {
    const unsigned before = interrupts;
    change();
    EXPECT_FALSE(card.quiescent() && (card.step(), card.quiescent())) << what;
    ASSERT_TRUE(card.drain(100));
    EXPECT_EQ(interrupts, before + 1) << what;
    EXPECT_EQ(events(), 1U << 6) << what;
  }
  const unsigned before = interrupts;
  card.setReceivedLight(6, -4.0);  // enough, as before
  card.run(100);
  EXPECT_EQ(events(), 0U);
  EXPECT_EQ(interrupts, before);
}

}  // namespace
}  // namespace poplink::tests
