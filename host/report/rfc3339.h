// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

namespace poplink::host {

/// "2026-03-01T12:00:00.123Z"
std::string rfc3339(std::chrono::system_clock::time_point time);

}  // namespace poplink::host
