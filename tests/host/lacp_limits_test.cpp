// SPDX-License-Identifier: Apache-2.0
// Ports that wait for each other, for their turn, or for enough others (IEEE 802.1AX-2014 6.4.8 Ready, 6.4.14): what it
// costs in time, on both sides of the cables.
#include "lacp_lab.h"

namespace poplink::host::lacp {
namespace {

class LacpLimits : public TwoSystems {};

TEST_F(LacpLimits, ports_that_come_up_one_after_the_other_attach_together) {
  a_ = lab_.add(lagSettings(1), 2);
  b_ = lab_.add(lagSettings(2), 2);
  lab_.setLink(lab_.cable(a_, 0, b_, 0), true);
  lab_.runFor(1s);
  lab_.setLink(lab_.cable(a_, 1, b_, 1), true);
  const auto first = lab_.runUntil([&] { return lab_.port(a_, 0).variables.actor.state.synchronization; }, 5s);
  ASSERT_TRUE(first);
  EXPECT_GE(*first, 2s) << "6.4.8 Ready: not while the other waits";
  EXPECT_TRUE(lab_.port(a_, 1).variables.actor.state.synchronization);
}

TEST_F(LacpLimits, a_port_that_hears_two_does_not_hold_the_others_back) {
  a_ = lab_.add(lagSettings(1), 2);
  b_ = lab_.add(lagSettings(2), 3);
  lab_.setLink(lab_.cable(a_, 0, b_, 0), true);
  // A hub: two ports of b on one of a, which takes either for a change of the other and waits anew.
  lab_.setLink(lab_.cable(a_, 1, b_, 1), true);
  lab_.setLink(lab_.cable(a_, 1, b_, 2, {501ms, 501ms}), true);
  const auto up = lab_.runUntil([&] { return lab_.distributes(a_, 0); }, 20s);
  ASSERT_TRUE(up);
  EXPECT_GT(*up, 3900ms) << "it does wait for it";
  EXPECT_LE(*up, 2s + 2s + 2s) << "Aggregate_Wait, patience, two periods";
  EXPECT_FALSE(lab_.runUntil([&] { return !lab_.distributes(a_, 0); }, 100s));
}

TEST_F(LacpLimits, standby_takes_over_at_once_and_gives_back_without_a_gap) {
  GroupSettings settings = lagSettings(1);
  settings.system_priority = 1;
  settings.selection.max_active = 2;
  connect(settings, lagSettings(2), 3);
  lab_.runFor(5s);
  EXPECT_EQ(distributing(a_), "110");
  EXPECT_EQ(distributing(b_), "110") << "the other side follows, though it has no limit";
  EXPECT_EQ(reason(a_, 2), Reason::standby);
  lab_.setLink(0, false);
  const auto over = lab_.runUntil([&] { return distributing(a_) == "011" && distributing(b_) == "011"; }, 5s);
  ASSERT_TRUE(over);
  EXPECT_LT(*over, 500ms) << "it has waited already";
  EXPECT_EQ(selected(a_, 0), Selected::STANDBY);
  lab_.setLink(0, true);
  EXPECT_FALSE(lab_.runUntil([&] { return distributing(a_) != "011"; }, 1900ms)) << "not before it has waited";
  const auto back = lab_.runUntil([&] { return distributing(a_) == "110" && distributing(b_) == "110"; }, 3s);
  ASSERT_TRUE(back);
  EXPECT_LT(*back, 1500ms);
}

TEST_F(LacpLimits, the_better_system_decides_who_is_standby) {
  GroupSettings settings = lagSettings(1);
  settings.selection.max_active = 1;
  settings.system_priority = 2;
  GroupSettings better = lagSettings(2);
  better.system_priority = 1;
  a_ = lab_.add(settings, 2);
  b_ = lab_.add(better, std::vector<PortSettings>{{PortId{0}, 1, 20, true}, {PortId{1}, 2, 10, true}});
  for (std::uint16_t i = 0; i < 2; ++i) lab_.setLink(lab_.cable(a_, i, b_, i), true);
  lab_.runFor(10s);
  EXPECT_EQ(distributing(a_), "01") << "by b's priorities, not by a's numbers";
}

TEST_F(LacpLimits, below_min_links_nothing_flows_and_hysteresis_keeps_it_so) {
  GroupSettings settings = lagSettings(1);
  settings.selection = {.min_links = 2, .min_links_up = 3, .min_links_hold = 10s};
  GroupSettings coupled = lagSettings(2);
  coupled.independent_control = false;
  connect(settings, coupled, 3);
  lab_.runFor(5s);
  ASSERT_EQ(distributing(a_), "111");
  lab_.setLink(0, false);
  lab_.runFor(5s);
  EXPECT_EQ(distributing(a_), "011") << "two are enough";
  lab_.setLink(1, false);
  EXPECT_EQ(distributing(a_), "000");
  EXPECT_EQ(reason(a_, 2), Reason::below_min_links);
  EXPECT_FALSE(lab_.group(a_).operational());
  lab_.runFor(1s);
  EXPECT_EQ(distributing(b_), "000") << "the partner stops too, though it is coupled";
  lab_.setLink(1, true);
  lab_.runFor(60s);
  EXPECT_EQ(distributing(a_), "000") << "two are not enough to come back";
  lab_.setLink(0, true);
  EXPECT_FALSE(lab_.runUntil([&] { return distributing(a_) != "000"; }, 9900ms)) << "nor three for a moment";
  EXPECT_TRUE(lab_.runUntil([&] { return distributing(a_) == "111"; }, 2s));
}

TEST_F(LacpLimits, links_that_the_partner_does_not_hear_do_not_count) {
  GroupSettings settings = lagSettings(1);
  settings.selection.min_links = settings.selection.min_links_up = 2;
  connect(settings, lagSettings(2), 2);
  lab_.runFor(5s);
  ASSERT_EQ(distributing(a_), "11");
  lab_.cable(1).loss[0] = 1;
  EXPECT_TRUE(lab_.runUntil([&] { return distributing(a_) == "00"; }, 3500ms));
  lab_.cable(1).loss[0] = 0;
  EXPECT_TRUE(lab_.runUntil([&] { return distributing(a_) == "11"; }, 10s));
}

}  // namespace
}  // namespace poplink::host::lacp
