// SPDX-License-Identifier: Apache-2.0
// Who is selected, and why not (IEEE 802.1AX-2014 6.4.14): groups against partners that are set up wrongly, too small,
// too large or too new.
#include <gmock/gmock.h>

#include "lacp_lab.h"

namespace poplink::host::lacp {
namespace {

using testing::Contains;
using testing::Field;
using testing::HasSubstr;

class LacpGroup : public TwoSystems {};

TEST_F(LacpGroup, tells_what_happens_in_words) {
  connect(lagSettings(1), lagSettings(2), 1);
  lab_.runFor(5s);
  const auto said = [](const char* text) { return Contains(Field(&Event::text, HasSubstr(text))); };
  EXPECT_THAT(lab_.events(a_), said("up at 10000 Mbit/s"));
  EXPECT_THAT(lab_.events(a_), said("no LACP partner"));
  EXPECT_THAT(lab_.events(a_), said("system 02:00:00:00:00:02 priority 32768 key 2 port 1"));
  EXPECT_THAT(lab_.events(a_), said("DISTRIBUTING"));
  EXPECT_EQ(lab_.events(a_).back().text, "up");
  EXPECT_TRUE(lab_.group(a_).operational());
  EXPECT_TRUE(lab_.port(a_, 0).last_change);
}

TEST_F(LacpGroup, a_port_without_a_partner_stays_out_of_service) {
  const std::size_t a = lab_.add(lagSettings(1), 1);
  lab_.setLink(lab_.cable(a, 0, a, 0, {1ms, 1ms, {1, 1}}), true);
  lab_.runFor(300s);
  EXPECT_STREQ(name(lab_.port(a, 0).receive.state()), "DEFAULTED");
  EXPECT_EQ(reason(a, 0), Reason::no_partner);
  EXPECT_STREQ(name(lab_.port(a, 0).mux.state()), "DETACHED");
  EXPECT_TRUE(lab_.port(a, 0).actor_churn.churn());
  EXPECT_TRUE(lab_.port(a, 0).partner_churn.churn());
}

TEST_F(LacpGroup, a_port_that_hears_itself_is_left_out) {
  const std::size_t a = lab_.add(lagSettings(1), 3);
  lab_.setLink(lab_.cable(a, 0, a, 1), true);
  lab_.setLink(lab_.cable(a, 2, a, 2), true);
  lab_.runFor(100s);
  EXPECT_EQ(distributing(a), "000");
  for (std::uint16_t port = 0; port < 3; ++port) EXPECT_EQ(reason(a, port), Reason::loopback);
}

TEST_F(LacpGroup, only_one_partner_is_taken) {
  a_ = lab_.add(lagSettings(1), 3);
  const std::size_t b = lab_.add(lagSettings(2), 1), c = lab_.add(lagSettings(3), 2);
  lab_.setLink(lab_.cable(a_, 0, b, 0), true);
  lab_.runFor(5s);
  lab_.setLink(lab_.cable(a_, 1, c, 0), true);
  lab_.setLink(lab_.cable(a_, 2, c, 1), true);
  lab_.runFor(5s);
  EXPECT_EQ(distributing(a_), "100") << "who is there stays, also against more";
  EXPECT_EQ(reason(a_, 1), Reason::partner_differs);
  lab_.setLink(0, false);
  lab_.runFor(5s);
  EXPECT_EQ(distributing(a_), "011");
  lab_.setLink(0, true);
  lab_.runFor(5s);
  EXPECT_EQ(distributing(a_), "011");
  EXPECT_EQ(reason(a_, 0), Reason::partner_differs);
}

TEST_F(LacpGroup, a_partner_that_changes_is_taken_anew) {
  connect(lagSettings(1), lagSettings(2), 2);
  lab_.runFor(5s);
  lab_.configure(b_, lagSettings(9));
  EXPECT_TRUE(lab_.runUntil([&] { return distributing(a_) == "00"; }, 1s));
  EXPECT_TRUE(lab_.runUntil([&] { return distributing(a_) == "11"; }, 5s));
  EXPECT_EQ(lab_.group(a_).selection().lag()->system, lagSettings(9).system);
}

TEST_F(LacpGroup, ports_that_the_partner_aggregates_elsewhere_are_left_out) {
  a_ = lab_.add(lagSettings(1), 2);
  GroupSettings other = lagSettings(2);
  other.key = 77;
  const std::size_t b = lab_.add(lagSettings(2), 1);
  const std::size_t c = lab_.add(other, std::vector<PortSettings>{{PortId{0}, 2, 32768, true}});
  lab_.setLink(lab_.cable(a_, 0, b, 0), true);
  lab_.setLink(lab_.cable(a_, 1, c, 0), true);
  lab_.runFor(10s);
  EXPECT_EQ(distributing(a_), "10");
  EXPECT_EQ(reason(a_, 1), Reason::key_differs);
}

TEST_F(LacpGroup, wrong_speed_and_half_duplex_are_left_out) {
  connect(lagSettings(1), lagSettings(2), 3);
  lab_.runFor(5s);
  ASSERT_EQ(distributing(a_), "111");
  lab_.setLink(1, true, 1000);
  lab_.setLink(2, true, 10000, false);
  lab_.runFor(5s);
  EXPECT_EQ(distributing(a_), "100");
  EXPECT_EQ(reason(a_, 1), Reason::speed_differs);
  EXPECT_EQ(reason(a_, 2), Reason::half_duplex);
  EXPECT_STREQ(name(lab_.port(a_, 2).receive.state()), "LACP_DISABLED");
  lab_.setLink(1, true);
  lab_.setLink(2, true);
  lab_.runFor(5s);
  EXPECT_EQ(distributing(a_), "111");
}

TEST_F(LacpGroup, the_speed_may_be_given) {
  GroupSettings settings = lagSettings(1);
  GroupSettings other = lagSettings(2);
  settings.selection.speed_mbit = other.selection.speed_mbit = 25000;
  connect(settings, other, 2);
  lab_.setLink(1, true, 25000);
  lab_.runFor(5s);
  EXPECT_EQ(distributing(a_), "01");
  EXPECT_EQ(reason(a_, 0), Reason::speed_differs);
}

TEST_F(LacpGroup, an_individual_partner_gets_one_link) {
  a_ = lab_.add(lagSettings(1), 2);
  b_ = lab_.add(lagSettings(2), std::vector<PortSettings>{{PortId{0}, 1, 1, false}, {PortId{1}, 2, 1, false}});
  for (std::uint16_t i = 0; i < 2; ++i) lab_.setLink(lab_.cable(a_, i, b_, i), true);
  lab_.runFor(10s);
  EXPECT_EQ(distributing(a_), "10");
  EXPECT_EQ(distributing(b_), "10");
  EXPECT_EQ(reason(a_, 1), Reason::individual);
  EXPECT_EQ(selected(a_, 1), Selected::UNSELECTED);
}

TEST_F(LacpGroup, an_aggregatable_partner_comes_before_an_individual_one) {
  a_ = lab_.add(lagSettings(1), 3);
  const std::size_t single = lab_.add(lagSettings(2), std::vector<PortSettings>{{PortId{0}, 1, 1, false}});
  const std::size_t lag = lab_.add(lagSettings(3), 2);
  lab_.setLink(lab_.cable(a_, 0, single, 0), true);
  lab_.runFor(5s);
  EXPECT_EQ(distributing(a_), "100");
  lab_.setLink(lab_.cable(a_, 1, lag, 0), true);
  lab_.setLink(lab_.cable(a_, 2, lag, 1), true);
  lab_.runFor(5s);
  EXPECT_EQ(distributing(a_), "011");
  lab_.setLink(0, false);
  lab_.setLink(0, true);
  lab_.runFor(5s);
  EXPECT_EQ(distributing(a_), "011");
}

TEST_F(LacpGroup, an_individual_link_stays_when_another_comes) {
  a_ = lab_.add(lagSettings(1), 2);
  b_ = lab_.add(lagSettings(2), std::vector<PortSettings>{{PortId{0}, 1, 1, false}, {PortId{1}, 2, 1, false}});
  const std::size_t first = lab_.cable(a_, 0, b_, 0), second = lab_.cable(a_, 1, b_, 1);
  lab_.setLink(second, true);
  lab_.runFor(5s);
  lab_.setLink(first, true);
  EXPECT_FALSE(lab_.runUntil([&] { return distributing(a_) != "01"; }, 60s));
}

TEST_F(LacpGroup, a_partner_that_moves_to_another_port_is_forgotten_on_the_old_one) {
  a_ = lab_.add(lagSettings(1), 2);
  b_ = lab_.add(lagSettings(2), 1);
  const std::size_t first = lab_.cable(a_, 0, b_, 0), second = lab_.cable(a_, 1, b_, 0);
  lab_.setLink(first, true);
  lab_.runFor(5s);
  lab_.setLink(first, false);
  EXPECT_FALSE(lab_.port(a_, 0).variables.actor.state.defaulted);
  lab_.setLink(second, true);
  lab_.runFor(5s);
  EXPECT_TRUE(lab_.port(a_, 0).variables.actor.state.defaulted) << "6.4.8 port_moved";
  EXPECT_EQ(distributing(a_), "01");
}

TEST_F(LacpGroup, the_same_settings_again_change_nothing) {
  connect(lagSettings(1), lagSettings(2), 2);
  lab_.runFor(5s);
  std::vector<PortSettings> ports;
  for (const Port& port : lab_.group(a_).ports()) ports.push_back(port.settings);
  EXPECT_TRUE(lab_.group(a_).configure(lagSettings(1), ports, lab_.now()).empty());
  GroupSettings slow = lagSettings(1);
  slow.fast = false;
  lab_.configure(a_, slow);
  lab_.runFor(10ms);
  EXPECT_EQ(lab_.port(b_, 0).periodic.state(), PeriodicState::SLOW_PERIODIC) << "told at once";
  EXPECT_FALSE(lab_.runUntil([&] { return distributing(a_) != "11" || distributing(b_) != "11"; }, 200s))
      << "the rate changes without a flap";
}

TEST_F(LacpGroup, a_port_that_leaves_is_switched_off) {
  connect(lagSettings(1), lagSettings(2), 2);
  lab_.runFor(5s);
  const std::vector<PortSettings> ports{lab_.port(a_, 0).settings};
  lab_.obey(a_, lab_.group(a_).configure(lagSettings(1), ports, lab_.now()));
  EXPECT_FALSE(lab_.card(a_, 1).collecting);
  EXPECT_TRUE(lab_.card(a_, 0).distributing);
  EXPECT_EQ(lab_.group(a_).find(PortId{1}), nullptr);
}

TEST_F(LacpGroup, markers_are_answered_and_counted) {
  connect(lagSettings(1), lagSettings(2), 1);
  const auto frame = encodeFrame(MarkerPdu{1, false, 3, {2, 0, 0, 0, 0, 2}, 99}, {});
  const Actions actions = lab_.group(a_).receive(PortId{0}, frame, lab_.now());
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_TRUE(std::get<MarkerPdu>(std::get<SendPdu>(actions[0]).pdu).response);
  const Counters& counters = lab_.port(a_, 0).counters;
  EXPECT_EQ(counters.markers_received, 1u);
  EXPECT_EQ(counters.marker_responses_sent, 1u);
}

TEST_F(LacpGroup, a_snapshot_that_makes_no_sense_heals) {
  connect(lagSettings(1), lagSettings(2), 1);
  lab_.runFor(5s);
  const std::vector<PortSettings> ports{lab_.port(a_, 0).settings};
  for (unsigned i = 0; i < 6 * 6 * 3 * 4; ++i) {
    Snapshot snapshot = lab_.group(a_).snapshot();
    PortSnapshot& port = snapshot.ports[0];
    port.receive = static_cast<ReceiveState>(i % 6);
    port.mux = static_cast<MuxState>(i / 6 % 6);
    port.selected = static_cast<Selected>(i / 36 % 3);
    port.link.up = i / 108 % 2 != 0;
    port.partner.state.synchronization = i / 216 != 0;
    AggregationGroup group(lagSettings(1), ports, snapshot, lab_.now());
    group.run(lab_.now());
    const PortVariables& variables = group.ports()[0].variables;
    if (variables.actor.state.distributing) {
      EXPECT_TRUE(variables.port_enabled && variables.partner.state.synchronization);
      EXPECT_EQ(variables.selected, Selected::SELECTED);
    }
  }
}

}  // namespace
}  // namespace poplink::host::lacp
