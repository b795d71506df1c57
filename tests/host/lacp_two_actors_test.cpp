// SPDX-License-Identifier: Apache-2.0
// Two systems and the cables between them, in all combinations of what they may be set to.
#include "lacp_lab.h"

namespace poplink::host::lacp {
namespace {

/// Bits: active, fast, independent of either system; which has the better id; port priorities against the numbers.
class TwoActors {
 public:
  explicit TwoActors(int bits) : bits_(bits) {}

  bool bit(int i) const { return (bits_ >> i & 1) != 0; }
  bool passive() const { return !bit(0) && !bit(1); }
  GroupSettings settings(std::uint8_t system) const {
    const int side = system - 1;
    GroupSettings settings = lagSettings(system);
    settings.active = bit(side);
    settings.fast = bit(2 + side);
    settings.independent_control = bit(4 + side);
    settings.system_priority = bit(6) == (side == 1) ? 1 : 2;
    return settings;
  }
  std::string describe() const {
    std::string text;
    for (const int side : {0, 1})
      text += std::string(side == 0 ? "a: " : "; b: ") + (bit(side) ? "active " : "passive ") +
              (bit(2 + side) ? "fast " : "slow ") + (bit(4 + side) ? "independent" : "coupled");
    return text + (bit(6) ? "; a is better" : "; b is better") + (bit(7) ? "; b's ports are better" : "");
  }
  void build(Lab& lab, const CableSettings& cable = {}) {
    a_ = lab.add(settings(1), 2, 100);
    b_ = lab.add(settings(2), 2, bit(7) ? 7 : 100);
    for (std::uint16_t i = 0; i < 2; ++i) lab.setLink(lab.cable(a_, i, b_, i, cable), true);
  }
  bool up(Lab& lab) const {
    return lab.distributes(a_, 0) && lab.distributes(a_, 1) && lab.distributes(b_, 0) && lab.distributes(b_, 1);
  }
  std::size_t events(Lab& lab) const { return lab.events(a_).size() + lab.events(b_).size(); }
  std::size_t a() const { return a_; }
  std::size_t b() const { return b_; }

