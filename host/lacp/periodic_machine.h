// SPDX-License-Identifier: Apache-2.0
// The Periodic Transmission machine (IEEE 802.1AX-2014 6.4.13): how often the partner wants to hear of us.
#pragma once

#include <optional>

#include "port_variables.h"

namespace poplink::host::lacp {

enum class PeriodicState : std::uint8_t { NO_PERIODIC, FAST_PERIODIC, SLOW_PERIODIC, PERIODIC_TX };
const char* name(PeriodicState state);

class PeriodicMachine {
 public:
  /// Takes the transitions that variables and time allow. Was there one? PERIODIC_TX is left in the same call.
  bool run(PortVariables& port, TimePoint now);

  PeriodicState state() const { return state_; }
  /// When periodic_timer (6.4.10) runs out.
  std::optional<TimePoint> deadline() const { return timer_; }
  friend bool operator==(const PeriodicMachine&, const PeriodicMachine&) = default;

 private:
  void enter(PeriodicState state, PortVariables& port, TimePoint now);

  PeriodicState state_ = PeriodicState::NO_PERIODIC;
  std::optional<TimePoint> timer_;
};

}  // namespace poplink::host::lacp
