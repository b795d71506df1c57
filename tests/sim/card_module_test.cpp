// SPDX-License-Identifier: Apache-2.0
// The card in SystemC: its clock beside SystemC time, its time, its links.
#include "card_module.h"

#include <gtest/gtest.h>

#include "card_function.h"
#include "fresh_kernel.h"
#include "poplink/card_map.h"

namespace poplink::sim {
namespace {

namespace reg = card_map::reg;

struct Sink : FrameSink {
  void deliver(std::span<const std::uint8_t> frame) override { got.emplace_back(frame.begin(), frame.end()); }
  std::vector<Frame> got;
};

class SystemCCard : public ::testing::Test {
 protected:
  SystemCCard() { function.configWrite(kPciCommand, 2, kPciMemorySpace); }
  std::uint32_t read(std::uint32_t address) {
    std::uint32_t value = 0;
    EXPECT_TRUE(function.barRead(0, address, value));
    return value;
  }
  bool link(unsigned port) {
    return card_map::field::kPortStatusUp.of(read(reg::kPortStatus + port * reg::kPortStatusStride)) != 0;
  }
  static void run(std::uint64_t cycles) { sc_core::sc_start(static_cast<double>(cycles) * kCycle); }
  void runToRest() {
    do run(kQuantumCycles);
    while (!card.quiescent());
  }

