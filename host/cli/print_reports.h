// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace poplink::host {

/// What `poplink show NOUN` says, from the JSON of docs/api.md and nothing else.
void printReport(const std::string& noun, const nlohmann::ordered_json& report);

/// An event as a line.
std::string eventLine(const nlohmann::ordered_json& event);

}  // namespace poplink::host
