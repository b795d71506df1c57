// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

namespace poplink::host {

/// LAGs (docs/api.md) in words: each with a line on the whole, and a row per member.
void printLags(const nlohmann::ordered_json& lags);

}  // namespace poplink::host
