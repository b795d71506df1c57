// SPDX-License-Identifier: Apache-2.0
// What the tests of the machines share: a port, its partner, and rows that have names.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "port_variables.h"

namespace poplink::host::lacp {

using namespace std::chrono_literals;
inline constexpr TimePoint kStart{1000s};

inline PortInfo portInfo(std::uint8_t system, std::uint16_t port, std::uint8_t state) {
  return {100, {2, 0, 0, 0, 0, system}, 7, 200, port, portState(state)};
}

/// Active, short timeout, aggregatable, with its link up.
inline PortVariables upPort() {
  PortVariables port;
  port.actor = portInfo(1, 1, 0x07);
  port.port_enabled = true;
  return port;
}

template <class Row>
std::string rowName(const testing::TestParamInfo<Row>& row) {
  return std::to_string(row.index) + "_" + row.param.name;
}

}  // namespace poplink::host::lacp
