// SPDX-License-Identifier: Apache-2.0
#include "changes.h"

#include <algorithm>
#include <iterator>

namespace poplink::host {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kKinds[] = {"add", "change", "remove"};

Step::Kind kindOf(const std::string& name) {
  const auto* const found = std::find(std::begin(kKinds), std::end(kKinds), name);
  if (found == std::end(kKinds)) throw Json::other_error::create(501, "no action: " + name, nullptr);
  return static_cast<Step::Kind>(found - std::begin(kKinds));
}

}  // namespace

Json toJson(const Changes& changes) {
  Json steps = Json::array();
  for (const Step& step : changes.steps) {
    steps.push_back({{"action", kKinds[static_cast<int>(step.kind)]},
                     {"table", step.table},
                     {"index", step.index},
                     {"entry", step.entry}});
  }
  Json json = {{"site", changes.site}, {"dry_run", changes.dry_run}, {"steps", steps}};
  if (changes.hash) json["hash"] = {{"seed", changes.hash->seed}, {"symmetric", changes.hash->symmetric}};
  return json;
}

Changes changesOf(const Json& json) {
  Changes changes{json.at("site"), json.at("dry_run"), {}};
  for (const Json& step : json.at("steps"))
    changes.steps.push_back({step.at("table"), step.at("index"), step.at("entry"), kindOf(step.at("action"))});
  if (json.contains("hash")) changes.hash = {json["hash"].at("seed"), json["hash"].at("symmetric")};
  return changes;
}

void carryOut(const Changes& changes, driver::Card& card) {
  if (changes.hash) card.setHash(*changes.hash);
  carryOut(changes.steps, card);
}

}  // namespace poplink::host
