// SPDX-License-Identifier: Apache-2.0
// The Actor and Partner Churn Detection machines (IEEE 802.1AX-2014 6.4.17): a side that does not come into sync within
// a minute has a misconfiguration, or changes its mind all the time.
#pragma once

#include <optional>

#include "types.h"

namespace poplink::host::lacp {

/// ACTOR_CHURN_MONITOR, NO_ACTOR_CHURN, ACTOR_CHURN, and the partner's alike.
enum class ChurnState : std::uint8_t { MONITOR, NO_CHURN, CHURN };
const char* name(ChurnState state);

/// Both machines: they differ in whose Synchronization they watch.
class ChurnMachine {
 public:
  /// Takes the transitions that `synchronization` and time allow.
  void run(bool port_enabled, bool synchronization, TimePoint now);
  /// Goes on counting from where somebody else stopped; MONITOR gets a whole minute.
  void resume(ChurnState state, std::uint64_t count);

  ChurnState state() const { return state_; }
  bool churn() const { return state_ == ChurnState::CHURN; }
  /// How often churn has been found.
  std::uint64_t count() const { return count_; }
  /// When actor_churn_timer or partner_churn_timer (6.4.10) runs out.
  std::optional<TimePoint> deadline() const { return timer_; }
  friend bool operator==(const ChurnMachine&, const ChurnMachine&) = default;

 private:
  ChurnState state_ = ChurnState::MONITOR;
  std::uint64_t count_ = 0;
  std::optional<TimePoint> timer_;
};

}  // namespace poplink::host::lacp
