// SPDX-License-Identifier: Apache-2.0
#include "receive_machine.h"

namespace poplink::host::lacp {

namespace {

Duration timeout(bool is_short) {
  return is_short ? kShortTimeoutTime : kLongTimeoutTime;
}

}  // namespace

const char* name(ReceiveState state) {
  switch (state) {
    case ReceiveState::INITIALIZE:
      return "INITIALIZE";
    case ReceiveState::PORT_DISABLED:
      return "PORT_DISABLED";
    case ReceiveState::EXPIRED:
      return "EXPIRED";
    case ReceiveState::LACP_DISABLED:
      return "LACP_DISABLED";
    case ReceiveState::DEFAULTED:
      return "DEFAULTED";
    case ReceiveState::CURRENT:
      return "CURRENT";
  }
  return "?";
}

void recordPdu(PortVariables& port, const Lacpdu& pdu) {
  port.partner = pdu.actor;
  port.actor.state.defaulted = false;
  // The partner is in sync with *this* port only if it means this port, or has nothing to aggregate; and a link that
  // neither side would keep alive is none.
  const bool matched = sameLink(pdu.partner, port.actor) || !pdu.actor.state.aggregation;
  const bool maintained =
      pdu.actor.state.lacp_activity || (port.actor.state.lacp_activity && pdu.partner.state.lacp_activity);
  port.partner.state.synchronization = pdu.actor.state.synchronization && matched && maintained;
}

void recordDefault(PortVariables& port) {
  port.partner = port.partner_admin;
  port.actor.state.defaulted = true;
}

void updateSelected(PortVariables& port, const Lacpdu& pdu) {
  if (!sameLink(pdu.actor, port.partner)) port.selected = Selected::UNSELECTED;
}

void updateDefaultSelected(PortVariables& port) {
  if (!sameLink(port.partner_admin, port.partner)) port.selected = Selected::UNSELECTED;
}

void updateNtt(PortVariables& port, const Lacpdu& pdu) {
  const PortState& theirs = pdu.partner.state;
  const PortState& ours = port.actor.state;
  if (!sameLink(pdu.partner, port.actor) || theirs.lacp_activity != ours.lacp_activity ||
      theirs.lacp_timeout != ours.lacp_timeout || theirs.synchronization != ours.synchronization)
    port.ntt = true;
}

void ReceiveMachine::begin(PortVariables& port, TimePoint now) {
  enter(ReceiveState::INITIALIZE, port, now);
  while (run(port, now)) {
  }
}

void ReceiveMachine::resume(ReceiveState state, PortVariables& port, TimePoint now) {
  state_ = state;
  if (state != ReceiveState::CURRENT) port.partner.state.synchronization = false;
  current_while_.reset();
  if (state == ReceiveState::CURRENT) current_while_ = now + timeout(port.actor.state.lacp_timeout);
  if (state == ReceiveState::EXPIRED) current_while_ = now + kShortTimeoutTime;
}

bool ReceiveMachine::run(PortVariables& port, TimePoint now) {
  const std::optional<ReceiveState> to = next(port, now);
  if (to) enter(*to, port, now);
  return to.has_value();
}

bool ReceiveMachine::receive(PortVariables& port, const Lacpdu& pdu, TimePoint now) {
  while (run(port, now)) {
  }
  if (state_ != ReceiveState::EXPIRED && state_ != ReceiveState::DEFAULTED && state_ != ReceiveState::CURRENT)
    return false;
  state_ = ReceiveState::CURRENT;
  updateSelected(port, pdu);
  updateNtt(port, pdu);
  recordPdu(port, pdu);
  current_while_ = now + timeout(port.actor.state.lacp_timeout);
  port.actor.state.expired = false;
  return true;
}

std::optional<ReceiveState> ReceiveMachine::next(const PortVariables& port, TimePoint now) const {
  using enum ReceiveState;
  if (state_ == INITIALIZE) return PORT_DISABLED;
  if (state_ == PORT_DISABLED) {
    if (port.port_moved) return INITIALIZE;
    if (port.port_enabled) return port.lacp_enabled ? EXPIRED : LACP_DISABLED;
    return std::nullopt;
  }
  if (!port.port_enabled && !port.port_moved) return PORT_DISABLED;
  if (current_while_ && now >= *current_while_) return state_ == CURRENT ? EXPIRED : DEFAULTED;
  return std::nullopt;
}

void ReceiveMachine::enter(ReceiveState state, PortVariables& port, TimePoint now) {
  state_ = state;
  current_while_.reset();
  switch (state) {
    case ReceiveState::INITIALIZE:
      port.selected = Selected::UNSELECTED;
      recordDefault(port);
      port.actor.state.expired = false;
      port.port_moved = false;
      break;
    case ReceiveState::PORT_DISABLED:
      port.partner.state.synchronization = false;
      break;
    case ReceiveState::EXPIRED:
      port.partner.state.synchronization = false;
      port.partner.state.lacp_timeout = true;  // asks for our PDUs every second, in case it still listens
      current_while_ = now + kShortTimeoutTime;
      port.actor.state.expired = true;
      break;
    case ReceiveState::LACP_DISABLED:
      port.selected = Selected::UNSELECTED;
      recordDefault(port);
      port.partner.state.aggregation = false;
      port.actor.state.expired = false;
      break;
    case ReceiveState::DEFAULTED:
      updateDefaultSelected(port);
      recordDefault(port);
      port.actor.state.expired = false;
      break;
    case ReceiveState::CURRENT:
      break;  // entered by receive() alone
  }
}

}  // namespace poplink::host::lacp
