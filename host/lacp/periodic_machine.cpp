// SPDX-License-Identifier: Apache-2.0
#include "periodic_machine.h"

namespace poplink::host::lacp {

const char* name(PeriodicState state) {
  switch (state) {
    case PeriodicState::NO_PERIODIC:
      return "NO_PERIODIC";
    case PeriodicState::FAST_PERIODIC:
      return "FAST_PERIODIC";
    case PeriodicState::SLOW_PERIODIC:
      return "SLOW_PERIODIC";
    case PeriodicState::PERIODIC_TX:
      return "PERIODIC_TX";
  }
  return "?";
}

bool PeriodicMachine::run(PortVariables& port, TimePoint now) {
  using enum PeriodicState;
  const bool silent = !port.port_enabled || !port.lacp_enabled ||
                      (!port.actor.state.lacp_activity && !port.partner.state.lacp_activity);
  if (silent) {
    if (state_ == NO_PERIODIC) return false;
    enter(NO_PERIODIC, port, now);
    return true;
  }
  const bool is_short = port.partner.state.lacp_timeout;
  const bool expired = timer_ && now >= *timer_;
  if (state_ == NO_PERIODIC) {
    enter(FAST_PERIODIC, port, now);
  } else if (expired || (state_ == SLOW_PERIODIC && is_short)) {
    enter(PERIODIC_TX, port, now);
    enter(is_short ? FAST_PERIODIC : SLOW_PERIODIC, port, now);
  } else if (state_ == FAST_PERIODIC && !is_short) {
    enter(SLOW_PERIODIC, port, now);
  } else {
    return false;
  }
  return true;
}

void PeriodicMachine::enter(PeriodicState state, PortVariables& port, TimePoint now) {
  state_ = state;
  timer_.reset();
  if (state == PeriodicState::FAST_PERIODIC) timer_ = now + kFastPeriodicTime;
  if (state == PeriodicState::SLOW_PERIODIC) timer_ = now + kSlowPeriodicTime;
  if (state == PeriodicState::PERIODIC_TX) port.ntt = true;
}

}  // namespace poplink::host::lacp
