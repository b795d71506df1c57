// SPDX-License-Identifier: Apache-2.0
// The MACs around the Verilated card: time on the wire, padding, bad frames, a stuck link partner, the register port.
#include <gtest/gtest.h>

#include <numeric>

#include "card_bench.h"

namespace poplink::tests {
namespace {

using sim::PortSpeed;

constexpr unsigned kTenGigabit = 40, kGigabit = 4;  ///< bits per cycle

std::uint64_t cyclesOf(std::size_t bytes, unsigned bits_per_cycle) {
  return (8 * bytes + bits_per_cycle - 1) / bits_per_cycle;
}

/// The cycle in which each frame's last beat came in, by port.
struct Arrivals {
  explicit Arrivals(sim::CardModel& card) {
    card.on_received = [this](unsigned port, std::uint64_t cycle) { at[port].push_back(cycle); };
  }
  std::map<unsigned, std::vector<std::uint64_t>> at;
};

Frame plain(std::size_t length, std::uint8_t seed = 1) {
  Frame frame(length);
  std::iota(frame.begin(), frame.end(), seed);
  const std::uint8_t head[] = {2, 0, 0, 0, 0, 0xB, 2, 0, 0, 0, 0, seed, 8, 0};
  std::copy_n(std::begin(head), std::min(length, sizeof head), frame.begin());
  return frame;
}

class IngressMac : public ::testing::TestWithParam<std::pair<PortSpeed, unsigned>> {};

TEST_P(IngressMac, takes_preamble_frame_fcs_and_gap_of_each_frame_at_the_port_s_speed) {
  const auto [speed, bits] = GetParam();
  sim::CardModel card(speed);
  Arrivals arrivals(card);
  const std::size_t sizes[] = {62, 71, 126, 1501, 61};  // whole cycles at both speeds
  const std::uint64_t start = card.cycle();
  for (const std::size_t size : sizes) card.receive(2, Frame(size, 0xAA));
  ASSERT_TRUE(card.drain(100'000));
  ASSERT_EQ(arrivals.at[2].size(), 5U);
  EXPECT_EQ(arrivals.at[2][0], start + cyclesOf(62 + sim::kPreambleBytes, bits) + 1) << "the beat takes its cycle";
  for (std::size_t i = 1; i < 5; ++i)
    EXPECT_EQ(arrivals.at[2][i] - arrivals.at[2][i - 1], cyclesOf(sizes[i] + 24, bits)) << i;
}

TEST_P(IngressMac, keeps_the_gap_when_the_next_frame_is_handed_over_just_behind_the_last) {
  const auto [speed, bits] = GetParam();
  sim::CardModel card(speed);
  Arrivals arrivals(card);
  for (int i = 0; i < 3; ++i) {
    card.receive(2, Frame(61, 0xAA));
    while (card.waiting(2) != 0) card.step();
  }
  EXPECT_EQ(arrivals.at[2][1] - arrivals.at[2][0], cyclesOf(61 + 24, bits));
  EXPECT_EQ(arrivals.at[2][2] - arrivals.at[2][1], cyclesOf(61 + 24, bits));
}

TEST_P(IngressMac, does_not_make_up_for_time_in_which_the_wire_was_silent) {
  const auto [speed, bits] = GetParam();
  sim::CardModel card(speed);
  Arrivals arrivals(card);
  card.receive(2, Frame(61, 0xAA));
  ASSERT_TRUE(card.drain(10'000));
  card.skip(5'000);
  const std::uint64_t start = card.cycle();
  card.receive(2, Frame(61, 0xAA));
  card.receive(2, Frame(61, 0xAA));
  ASSERT_TRUE(card.drain(10'000));
  EXPECT_EQ(arrivals.at[2][1], start + cyclesOf(61 + sim::kPreambleBytes, bits) + 1);
  EXPECT_EQ(arrivals.at[2][2] - arrivals.at[2][1], cyclesOf(61 + 24, bits));
}

INSTANTIATE_TEST_SUITE_P(speeds, IngressMac,
                         ::testing::Values(std::pair{PortSpeed::gigabit, kGigabit},
                                           std::pair{PortSpeed::ten_gigabit, kTenGigabit}),
                         [](const auto& info) { return info.param.second == kGigabit ? "1G" : "10G"; });

TEST(Macs, have_their_own_speed_each) {
  sim::CardModel card;
  card.setSpeed(0, PortSpeed::ten_gigabit);
  card.setSpeed(1, PortSpeed::gigabit);
  Arrivals arrivals(card);
  for (int i = 0; i < 40; ++i) {
    for (unsigned port = 0; port < 3; ++port) card.receive(port, Frame(61, 0xAA));
  }
  ASSERT_TRUE(card.drain(100'000));
  const auto took = [&](unsigned port) { return arrivals.at[port].back() - arrivals.at[port].front(); };
  EXPECT_NEAR(static_cast<double>(took(0)), 39.0 * 17, 3);  // one bus: another port's beat may be first
  EXPECT_NEAR(static_cast<double>(took(1)), 39.0 * 170, 3);
  EXPECT_LE(took(2), 39U * 2) << "as fast as the bus";
}

TEST(Macs, let_the_bus_take_a_beat_per_cycle_without_a_speed) {
  sim::CardModel card;
  Arrivals arrivals(card);
  for (int i = 0; i < 10; ++i) card.receive(0, Frame(64 * 3, 0xAA));
  ASSERT_TRUE(card.drain(1'000));
  EXPECT_EQ(arrivals.at[0].back() - arrivals.at[0].front(), 9U * 3);
}

class EgressMac : public ::testing::TestWithParam<std::pair<PortSpeed, unsigned>> {};

TEST_P(EgressMac, sends_at_the_port_s_speed_and_loses_nothing_that_has_room_to_wait) {
  const auto [speed, bits] = GetParam();
  Bench bench;
  bench.program(exampleTables());
  bench.card.setSpeed(7, speed);
  std::vector<std::uint64_t> sent;
  bench.on_sent = [&](const sim::SentFrame& frame) { sent.push_back(frame.last_cycle); };
  constexpr std::size_t kFrames = 20;
  for (std::size_t i = 0; i < kFrames; ++i) bench.send(1, plain(1000, static_cast<std::uint8_t>(i)));
  bench.finish();
  ASSERT_EQ(sent.size(), kFrames);
  // The MAC's buffer holds 256 bytes: the first frame leaves early by that much, all others one wire time apart.
  const double wire = static_cast<double>(cyclesOf(1000 + 4 + 24, bits));
  EXPECT_NEAR(static_cast<double>(sent.back() - sent.front()), wire * (kFrames - 1),
              static_cast<double>(cyclesOf(256 + 64, bits)));
}

INSTANTIATE_TEST_SUITE_P(speeds, EgressMac,
                         ::testing::Values(std::pair{PortSpeed::gigabit, kGigabit},
                                           std::pair{PortSpeed::ten_gigabit, kTenGigabit}),
                         [](const auto& info) { return info.param.second == kGigabit ? "1G" : "10G"; });

TEST(Macs, pad_what_a_popped_tag_leaves_short) {
  Bench bench;
  bench.program(exampleTables());
  Frame tagged = decide(bench.golden, plain(60, 0xF0), 1).frame;
  ASSERT_EQ(tagged.size(), 64U);
  tagged.resize(60, 0);  // from the backbone at the least length: 56 bytes without the S-tag
  std::vector<Frame> sent;
  bench.on_sent = [&](const sim::SentFrame& frame) { sent.push_back(frame.bytes); };
  bench.send(7, tagged);
  bench.finish();
  ASSERT_EQ(sent.size(), 1U);
  Frame expected = plain(56, 0xF0);
  expected[13] = 0, expected.resize(60, 0);
  EXPECT_EQ(sent[0], expected);
}

TEST(Macs, mark_a_bad_frame_and_only_that) {
  Bench bench;
  bench.program(exampleTables());
  bench.send(1, plain(60, 1));
  bench.card.receive(1, plain(60, 2), true);
  bench.send(1, plain(200, 3));
  bench.card.receive(1, plain(200, 4), true);
  bench.send(1, plain(60, 5));
  bench.finish();
  EXPECT_EQ(bench.frames_out, 3U);
  EXPECT_EQ(bench.dropped(1, 32), (Count{2, 260}));
}

TEST(Macs, a_stuck_link_partner_stops_its_port_alone_until_it_takes_again) {
  Bench bench;
  bench.program(exampleTables());
  std::map<unsigned, unsigned> beats;
  bench.on_sent = [&](const sim::SentFrame& frame) { beats[frame.port] += 1; };
  bench.card.blockEgress(7, true);
  for (int i = 0; i < 20; ++i) {
    bench.send(1, plain(60, static_cast<std::uint8_t>(i)));  // to port 7
    bench.send(2, plain(60, static_cast<std::uint8_t>(i)));  // to port 6
  }
  EXPECT_FALSE(bench.card.drain(2'000)) << "frames wait inside";
  EXPECT_EQ(beats[6], 20U);
  EXPECT_LE(beats[7], 4U) << "what may follow after tready has fallen";
  bench.card.blockEgress(7, false);
  bench.finish();
  EXPECT_EQ(beats[7], 20U);
}

TEST(Macs, refuse_a_frame_without_a_byte) {
  sim::CardModel card;
  EXPECT_THROW(card.receive(0, Frame()), std::invalid_argument);
  EXPECT_THROW(card.receive(sim::CardModel::kPortCount, Frame(60)), std::out_of_range);
  EXPECT_TRUE(card.quiescent());
}

TEST(RegisterPort, refusals_are_bus_errors_that_say_where_and_the_next_access_works) {
  sim::CardModel card;
  const auto text = [](auto access) -> std::string {
    try {
      access();
    } catch (const sim::BusError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(text([&] { card.readRegister(0x60000); }), "the card refused a read at BAR0 + 0x60000");
  EXPECT_EQ(text([&] { card.writeRegister(map::reg::kMagic, 1); }), "the card refused a write at BAR0 + 0x00000");
  EXPECT_EQ(text([&] { card.readRegister(sim::kBar0Bytes); }), "the card refused a read at BAR0 + 0x100000");
  EXPECT_EQ(text([&] { card.writeRegister(sim::kBar0Bytes + map::reg::kScratch, 7); }),
            "the card refused a write at BAR0 + 0x100020");
  EXPECT_EQ(card.readRegister(map::reg::kMagic), map::kMagicValue);
  EXPECT_EQ(card.readRegister(map::reg::kScratch), 0U) << "beyond the window is not its start again";
  EXPECT_TRUE(card.drain(100));
}

}  // namespace
}  // namespace poplink::tests
