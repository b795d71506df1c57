// SPDX-License-Identifier: Apache-2.0
// Which LAG is chosen when several are there at once, and who of it is in (IEEE 802.1AX-2014 6.4.14).
#include <deque>

#include "lacp_rows.h"
#include "selection.h"

namespace poplink::host::lacp {
namespace {

using Verdicts = std::vector<std::pair<Selected, Reason>>;
constexpr auto kUn = Selected::UNSELECTED, kSel = Selected::SELECTED, kStandby = Selected::STANDBY;

class LacpSelection : public testing::Test {
 protected:
  /// Port 1, 2, 3, ...: a partner that speaks and hears us.
  PortVariables& add(std::uint8_t partner_system, bool aggregatable = true) {
    PortVariables& port = ports_.emplace_back(upPort());
    const auto number = static_cast<std::uint16_t>(ports_.size());
    port.actor.port = number;
    port.partner = portInfo(partner_system, number, aggregatable ? 0x07 : 0x03);
    candidates_.push_back({&port, ReceiveState::CURRENT, 10000, true});
    return port;
  }
  Verdicts run(TimePoint now = kStart) {
    Verdicts verdicts;
    const auto found = selection_.run(settings_, candidates_, now);
    for (std::size_t i = 0; i < ports_.size(); ++i) {
      ports_[i].selected = found[i].selected;
      verdicts.emplace_back(found[i].selected, found[i].reason);
    }
    return verdicts;
  }

  std::deque<PortVariables> ports_;
  std::vector<Candidate> candidates_;
  SelectionSettings settings_;
  Selection selection_;
};

TEST_F(LacpSelection, the_lag_with_most_ports) {
  add(2);
  add(3);
  add(3);
  const Verdicts verdicts{{kUn, Reason::partner_differs}, {kSel, Reason::none}, {kSel, Reason::none}};
  EXPECT_EQ(run(), verdicts);
  ports_[2].partner.system = ports_[0].partner.system;  // now the other has most
  EXPECT_EQ(run()[1], std::pair(kSel, Reason::none)) << "who is there stays";
}

TEST_F(LacpSelection, of_two_with_as_many_that_with_the_first_port) {
  add(3);
  add(2);
  const Verdicts verdicts{{kSel, Reason::none}, {kUn, Reason::partner_differs}};
  EXPECT_EQ(run(), verdicts);
}

TEST_F(LacpSelection, an_individual_link_only_if_there_is_nothing_else) {
  add(2, false);
  add(2, false);
  add(3);
  const Verdicts verdicts{{kUn, Reason::partner_differs}, {kUn, Reason::partner_differs}, {kSel, Reason::none}};
  EXPECT_EQ(run(), verdicts);
  EXPECT_EQ(run(), verdicts);
  candidates_[2].receive = ReceiveState::DEFAULTED;
  const Verdicts alone{{kSel, Reason::none}, {kUn, Reason::individual}, {kUn, Reason::no_partner}};
  EXPECT_EQ(run(), alone);
  EXPECT_EQ(run(), alone);
}

TEST_F(LacpSelection, an_actor_that_does_not_aggregate_is_individual_too) {
  add(2).actor.state.aggregation = false;
  add(2).actor.state.aggregation = false;
  const Verdicts verdicts{{kSel, Reason::none}, {kUn, Reason::individual}};
  EXPECT_EQ(run(), verdicts);
}

TEST_F(LacpSelection, limits_say_each_its_own_reason) {
  for (int i = 0; i < 3; ++i) add(2);
  settings_.max_active = 2;
  settings_.min_links = 3;
  const Verdicts verdicts{
      {kStandby, Reason::below_min_links}, {kStandby, Reason::below_min_links}, {kStandby, Reason::standby}};
  EXPECT_EQ(run(), verdicts);
}

TEST_F(LacpSelection, the_order_is_speaking_waited_priority_number) {
  for (int i = 0; i < 4; ++i) add(2);
  settings_.max_active = 1;
  const auto first = [&] {
    const Verdicts verdicts = run();
    for (std::size_t i = 0; i < verdicts.size(); ++i)
      if (verdicts[i].first == kSel) return i;
    return verdicts.size();
  };
  EXPECT_EQ(first(), 0u);
  ports_[1].actor.port_priority = 1;
  EXPECT_EQ(first(), 1u);
  candidates_[1].settled = false;
  EXPECT_EQ(first(), 0u);
  candidates_[0].receive = ReceiveState::EXPIRED;
  EXPECT_EQ(first(), 2u);
}

TEST_F(LacpSelection, a_silent_port_keeps_its_place_but_gets_none) {
  add(2);
  add(2);
  run();
  candidates_[1].receive = ReceiveState::EXPIRED;
  EXPECT_EQ(run()[1], std::pair(kSel, Reason::partner_silent));
  ports_[1].selected = kUn;
  EXPECT_EQ(run()[1], std::pair(kUn, Reason::partner_silent));
}

TEST_F(LacpSelection, min_links_that_come_later_ask_nothing_of_who_is_up) {
  add(2);
  add(2);
  EXPECT_EQ(run()[0].first, kSel);
  settings_.min_links = 2;
  settings_.min_links_up = 3;
  EXPECT_EQ(run()[0].first, kSel) << "two keep it up, three would bring it back";
}

TEST_F(LacpSelection, the_first_time_there_is_no_hold) {
  add(2);
  add(2);
  settings_.min_links = settings_.min_links_up = 2;
  settings_.min_links_hold = 10s;
  EXPECT_EQ(run()[0].first, kSel);
  candidates_[1].receive = ReceiveState::EXPIRED;
  EXPECT_EQ(run()[0].first, kStandby);
  EXPECT_EQ(selection_.deadline(), std::nullopt);
  candidates_[1].receive = ReceiveState::CURRENT;
  EXPECT_EQ(run()[0].first, kStandby);
  EXPECT_EQ(selection_.deadline(), kStart + 10s);
  EXPECT_EQ(run(kStart + 10s - 1ns)[0].first, kStandby);
  EXPECT_EQ(run(kStart + 10s)[0].first, kSel);
  EXPECT_EQ(selection_.deadline(), std::nullopt);
}

}  // namespace
}  // namespace poplink::host::lacp
