// SPDX-License-Identifier: Apache-2.0
// LAGs as JSON, for the API and `poplink show lag` (docs/api.md).
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>

#include "lag_service.h"

namespace poplink::host {

struct LagReportOptions {
  lacp::TimePoint now;                                   ///< together with
  std::chrono::system_clock::time_point time;            ///< the time of day at it
  std::function<std::uint32_t(unsigned port)> repeated;  ///< PDUs that the card has sent by itself
};

/// {"lags": [...]}
nlohmann::ordered_json lagReport(const LagService& service, const LagReportOptions& options);

}  // namespace poplink::host
