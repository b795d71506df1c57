// SPDX-License-Identifier: Apache-2.0
// The Receive machine (IEEE 802.1AX-2014 6.4.12): who the partner is, and whether it still speaks.
#pragma once

#include <optional>

#include "pdu.h"
#include "port_variables.h"

namespace poplink::host::lacp {

enum class ReceiveState : std::uint8_t { INITIALIZE, PORT_DISABLED, EXPIRED, LACP_DISABLED, DEFAULTED, CURRENT };
const char* name(ReceiveState state);

/// A value: state and one timer. It has to be begun once.
class ReceiveMachine {
 public:
  /// BEGIN: INITIALIZE, and from there as far as conditions lead.
  void begin(PortVariables& port, TimePoint now);
  /// Continues from `state`, e.g. after a restart; CURRENT and EXPIRED get a whole timeout from `now`: whoever was away
  /// cannot know what was said meanwhile.
  void resume(ReceiveState state, PortVariables& port, TimePoint now);
  /// Takes the transitions that variables and time allow. Was there one?
  bool run(PortVariables& port, TimePoint now);
  /// A PDU has come. False: the state takes none (port or LACP disabled), nothing has changed.
  bool receive(PortVariables& port, const Lacpdu& pdu, TimePoint now);

  ReceiveState state() const { return state_; }
  /// When current_while_timer (6.4.10) runs out.
  std::optional<TimePoint> deadline() const { return current_while_; }
  friend bool operator==(const ReceiveMachine&, const ReceiveMachine&) = default;

 private:
  void enter(ReceiveState state, PortVariables& port, TimePoint now);
  std::optional<ReceiveState> next(const PortVariables& port, TimePoint now) const;

  ReceiveState state_ = ReceiveState::INITIALIZE;
  std::optional<TimePoint> current_while_;
};

// Functions of 6.4.9.

void recordPdu(PortVariables& port, const Lacpdu& pdu);
void recordDefault(PortVariables& port);
void updateSelected(PortVariables& port, const Lacpdu& pdu);
void updateDefaultSelected(PortVariables& port);
void updateNtt(PortVariables& port, const Lacpdu& pdu);

}  // namespace poplink::host::lacp
