// SPDX-License-Identifier: Apache-2.0
#include "churn_machine.h"

namespace poplink::host::lacp {

const char* name(ChurnState state) {
  switch (state) {
    case ChurnState::MONITOR:
      return "MONITOR";
    case ChurnState::NO_CHURN:
      return "NO_CHURN";
    case ChurnState::CHURN:
      return "CHURN";
  }
  return "?";
}

void ChurnMachine::run(bool port_enabled, bool synchronization, TimePoint now) {
  if (!port_enabled || synchronization) {
    // A port that is down is held in MONITOR: the minute begins with the link.
    state_ = port_enabled ? ChurnState::NO_CHURN : ChurnState::MONITOR;
    timer_.reset();
    return;
  }
  if (state_ == ChurnState::NO_CHURN) state_ = ChurnState::MONITOR;
  if (state_ != ChurnState::MONITOR) return;
  if (!timer_) timer_ = now + kChurnDetectionTime;
  if (now < *timer_) return;
  state_ = ChurnState::CHURN;
  ++count_;
  timer_.reset();
}

void ChurnMachine::resume(ChurnState state, std::uint64_t count) {
  state_ = state;
  count_ = count;
  timer_.reset();
}

}  // namespace poplink::host::lacp
