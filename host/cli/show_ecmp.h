// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "poplink/driver/card.h"

namespace poplink::host {

/// The card's groups of next hops with their members: `{"groups": [...]}` (host/README.md has the shape).
nlohmann::ordered_json ecmpGroups(driver::Card& card);

/// What the last column of the table means.
inline constexpr const char* kFlowsNote =
    "flows/s: about how many different flows the link carried in the last second, of all groups that use it";

/// The same as a table, a row per member.
std::vector<std::vector<std::string>> ecmpRows(const nlohmann::ordered_json& groups);

}  // namespace poplink::host
