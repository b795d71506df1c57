// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "poplink/driver/card.h"

namespace poplink::host {

/// The card's ports with their modules: `{"ports": [...]}` (host/README.md has the shape).
nlohmann::ordered_json portList(driver::Card& card);

/// The same as a table, a row per port.
std::vector<std::vector<std::string>> portRows(const nlohmann::ordered_json& ports);

}  // namespace poplink::host
