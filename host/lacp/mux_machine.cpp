// SPDX-License-Identifier: Apache-2.0
#include "mux_machine.h"

namespace poplink::host::lacp {

const char* name(MuxState state) {
  switch (state) {
    case MuxState::DETACHED:
      return "DETACHED";
    case MuxState::WAITING:
      return "WAITING";
    case MuxState::ATTACHED:
      return "ATTACHED";
    case MuxState::COLLECTING:
      return "COLLECTING";
    case MuxState::DISTRIBUTING:
      return "DISTRIBUTING";
    case MuxState::COLLECTING_DISTRIBUTING:
      return "COLLECTING_DISTRIBUTING";
  }
  return "?";
}

void MuxMachine::resume(MuxState state, PortVariables& port, TimePoint now) {
  const bool ntt = port.ntt;
  // DETACHED first: the bits of the actor follow from the state alone.
  enter(MuxState::DETACHED, port, now);
  if (state != MuxState::DETACHED) enter(state, port, now);
  port.ntt = ntt;
}

bool MuxMachine::run(PortVariables& port, TimePoint now) {
  bool changed = false;
  if (wait_while_ && now >= *wait_while_) {
    wait_while_.reset();
    port.ready_n = true;
    changed = true;
  }
  const std::optional<MuxState> to = next(port);
  if (to) enter(*to, port, now);
  return changed || to.has_value();
}

std::optional<MuxState> MuxMachine::next(const PortVariables& port) const {
  using enum MuxState;
  const bool selected = port.selected == Selected::SELECTED;
  const bool in_sync = selected && port.partner.state.synchronization;
  switch (state_) {
    case DETACHED:
      return port.selected != Selected::UNSELECTED ? std::optional(WAITING) : std::nullopt;
    case WAITING:
      if (port.selected == Selected::UNSELECTED) return DETACHED;
      return selected && port.ready_n && port.ready ? std::optional(ATTACHED) : std::nullopt;
    case ATTACHED:
      if (!selected) return DETACHED;
      if (!in_sync) return std::nullopt;
      return port.independent_control ? COLLECTING : COLLECTING_DISTRIBUTING;
    case COLLECTING:
      if (!in_sync) return ATTACHED;
      return port.partner.state.collecting ? std::optional(DISTRIBUTING) : std::nullopt;
    case DISTRIBUTING:
      return in_sync && port.partner.state.collecting ? std::nullopt : std::optional(COLLECTING);
    case COLLECTING_DISTRIBUTING:
      return in_sync ? std::nullopt : std::optional(ATTACHED);
  }
  return std::nullopt;
}

void MuxMachine::enter(MuxState state, PortVariables& port, TimePoint now) {
  using enum MuxState;
  state_ = state;
  wait_while_.reset();
  PortState& actor = port.actor.state;
  if (state == WAITING) {
    wait_while_ = now + port.aggregate_wait;
    port.ready_n = false;
    return;
  }
  port.ready_n = false;
  actor.synchronization = state != DETACHED;
  actor.collecting = state == COLLECTING || state == DISTRIBUTING || state == COLLECTING_DISTRIBUTING;
  actor.distributing = state == DISTRIBUTING || state == COLLECTING_DISTRIBUTING;
  port.ntt = true;
}

}  // namespace poplink::host::lacp
