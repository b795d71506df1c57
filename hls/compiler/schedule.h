// SPDX-License-Identifier: Apache-2.0
// Which pipeline stage computes each node. Stages are as few as the clock allows; within them registers stand between
// LUTs, not inside, and where they are fewest.
#pragma once

#include <string>
#include <vector>

#include "clock.h"
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

Schedule schedule(const Module& module, const DelayModel& delays, double clock_ns);

}  // namespace hlsc
