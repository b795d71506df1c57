// SPDX-License-Identifier: Apache-2.0
// Values of a BGP speaker's reports as a table's cells.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace poplink::host {

/// Null: "-".
std::string cellOf(const nlohmann::ordered_json& value);
/// "65010 65020"; an empty path: "-".
std::string pathOf(const nlohmann::ordered_json& attributes);
/// Of all three kinds.
std::string communitiesOf(const nlohmann::ordered_json& attributes);
/// A route's own speaker: "(here)".
std::string nextHopOf(const nlohmann::ordered_json& attributes);
/// The two largest units: "3d 4h", "12s"; null: "-".
std::string durationOf(const nlohmann::ordered_json& seconds);

}  // namespace poplink::host
