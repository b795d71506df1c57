// SPDX-License-Identifier: Apache-2.0
// What an apply does to a card, or would, as JSON (docs/api.md).
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "../plan/tables.h"

namespace poplink::host {

struct Changes {
  std::string site;
  bool dry_run = false;
  std::vector<Step> steps;
  std::optional<driver::HashMode> hash{};  ///< nothing: it stays
};

nlohmann::ordered_json toJson(const Changes& changes);
/// The reverse. Throws nlohmann::json::exception for what is none.
Changes changesOf(const nlohmann::ordered_json& json);

/// Does it, in the order of plan(). Throws DriverError; what was done until then stays.
void carryOut(const Changes& changes, driver::Card& card);

}  // namespace poplink::host
