// SPDX-License-Identifier: Apache-2.0
// What is measured: who the peers are, what they say in each phase, and what receivers must have heard at its end.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bgp_routes.h"

namespace poplink::bench {

struct Phase {
  std::string name;
  std::vector<std::vector<std::uint8_t>> streams;  ///< of UPDATEs, by sender; those behind the last say nothing
  std::vector<std::uint64_t> expected;             ///< HeardRoutes::expect()
};

struct Scenario {
  Identity speaker;  ///< that is measured
  std::vector<Identity> senders, receivers;
  RouteTable table;
  std::vector<Phase> phases;  ///< once all sessions are there
};

/// "load, same, ..."
std::vector<std::string_view> scenarioNames();
/// `size`: routes, or peers where nothing but sessions is measured. Throws std::invalid_argument for another name.
Scenario makeScenario(std::string_view name, std::size_t size, std::uint64_t seed);

}  // namespace poplink::bench