  FreshKernel kernel;  // before the modules
  std::uint64_t wall_us = 0;
  CardModule card{"card", [this](std::uint64_t cycle) { return wall_us != 0 ? wall_us : cycle; }};
  CardFunction function{"function", card};
};

TEST_F(SystemCCard, cycle_follows_systemc_time_while_busy_and_while_idle) {
  const std::uint64_t start = card.model().cycle();
  std::vector<std::uint64_t> received;
  card.model().on_received = [&](unsigned, std::uint64_t cycle) { received.push_back(cycle - start); };
  run(1'000);
  card.ingress(0).deliver(Frame(60, 1));
  run(1'000'000);
  card.ingress(0).deliver(Frame(60, 1));
  runToRest();
  EXPECT_EQ(received, (std::vector<std::uint64_t>{1'001, 1'001'001}));
}

TEST_F(SystemCCard, is_not_clocked_while_idle) {
  run(100);
  const std::uint64_t before = card.model().cycle();
  sc_core::sc_start(sc_core::sc_time(3600, sc_core::SC_SEC));  // an hour of cycles would take days
  EXPECT_EQ(card.model().cycle(), before);
}

TEST_F(SystemCCard, register_accesses_take_no_systemc_time) {
  run(1);
  const std::uint64_t start = card.model().cycle();
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(read(reg::kMagic), card_map::kMagicValue);
  const std::uint64_t spent = card.model().cycle() - start;
  EXPECT_GT(spent, 1'000U);
  std::uint64_t received = 0;
  card.model().on_received = [&](unsigned, std::uint64_t cycle) { received = cycle - start; };
  card.ingress(0).deliver(Frame(60, 1));
  runToRest();
  EXPECT_EQ(received, spent + 1) << "the card is not made to wait for the time of its registers' accesses";
}

TEST_F(SystemCCard, time_can_be_that_of_the_cycle) {
  run(1);
  read(reg::kMagic);  // wakes the card
  const std::uint64_t before = card.model().cycle();
  EXPECT_EQ(read(reg::kNowUsLow), before);
  const std::uint64_t after = card.model().cycle();
  run(5'000);
  EXPECT_EQ(read(reg::kNowUsLow), after + 5'000) << "cycles slept through count";
}

TEST_F(SystemCCard, time_of_an_idle_card_is_that_of_the_access) {
  run(1);
  wall_us = 1'000;
  EXPECT_EQ(read(reg::kNowUsLow), 1'000U);
  wall_us = 5'000'000'000;
  EXPECT_EQ(read(reg::kNowUsLow), 5'000'000'000 & 0xFFFF'FFFF);
  EXPECT_EQ(read(reg::kNowUsHigh), 1U);
}

TEST_F(SystemCCard, port_has_a_link_when_it_is_connected) {
  Sink sink;
  card.connect(3, sink);
  run(1);
  for (unsigned port = 0; port < CardModel::kPortCount; ++port) EXPECT_EQ(link(port), port == 3) << port;
}

TEST_F(SystemCCard, light_and_link_change_under_a_card_at_rest) {
  Sink sink;
  std::vector<unsigned> interrupts;
  card.connect(3, sink);
  run(1'000);
  card.model().host.on_interrupt = [&](unsigned vector) { interrupts.push_back(vector); };
  function.barWrite(0, reg::kEventClear, card_map::field::kEventClearArm.with(1));
  runToRest();
  card.setLight(3, std::nullopt);
  EXPECT_EQ(interrupts, (std::vector<unsigned>{kEventVector}));
  runToRest();
  EXPECT_TRUE(link(3)) << "light is not yet the link";
  const std::uint32_t status = read(reg::kPortStatus + 3 * reg::kPortStatusStride);
  EXPECT_EQ(card_map::field::kPortStatusLos.of(status), 1U);
  card.setLink(3, false);
  EXPECT_FALSE(link(3));
}

/// Arms a repetition of a frame of 60 bytes on a port.
void repeat(CardFunction& function, unsigned port, std::uint32_t interval_us, std::uint32_t lifetime_us) {
  const std::pair<std::uint32_t, std::uint32_t> writes[] = {
      {reg::kRepeatBytes, 60},
      {reg::kRepeatWait, interval_us},
      {reg::kRepeatInterval, interval_us},
      {reg::kRepeatLifetime, lifetime_us},
      {reg::kRepeatControl + 4 * port, card_map::field::kRepeatControlArm.with(1)}};
  for (const auto& [address, value] : writes) EXPECT_TRUE(function.barWrite(0, address, value));
}

TEST_F(SystemCCard, sleeps_between_the_frames_that_it_repeats_and_a_reset_of_the_function_changes_nothing) {
  struct Stamps : FrameSink {
    void deliver(std::span<const std::uint8_t>) override { us.push_back(sc_core::sc_time_stamp().to_seconds() * 1e6); }
    std::vector<double> us;
  } sink;
  CardModule timed("timed", [](std::uint64_t cycle) { return cycle * kNsPerCycle / 1000; });
  CardFunction of_it("of_it", timed);
  timed.connect(3, sink);
  of_it.configWrite(kPciCommand, 2, kPciMemorySpace);
  run(1'000);
  repeat(of_it, 3, 1'000'000, 10'000'000);
  of_it.reset();
  runToRest();
  sc_core::sc_start(sc_core::sc_time(3600, sc_core::SC_SEC));  // an hour of cycles would take days
  EXPECT_EQ(sink.us.size(), 10U);
  for (std::size_t i = 1; i < sink.us.size(); ++i) EXPECT_NEAR(sink.us[i] - sink.us[i - 1], 1e6, 2) << i;
  EXPECT_FALSE(timed.alarmUs());
}

TEST_F(SystemCCard, who_keeps_another_time_wakes_it_when_the_alarm_says) {
  Sink sink;
  card.connect(3, sink);
  wall_us = 5'000'000;
  run(1'000);
  repeat(function, 3, 1'000'000, 2'500'000);
  runToRest();
  ASSERT_EQ(card.alarmUs(), 6'000'000U);
  const std::uint64_t before = card.model().cycle();
  for (int i = 0; i < 100; ++i) card.attend();
  EXPECT_EQ(card.model().cycle(), before) << "not before its time";
  std::vector<std::uint64_t> alarms;
  while (const auto alarm = card.alarmUs()) {
    alarms.push_back(*alarm);
    ASSERT_LT(alarms.size(), 5U);
    wall_us = *alarm;
    card.attend();
    EXPECT_FALSE(card.quiescent());
    runToRest();
  }
  EXPECT_EQ(alarms, (std::vector<std::uint64_t>{6'000'000, 7'000'000, 7'500'001}));
  EXPECT_EQ(sink.got.size(), 2U);
}

TEST_F(SystemCCard, frames_are_padded_as_a_mac_does) {
  run(1);
  card.ingress(2).deliver(Frame(42, 1));
  card.ingress(2).deliver(Frame(61, 1));
  runToRest();
  EXPECT_EQ(read(card_map::window::kPortCounters + 2 * 32), 2U) << "received, no runt among them";
  EXPECT_EQ(read(card_map::window::kPortCounters + 2 * 32 + 8), 121U) << "bytes";
}

TEST_F(SystemCCard, other_accesses_than_of_32_bits_are_refused) {
  run(1);
  std::array<unsigned char, 8> data{};
  tlm::tlm_generic_payload payload;
  payload.set_read();
  payload.set_address(reg::kMagic);
  payload.set_data_ptr(data.data());
  for (const unsigned length : {1U, 2U, 8U}) {
    payload.set_data_length(length);
    payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    sc_core::sc_time delay;
    card.bar0.get_base_interface().b_transport(payload, delay);
    EXPECT_EQ(payload.get_response_status(), tlm::TLM_BURST_ERROR_RESPONSE) << length;
  }
}

}  // namespace
}  // namespace poplink::sim
