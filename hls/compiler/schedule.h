// SPDX-License-Identifier: Apache-2.0
// Which pipeline stage computes each node: as soon as possible, chaining operations while they fit the clock.
#pragma once

#include <compare>
#include <string>
#include <vector>

#include "delay.h"
#include "module.h"

namespace hlsc {

/// A value of stage s is there in cycle (accepted + s). Keys computed in stage s are shown, registered, in stage s + 1;
/// the answer is a value of stage s + 1 + latency. Outputs are registered: they show in stage `latency`.
struct Schedule {
  std::vector<unsigned> stage;    ///< by node
  std::vector<unsigned> request;  ///< by lookup: the stage that computes the key
  unsigned latency = 1;
  double longest_ns = 0;              ///< the longest chain between registers
  std::vector<std::string> warnings;  ///< single operations that exceed the clock
};

/// When a value is there: the stage that computes it, and the time since that stage's clock edge.
struct Arrival {
  unsigned stage = 0;
  double at_ns = 0;
  friend auto operator<=>(const Arrival&, const Arrival&) = default;
};

/// How values move through the stages of a pipeline.
class Clock {
 public:
  Clock(const DelayModel& delays, double clock_ns) : delays_(delays), clock_ns_(clock_ns) {}

  const DelayModel& delays() const { return delays_; }
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

Schedule schedule(const Module& module, const DelayModel& delays, double clock_ns);

}  // namespace hlsc
