// SPDX-License-Identifier: Apache-2.0
// How values move through the stages of a pipeline.
#pragma once

#include <compare>

#include "delay.h"

namespace hlsc {

/// When a value is there: the stage that computes it, and the time since that stage's clock edge.
struct Arrival {
  unsigned stage = 0;
  double at_ns = 0;
  friend auto operator<=>(const Arrival&, const Arrival&) = default;
};

class Clock {
 public:
  Clock(const DelayModel& delays, double clock_ns) : delays_(delays), clock_ns_(clock_ns) {}

  const DelayModel& delays() const { return delays_; }
  double period() const { return clock_ns_; }
  Arrival source(unsigned stage = 0) const { return {stage, delays_.registerOut()}; }
  Arrival answer(unsigned request_stage, unsigned latency) const {
    return {request_stage + 1 + latency, delays_.tableOut()};
  }
  /// Behind an operation on operands that are there at `start`: in the same stage when it fits, else in the next.
  Arrival after(Arrival start, double delay) const {
    if (start.at_ns + delay > clock_ns_ && start.at_ns > delays_.registerOut()) start = source(start.stage + 1);
    return {start.stage, start.at_ns + delay};
  }
  bool fits(Arrival arrival) const { return arrival.at_ns <= clock_ns_; }

 private:
  DelayModel delays_;
  double clock_ns_;
};

}  // namespace hlsc