 private:
  int bits_;
  std::size_t a_ = 0, b_ = 0;
};

/// Of all 256, or of those where at least one is active.
void forAll(bool passive_too, const std::function<void(TwoActors&)>& test) {
  for (int bits = 0; bits < 256; ++bits) {
    TwoActors pair(bits);
    if (pair.passive() && !passive_too) continue;
    SCOPED_TRACE(pair.describe());
    test(pair);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(LacpTwoActors, distribute_within_aggregate_wait_and_two_fast_periods) {
  forAll(true, [](TwoActors& pair) {
    Lab lab;
    pair.build(lab);
    const auto time = lab.runUntil([&] { return pair.up(lab); }, pair.passive() ? 600s : 4s);
    EXPECT_EQ(time.has_value(), !pair.passive());
    if (pair.passive()) EXPECT_EQ(lab.sent(), 0u) << "who is not spoken to is silent";
  });
}

TEST(LacpTwoActors, converge_over_a_cable_that_loses_a_fifth_and_delays) {
  std::uint64_t seed = 0;
  forAll(false, [&seed](TwoActors& pair) {
    Lab lab(++seed);
    pair.build(lab, {1ms, 300ms, {0.2, 0.2}});
    EXPECT_TRUE(lab.runUntil([&] { return pair.up(lab); }, 600s));
  });
}

TEST(LacpTwoActors, rest_once_up) {
  forAll(false, [](TwoActors& pair) {
    Lab lab;
    pair.build(lab);
    lab.runFor(100s);
    ASSERT_TRUE(pair.up(lab));
    const std::size_t events = pair.events(lab), sent = lab.sent();
    lab.runFor(600s);
    EXPECT_TRUE(pair.up(lab));
    EXPECT_EQ(pair.events(lab), events) << "no change without a reason";
    // Each sends as often as the other asks: two ports, 600 or 20 times.
    const std::size_t expected = 2 * ((pair.bit(2) ? 600u : 20u) + (pair.bit(3) ? 600u : 20u));
    EXPECT_NEAR(static_cast<double>(lab.sent() - sent), static_cast<double>(expected), 8);
  });
}

TEST(LacpTwoActors, drop_a_member_that_has_fallen_silent_and_take_it_back) {
  forAll(false, [](TwoActors& pair) {
    Lab lab;
    pair.build(lab);
    lab.runFor(100s);
    ASSERT_TRUE(pair.up(lab));
    lab.cable(1).loss[1] = 1;  // a hears nothing on its second port; its own PDUs arrive
    const auto out = lab.runUntil([&] { return !lab.distributes(pair.a(), 1); }, 200s);
    ASSERT_TRUE(out);
    const Duration timeout = pair.bit(2) ? 3s : 90s, period = pair.bit(2) ? 1s : 30s;
    EXPECT_GE(*out, timeout - period);
    EXPECT_LE(*out, timeout + 1ms) << "a PDU may have been on its way";
    EXPECT_TRUE(lab.distributes(pair.a(), 0));
    // With independent control b heeds that a no longer collects; with coupled control only that a is out of sync,
    // which a is when it has given up its partner (DEFAULTED, a short timeout later). A passive a then is silent, and b
    // has to find that out.
    const Duration gives_up = 3100ms + (pair.bit(0) ? 0s : pair.bit(3) ? 3s : 90s);
    EXPECT_TRUE(lab.runUntil([&] { return !lab.distributes(pair.b(), 1); }, pair.bit(5) ? 10ms : gives_up));
    lab.cable(1).loss[1] = 0;
    EXPECT_TRUE(lab.runUntil([&] { return pair.up(lab); }, 65s));
  });
}

TEST(LacpTwoActors, survive_a_restart_without_a_flap) {
  forAll(false, [](TwoActors& pair) {
    Lab lab;
    pair.build(lab);
    lab.runFor(100s);
    ASSERT_TRUE(pair.up(lab));
    const std::size_t before = pair.events(lab);
    lab.restart(pair.a(), 1500ms);
    EXPECT_TRUE(pair.up(lab));
    EXPECT_FALSE(lab.runUntil([&] { return !pair.up(lab); }, 200s));
    EXPECT_EQ(pair.events(lab), before) << "neither side has anything to tell";
  });
}

TEST(LacpTiming, a_silent_member_is_out_three_seconds_after_its_last_pdu) {
  Lab lab;
  const std::size_t a = lab.add(lagSettings(1), 2), b = lab.add(lagSettings(2), 2);
  for (std::uint16_t i = 0; i < 2; ++i) lab.setLink(lab.cable(a, i, b, i), true);
  lab.runFor(10s);
  // Silent from the moment when a PDU has just come.
  const auto received = lab.port(a, 1).counters.lacpdus_received;
  ASSERT_TRUE(lab.runUntil([&] { return lab.port(a, 1).counters.lacpdus_received > received; }, 2s));
  lab.cable(1).loss[1] = 1;
  const auto out = lab.runUntil([&] { return !lab.distributes(a, 1); }, 5s);
  ASSERT_TRUE(out);
  EXPECT_GE(*out, 3000ms);
  EXPECT_LE(*out, 3200ms);
}

TEST(LacpTiming, a_link_that_was_only_down_for_a_moment_needs_no_aggregate_wait) {
  Lab lab;
  const std::size_t a = lab.add(lagSettings(1), 1), b = lab.add(lagSettings(2), 1);
  const std::size_t cable = lab.cable(a, 0, b, 0);
  lab.setLink(cable, true);
  lab.runFor(10s);
  lab.setLink(cable, false);
  EXPECT_FALSE(lab.distributes(a, 0));
  lab.runFor(5s);
  lab.setLink(cable, true);
  const auto up = lab.runUntil([&] { return lab.distributes(a, 0) && lab.distributes(b, 0); }, 5s);
  ASSERT_TRUE(up);
  EXPECT_LE(*up, 1100ms) << "the limit of three PDUs a second is all that holds it";
}

TEST(LacpTiming, pdus_come_every_second_while_garbage_pours_in) {
  Lab lab;
  const std::size_t a = lab.add(lagSettings(1), 1), b = lab.add(lagSettings(2), 1);
  lab.setLink(lab.cable(a, 0, b, 0), true);
  lab.runFor(10s);
  const auto sent = lab.port(a, 0).counters.lacpdus_sent;
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::uint8_t> frame = encodeFrame(Lacpdu{}, {});
    for (std::size_t k = 14; k < frame.size(); ++k) frame[k] = static_cast<std::uint8_t>(random());
    frame[14] = static_cast<std::uint8_t>(i % 3);
    lab.inject(a, 0, frame);
    lab.runFor(1ms);
  }
  EXPECT_TRUE(lab.distributes(a, 0));
  EXPECT_NEAR(static_cast<double>(lab.port(a, 0).counters.lacpdus_sent - sent), 20, 1);
  EXPECT_GT(lab.port(a, 0).counters.malformed, 10'000u);
}

}  // namespace
}  // namespace poplink::host::lacp
