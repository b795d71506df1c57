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

bool ChurnMachine::run(bool port_enabled, bool synchronization, TimePoint now) {
  const ChurnState before = state_;
  if (!port_enabled) {
    // Held in MONITOR: the minute begins with the link.
    state_ = ChurnState::MONITOR;
    timer_.reset();
    return state_ != before;
  }
  if (synchronization) {
    state_ = ChurnState::NO_CHURN;
    timer_.reset();
    return state_ != before;
  }
  if (state_ == ChurnState::NO_CHURN) state_ = ChurnState::MONITOR;
  if (state_ == ChurnState::MONITOR) {
    if (!timer_) timer_ = now + kChurnDetectionTime;
    if (now >= *timer_) {
      state_ = ChurnState::CHURN;
      ++count_;
      timer_.reset();
    }
  }
  return state_ != before;
}

void ChurnMachine::resume(ChurnState state, std::uint64_t count) {
  state_ = state;
  count_ = count;
  timer_.reset();
}

}  // namespace poplink::host::lacp
