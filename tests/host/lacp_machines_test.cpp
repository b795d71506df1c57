// SPDX-License-Identifier: Apache-2.0
// Each transition of the machines of IEEE 802.1AX-2014 6.4 but the Receive machine is a row: the state it leaves, what
// is true, the state it reaches, and what that state does on entry.
#include "churn_machine.h"
#include "lacp_rows.h"
#include "marker_responder.h"
#include "mux_machine.h"
#include "periodic_machine.h"
#include "transmit_machine.h"

namespace poplink::host::lacp {
namespace {

// Periodic Transmission machine, 6.4.13.

struct PeriodicRow {
  const char* name;
  PeriodicState from;
  bool port_enabled, lacp_enabled, actor_active, partner_active, partner_short;
  Duration later;
  PeriodicState to;
  bool ntt;
  std::optional<Duration> timer;
};
void PrintTo(const PeriodicRow& row, std::ostream* out) {
  *out << row.name;
}

class PeriodicTransition : public testing::TestWithParam<PeriodicRow> {};

TEST_P(PeriodicTransition, is_the_standards) {
  const PeriodicRow& row = GetParam();
  PortVariables port = upPort();
  PeriodicMachine machine;
  port.partner.state.lacp_timeout = row.from != PeriodicState::SLOW_PERIODIC;
  if (row.from != PeriodicState::NO_PERIODIC)
    while (machine.run(port, kStart)) {
    }
  ASSERT_EQ(machine.state(), row.from);
  ASSERT_FALSE(port.ntt);
  port.port_enabled = row.port_enabled;
  port.lacp_enabled = row.lacp_enabled;
  port.actor.state.lacp_activity = row.actor_active;
  port.partner.state.lacp_activity = row.partner_active;
  port.partner.state.lacp_timeout = row.partner_short;
  const TimePoint now = kStart + row.later;
  machine.run(port, now);
  EXPECT_STREQ(name(machine.state()), name(row.to));
  EXPECT_EQ(port.ntt, row.ntt);
  EXPECT_EQ(machine.deadline(), row.timer ? std::optional(now + *row.timer) : std::nullopt);
}

constexpr auto kNo = PeriodicState::NO_PERIODIC, kFast = PeriodicState::FAST_PERIODIC,
               kSlow = PeriodicState::SLOW_PERIODIC;
INSTANTIATE_TEST_SUITE_P(
    clause_6_4_13, PeriodicTransition,
    testing::Values(PeriodicRow{"begins_fast", kNo, true, true, true, false, false, 0s, kFast, false, 1s},
                    PeriodicRow{"begins_for_an_active_partner", kNo, true, true, false, true, true, 0s, kFast, false,
                                1s},
                    PeriodicRow{"both_passive", kNo, true, true, false, false, true, 0s, kNo, false, {}},
                    PeriodicRow{"down", kNo, false, true, true, true, true, 0s, kNo, false, {}},
                    PeriodicRow{"without_lacp", kNo, true, false, true, true, true, 0s, kNo, false, {}},
                    PeriodicRow{"fast_not_yet", kFast, true, true, true, true, true, 1s - 1ns, kFast, false, 1ns},
                    PeriodicRow{"fast_expires", kFast, true, true, true, true, true, 1s, kFast, true, 1s},
                    PeriodicRow{"fast_expires_into_slow", kFast, true, true, true, true, false, 1s, kSlow, true, 30s},
                    PeriodicRow{"fast_to_slow", kFast, true, true, true, true, false, 500ms, kSlow, false, 30s},
                    PeriodicRow{"fast_goes_down", kFast, false, true, true, true, true, 500ms, kNo, false, {}},
                    PeriodicRow{"fast_loses_lacp", kFast, true, false, true, true, true, 500ms, kNo, false, {}},
                    PeriodicRow{"fast_both_passive", kFast, true, true, false, false, true, 1s, kNo, false, {}},
                    PeriodicRow{"slow_not_yet", kSlow, true, true, true, true, false, 30s - 1ns, kSlow, false, 1ns},
                    PeriodicRow{"slow_expires", kSlow, true, true, true, true, false, 30s, kSlow, true, 30s},
                    PeriodicRow{"slow_to_fast_sends_at_once", kSlow, true, true, true, true, true, 5s, kFast, true, 1s},
                    PeriodicRow{"slow_goes_down", kSlow, false, true, true, true, false, 5s, kNo, false, {}}),
    rowName<PeriodicRow>);

// Mux machine, 6.4.15.

struct MuxRow {
  const char* name;
  bool independent;
  MuxState from;
  Selected selected;
  bool ready_n, ready, partner_sync, partner_collecting;
  MuxState to;
};
void PrintTo(const MuxRow& row, std::ostream* out) {
  *out << row.name;
}

class MuxTransition : public testing::TestWithParam<MuxRow> {};

TEST_P(MuxTransition, is_the_standards) {
  const MuxRow& row = GetParam();
  PortVariables port = upPort();
  MuxMachine machine;
  port.independent_control = row.independent;
  machine.resume(row.from, port, kStart);
  port.selected = row.selected;
  port.ready_n = row.ready_n;
  port.ready = row.ready;
  port.partner.state.synchronization = row.partner_sync;
  port.partner.state.collecting = row.partner_collecting;
  port.ntt = false;
  EXPECT_EQ(machine.run(port, kStart + 1s), row.from != row.to);
  EXPECT_STREQ(name(machine.state()), name(row.to));
  const PortState& actor = port.actor.state;
  using enum MuxState;
  EXPECT_EQ(actor.synchronization, row.to != DETACHED && row.to != WAITING);
  EXPECT_EQ(actor.collecting, row.to == COLLECTING || row.to == DISTRIBUTING || row.to == COLLECTING_DISTRIBUTING);
  EXPECT_EQ(actor.distributing, row.to == DISTRIBUTING || row.to == COLLECTING_DISTRIBUTING);
  EXPECT_EQ(port.ntt, row.from != row.to && row.to != WAITING) << "entering a state that the partner sees is told";
  if (row.to == WAITING) {
    EXPECT_EQ(machine.deadline(), (row.from == WAITING ? kStart : kStart + 1s) + 2s);
  } else {
    EXPECT_EQ(machine.deadline(), std::nullopt);
  }
}

constexpr auto kUn = Selected::UNSELECTED, kSel = Selected::SELECTED, kStandby = Selected::STANDBY;
constexpr auto kDet = MuxState::DETACHED, kWait = MuxState::WAITING, kAtt = MuxState::ATTACHED,
               kCol = MuxState::COLLECTING, kDis = MuxState::DISTRIBUTING, kBoth = MuxState::COLLECTING_DISTRIBUTING;
INSTANTIATE_TEST_SUITE_P(
    clause_6_4_15, MuxTransition,
    testing::Values(MuxRow{"detached_unselected", true, kDet, kUn, false, true, true, true, kDet},
                    MuxRow{"detached_selected", true, kDet, kSel, false, true, true, true, kWait},
                    MuxRow{"detached_standby", true, kDet, kStandby, false, true, true, true, kWait},
                    MuxRow{"waiting_waits", true, kWait, kSel, false, true, true, true, kWait},
                    MuxRow{"waiting_for_others", true, kWait, kSel, true, false, true, true, kWait},
                    MuxRow{"waiting_standby_stays", true, kWait, kStandby, true, true, true, true, kWait},
                    MuxRow{"waiting_ready", true, kWait, kSel, true, true, false, false, kAtt},
                    MuxRow{"waiting_unselected", true, kWait, kUn, true, true, true, true, kDet},
                    MuxRow{"attached_waits_for_sync", true, kAtt, kSel, false, false, false, true, kAtt},
                    MuxRow{"attached_partner_in_sync", true, kAtt, kSel, false, false, true, false, kCol},
                    MuxRow{"attached_partner_in_sync_coupled", false, kAtt, kSel, false, false, true, false, kBoth},
                    MuxRow{"attached_unselected", true, kAtt, kUn, false, false, true, true, kDet},
                    MuxRow{"attached_standby", true, kAtt, kStandby, false, false, true, true, kDet},
                    MuxRow{"collecting_waits", true, kCol, kSel, false, false, true, false, kCol},
                    MuxRow{"collecting_partner_collects", true, kCol, kSel, false, false, true, true, kDis},
                    MuxRow{"collecting_unselected", true, kCol, kUn, false, false, true, true, kAtt},
                    MuxRow{"collecting_standby", true, kCol, kStandby, false, false, true, true, kAtt},
                    MuxRow{"collecting_out_of_sync", true, kCol, kSel, false, false, false, true, kAtt},
                    MuxRow{"distributing_stays", true, kDis, kSel, false, false, true, true, kDis},
                    MuxRow{"distributing_unselected", true, kDis, kUn, false, false, true, true, kCol},
                    MuxRow{"distributing_standby", true, kDis, kStandby, false, false, true, true, kCol},
                    MuxRow{"distributing_out_of_sync", true, kDis, kSel, false, false, false, true, kCol},
                    MuxRow{"distributing_partner_stops", true, kDis, kSel, false, false, true, false, kCol},
                    MuxRow{"both_stays_whatever_the_partner_does", false, kBoth, kSel, false, false, true, false,
                           kBoth},
                    MuxRow{"both_unselected", false, kBoth, kUn, false, false, true, true, kAtt},
                    MuxRow{"both_standby", false, kBoth, kStandby, false, false, true, true, kAtt},
                    MuxRow{"both_out_of_sync", false, kBoth, kSel, false, false, false, true, kAtt}),
    rowName<MuxRow>);

TEST(MuxMachine, is_ready_when_aggregate_wait_has_passed_and_not_before) {
  PortVariables port = upPort();
  port.aggregate_wait = 700ms;
  port.selected = kSel;
  MuxMachine machine;
  machine.begin(port, kStart);
  ASSERT_TRUE(machine.run(port, kStart));
  EXPECT_FALSE(machine.run(port, kStart + 700ms - 1ns));
  EXPECT_FALSE(port.ready_n);
  EXPECT_TRUE(machine.run(port, kStart + 700ms));
  EXPECT_TRUE(port.ready_n);
  EXPECT_EQ(machine.deadline(), std::nullopt);
}

// Transmit machine, 6.4.16.

TEST(TransmitMachine, sends_what_is_needed_once) {
  PortVariables port = upPort();
  port.partner = portInfo(2, 9, 0x3d);
  TransmitMachine machine;
  EXPECT_EQ(machine.run(port, kFast, kStart), std::nullopt);
  port.ntt = true;
  const auto pdu = machine.run(port, kFast, kStart);
  ASSERT_TRUE(pdu);
  EXPECT_EQ(*pdu, (Lacpdu{1, port.actor, port.partner, 0}));
  EXPECT_FALSE(port.ntt);
  EXPECT_EQ(machine.run(port, kFast, kStart), std::nullopt);
}

TEST(TransmitMachine, sends_three_in_any_second_and_the_fourth_as_soon_as_it_may) {
  PortVariables port = upPort();
  TransmitMachine machine;
  for (const Duration time : {0ms, 100ms, 900ms}) {
    port.ntt = true;
    EXPECT_TRUE(machine.run(port, kSlow, kStart + time));
  }
  port.ntt = true;
  EXPECT_FALSE(machine.run(port, kSlow, kStart + 999ms));
  EXPECT_TRUE(port.ntt);
  EXPECT_EQ(machine.deadline(port), kStart + 1s);
  EXPECT_TRUE(machine.run(port, kSlow, kStart + 1s));
  port.ntt = true;
  EXPECT_EQ(machine.deadline(port), kStart + 1100ms) << "any second, not only the first";
}

TEST(TransmitMachine, forgets_the_need_where_nothing_is_sent) {
  PortVariables port = upPort();
  TransmitMachine machine;
  port.ntt = true;
  EXPECT_FALSE(machine.run(port, kNo, kStart));
  EXPECT_FALSE(port.ntt);
  port.ntt = true;
  port.lacp_enabled = false;
  EXPECT_FALSE(machine.run(port, kFast, kStart));
  EXPECT_FALSE(port.ntt);
}

// Churn Detection machines, 6.4.17.

struct ChurnRow {
  const char* name;
  ChurnState from;
  bool enabled, synchronization;
  Duration later;
  ChurnState to;
  std::uint64_t count;
};
void PrintTo(const ChurnRow& row, std::ostream* out) {
  *out << row.name;
}

class ChurnTransition : public testing::TestWithParam<ChurnRow> {};

TEST_P(ChurnTransition, is_the_standards) {
  const ChurnRow& row = GetParam();
  ChurnMachine machine;
  machine.run(true, row.from == ChurnState::NO_CHURN, kStart - (row.from == ChurnState::CHURN ? 60s : 0s));
  machine.run(true, row.from == ChurnState::NO_CHURN, kStart);
  ASSERT_EQ(machine.state(), row.from);
  machine.run(row.enabled, row.synchronization, kStart + row.later);
  EXPECT_STREQ(name(machine.state()), name(row.to));
  EXPECT_EQ(machine.count(), row.count);
  EXPECT_EQ(machine.deadline().has_value(), row.enabled && row.to == ChurnState::MONITOR);
}

INSTANTIATE_TEST_SUITE_P(
    clause_6_4_17, ChurnTransition,
    testing::Values(ChurnRow{"monitor_waits", ChurnState::MONITOR, true, false, 60s - 1ns, ChurnState::MONITOR, 0},
                    ChurnRow{"monitor_expires", ChurnState::MONITOR, true, false, 60s, ChurnState::CHURN, 1},
                    ChurnRow{"monitor_sync", ChurnState::MONITOR, true, true, 59s, ChurnState::NO_CHURN, 0},
                    ChurnRow{"monitor_down", ChurnState::MONITOR, false, false, 60s, ChurnState::MONITOR, 0},
                    ChurnRow{"no_churn_loses_sync", ChurnState::NO_CHURN, true, false, 100s, ChurnState::MONITOR, 0},
                    ChurnRow{"no_churn_stays", ChurnState::NO_CHURN, true, true, 100s, ChurnState::NO_CHURN, 0},
                    ChurnRow{"no_churn_down", ChurnState::NO_CHURN, false, true, 100s, ChurnState::MONITOR, 0},
                    ChurnRow{"churn_stays", ChurnState::CHURN, true, false, 500s, ChurnState::CHURN, 1},
                    ChurnRow{"churn_sync", ChurnState::CHURN, true, true, 1s, ChurnState::NO_CHURN, 1},
                    ChurnRow{"churn_down", ChurnState::CHURN, false, false, 1s, ChurnState::MONITOR, 1}),
    rowName<ChurnRow>);

// Marker Responder, 6.5.4.

TEST(MarkerResponder, returns_a_marker_and_nothing_else) {
  MarkerResponder responder;
  const MarkerPdu marker{3, false, 7, {2, 0, 0, 0, 0, 9}, 42};
  const auto response = responder.receive(marker, kStart);
  ASSERT_TRUE(response);
  EXPECT_EQ(*response, (MarkerPdu{1, true, 7, {2, 0, 0, 0, 0, 9}, 42}));
  EXPECT_FALSE(responder.receive(*response, kStart)) << "two responders would play for ever";
}

TEST(MarkerResponder, does_not_return_a_flood) {
  MarkerResponder responder;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(responder.receive({}, kStart - 100s));
  EXPECT_FALSE(responder.receive({}, kStart - 99s - 1ns));
  EXPECT_TRUE(responder.receive({}, kStart - 99s));
  int responses = 0;
  for (int ms = 0; ms < 10'000; ++ms) responses += responder.receive({}, kStart + ms * 1ms) ? 1 : 0;
  EXPECT_EQ(responses, 50);
}

}  // namespace
}  // namespace poplink::host::lacp
