// SPDX-License-Identifier: Apache-2.0
// Each transition of the Receive machine of IEEE 802.1AX-2014 6.4.12 is a row: the state it leaves, what is true, the
// state it reaches, and what that state does on entry. So is each comparison of the functions in 6.4.9.
#include <functional>

#include "lacp_rows.h"
#include "receive_machine.h"

namespace poplink::host::lacp {
namespace {

/// The partner knows this port and is in sync.
Lacpdu goodPdu() {
  return {1, portInfo(2, 9, 0x0f), portInfo(1, 1, 0x07), 0};
}

struct ReceiveRow {
  const char* name;
  ReceiveState from;
  std::function<void(PortVariables&)> given;
  Duration later;
  bool pdu;
  ReceiveState to;
  std::function<bool(const PortVariables&)> entry;
  std::optional<Duration> timer;  ///< current_while from then on
};
void PrintTo(const ReceiveRow& row, std::ostream* out) {
  *out << row.name;
}

/// A machine that has come to `state` as it does in life, with a partner that is in sync if there can be one.
ReceiveMachine receiveIn(ReceiveState state, PortVariables& port) {
  ReceiveMachine machine;
  if (state == ReceiveState::INITIALIZE) return machine;
  port.port_enabled = state != ReceiveState::PORT_DISABLED;
  port.lacp_enabled = state != ReceiveState::LACP_DISABLED;
  machine.begin(port, state == ReceiveState::DEFAULTED ? kStart - 3s : kStart);
  if (state == ReceiveState::CURRENT) machine.receive(port, goodPdu(), kStart);
  if (state == ReceiveState::DEFAULTED) machine.run(port, kStart);
  port.selected = Selected::SELECTED;
  port.ntt = false;
  EXPECT_EQ(machine.state(), state);
  return machine;
}

class ReceiveTransition : public testing::TestWithParam<ReceiveRow> {};

TEST_P(ReceiveTransition, is_the_standards) {
  const ReceiveRow& row = GetParam();
  PortVariables port = upPort();
  ReceiveMachine machine = receiveIn(row.from, port);
  if (row.given) row.given(port);
  const TimePoint now = kStart + row.later;
  if (row.pdu) {
    machine.receive(port, goodPdu(), now);
  } else {
    machine.run(port, now);
  }
  EXPECT_STREQ(name(machine.state()), name(row.to));
  EXPECT_TRUE(row.entry(port));
  EXPECT_EQ(machine.deadline(), row.timer ? std::optional(now + *row.timer) : std::nullopt);
}

const auto kDown = [](PortVariables& port) { port.port_enabled = false; };
const auto kMoved = [](PortVariables& port) { port.port_moved = true; };
const auto kNothing = [](PortVariables&) {};
const auto kAny = [](const PortVariables&) { return true; };
const auto kPartnerOutOfSync = [](const PortVariables& port) { return !port.partner.state.synchronization; };
const auto kExpired = [](const PortVariables& port) {
  return !port.partner.state.synchronization && port.partner.state.lacp_timeout && port.actor.state.expired;
};
const auto kRecorded = [](const PortVariables& port) {
  return port.partner == goodPdu().actor && !port.actor.state.expired && !port.actor.state.defaulted;
};
const auto kUnselectedByDefault = [](const PortVariables& port) {
  return port.selected == Selected::UNSELECTED && port.partner == port.partner_admin && port.actor.state.defaulted &&
         !port.actor.state.expired;
};
using enum ReceiveState;

INSTANTIATE_TEST_SUITE_P(
    clause_6_4_12, ReceiveTransition,
    testing::Values(
        ReceiveRow{"initialize_goes_on", INITIALIZE, kNothing, 0s, false, PORT_DISABLED, kPartnerOutOfSync, {}},
        ReceiveRow{"disabled_stays", PORT_DISABLED, kNothing, 100s, false, PORT_DISABLED, kPartnerOutOfSync, {}},
        ReceiveRow{"disabled_port_moved",
                   PORT_DISABLED,
                   kMoved,
                   0s,
                   false,
                   INITIALIZE,
                   [](const PortVariables& port) { return kUnselectedByDefault(port) && !port.port_moved; },
                   {}},
        ReceiveRow{"disabled_port_up", PORT_DISABLED, [](PortVariables& port) { port.port_enabled = true; }, 0s, false,
                   EXPIRED, kExpired, 3s},
        ReceiveRow{"disabled_port_up_without_lacp",
                   PORT_DISABLED,
                   [](PortVariables& port) {
                     port.port_enabled = true;
                     port.lacp_enabled = false;
                     port.partner_admin.state.aggregation = true;
                   },
                   0s,
                   false,
                   LACP_DISABLED,
                   [](const PortVariables& port) {
                     return port.selected == Selected::UNSELECTED && port.actor.state.defaulted &&
                            !port.partner.state.aggregation;
                   },
                   {}},
        ReceiveRow{"disabled_takes_no_pdu", PORT_DISABLED, kNothing, 0s, true, PORT_DISABLED, kPartnerOutOfSync, {}},
        ReceiveRow{"expired_pdu", EXPIRED, kNothing, 1s, true, CURRENT, kRecorded, 3s},
        ReceiveRow{"expired_not_yet", EXPIRED, kNothing, 3s - 1ns, false, EXPIRED, kExpired, 1ns},
        ReceiveRow{"expired_runs_out",
                   EXPIRED,
                   [](PortVariables& port) { port.partner = portInfo(2, 9, 0x0f); },
                   3s,
                   false,
                   DEFAULTED,
                   kUnselectedByDefault,
                   {}},
        ReceiveRow{"expired_runs_out_on_the_default_partner",
                   EXPIRED,
                   kNothing,
                   3s,
                   false,
                   DEFAULTED,
                   [](const PortVariables& port) { return port.selected == Selected::SELECTED; },
                   {}},
        ReceiveRow{"expired_port_down", EXPIRED, kDown, 0s, false, PORT_DISABLED, kPartnerOutOfSync, {}},
        ReceiveRow{"lacp_disabled_port_down", LACP_DISABLED, kDown, 0s, false, PORT_DISABLED, kPartnerOutOfSync, {}},
        ReceiveRow{
            "lacp_disabled_takes_no_pdu", LACP_DISABLED, kNothing, 0s, true, LACP_DISABLED, kPartnerOutOfSync, {}},
        ReceiveRow{"defaulted_pdu", DEFAULTED, kNothing, 50s, true, CURRENT, kRecorded, 3s},
        ReceiveRow{"defaulted_stays", DEFAULTED, kNothing, 1000s, false, DEFAULTED, kAny, {}},
        ReceiveRow{"defaulted_port_down", DEFAULTED, kDown, 0s, false, PORT_DISABLED, kPartnerOutOfSync, {}},
        ReceiveRow{"current_pdu", CURRENT, kNothing, 2s, true, CURRENT, kRecorded, 3s},
        ReceiveRow{"current_pdu_asks_for_long_timeout", CURRENT,
                   [](PortVariables& port) { port.actor.state.lacp_timeout = false; }, 2s, true, CURRENT, kRecorded,
                   90s},
        ReceiveRow{"current_not_yet", CURRENT, kNothing, 3s - 1ns, false, CURRENT, kRecorded, 1ns},
        ReceiveRow{"current_runs_out", CURRENT, kNothing, 3s, false, EXPIRED, kExpired, 3s},
        ReceiveRow{"current_port_down",
                   CURRENT,
                   kDown,
                   1s,
                   false,
                   PORT_DISABLED,
                   [](const PortVariables& port) {  // Selected is left alone: the link may come back
                     return !port.partner.state.synchronization && port.selected == Selected::SELECTED;
                   },
                   {}},
        ReceiveRow{"current_port_moved_keeps_it", CURRENT, kMoved, 1s, false, CURRENT, kRecorded, 2s}),
    rowName<ReceiveRow>);

// recordPDU, update_Selected, update_NTT, 6.4.9.

struct PduRow {
  const char* name;
  std::function<void(Lacpdu&, PortVariables&)> given;
  bool partner_sync, selected, ntt;
};
void PrintTo(const PduRow& row, std::ostream* out) {
  *out << row.name;
}

class PduInCurrent : public testing::TestWithParam<PduRow> {};

TEST_P(PduInCurrent, is_judged_as_the_standard_says) {
  PortVariables port = upPort();
  ReceiveMachine machine = receiveIn(CURRENT, port);
  Lacpdu pdu = goodPdu();
  GetParam().given(pdu, port);
  ASSERT_TRUE(machine.receive(port, pdu, kStart + 1s));
  EXPECT_EQ(port.partner.state.synchronization, GetParam().partner_sync);
  EXPECT_EQ(port.selected, GetParam().selected ? Selected::SELECTED : Selected::UNSELECTED);
  EXPECT_EQ(port.ntt, GetParam().ntt);
}

#define PDU_ROW(name, change, sync, selected, ntt) \
  PduRow {                                         \
    name,                                          \
        [](Lacpdu& pdu, PortVariables& port) {     \
          (void)pdu;                               \
          (void)port;                              \
          change;                                  \
        },                                         \
        sync, selected, ntt                        \
  }

INSTANTIATE_TEST_SUITE_P(
    clause_6_4_9, PduInCurrent,
    testing::Values(PDU_ROW("same", , true, true, false),
                    PDU_ROW("out_of_sync", pdu.actor.state.synchronization = false, false, true, false),
                    PDU_ROW("partner_port", pdu.actor.port = 10, true, false, false),
                    PDU_ROW("partner_port_priority", pdu.actor.port_priority = 1, true, false, false),
                    PDU_ROW("partner_system", pdu.actor.system[0] = 6, true, false, false),
                    PDU_ROW("partner_system_priority", pdu.actor.system_priority = 1, true, false, false),
                    PDU_ROW("partner_key", pdu.actor.key = 8, true, false, false),
                    PDU_ROW("partner_individual", pdu.actor.state.aggregation = false, true, false, false),
                    PDU_ROW("means_another_port", pdu.partner.port = 2, false, true, true),
                    PDU_ROW("means_another_port_priority", pdu.partner.port_priority = 2, false, true, true),
                    PDU_ROW("means_another_system", pdu.partner.system[5] = 9, false, true, true),
                    PDU_ROW("means_another_system_priority", pdu.partner.system_priority = 9, false, true, true),
                    PDU_ROW("means_another_key", pdu.partner.key = 9, false, true, true),
                    PDU_ROW("thinks_us_individual", pdu.partner.state.aggregation = false, false, true, true),
                    PDU_ROW("individual_and_means_another_port",
                            (pdu.actor.state.aggregation = false, pdu.partner.port = 2), true, false, true),
                    PDU_ROW("thinks_us_passive", pdu.partner.state.lacp_activity = false, true, true, true),
                    PDU_ROW("thinks_us_slow", pdu.partner.state.lacp_timeout = false, true, true, true),
                    PDU_ROW("thinks_us_in_sync", pdu.partner.state.synchronization = true, true, true, true),
                    PDU_ROW("thinks_us_collecting", pdu.partner.state.collecting = true, true, true, false),
                    PDU_ROW("passive_partner_of_an_active_actor", pdu.actor.state.lacp_activity = false, true, true,
                            false),
                    PDU_ROW("nobody_keeps_the_link",
                            (pdu.actor.state.lacp_activity = false, pdu.partner.state.lacp_activity = false,
                             port.actor.state.lacp_activity = false),
                            false, true, false)),
    rowName<PduRow>);
#undef PDU_ROW

}  // namespace
}  // namespace poplink::host::lacp
