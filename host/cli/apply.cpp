// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "../model/read_region.h"
#include "../plan/tables.h"
#include "commands.h"
#include "open_card.h"

namespace poplink::host {

namespace {

using Json = nlohmann::ordered_json;

constexpr unsigned kPortsWithoutCard = 16;  // an image may be for any card

Json toJson(const Step& step) {
  static constexpr const char* kKinds[] = {"add", "change", "remove"};
  return {{"action", kKinds[static_cast<int>(step.kind)]},
          {"table", step.table},
          {"index", step.index},
          {"entry", step.entry}};
}

Json toJson(const driver::HashMode& hash) {
  return {{"seed", hash.seed}, {"symmetric", hash.symmetric}};
}

std::string describe(const driver::HashMode& hash) {
  return "set hash: seed " + std::to_string(hash.seed) + (hash.symmetric ? ", symmetric" : "");
}

int writeImage(const Desired& desired, const std::string& file) {
  Json tables = Json::array();
  for (const Step& step : plan({}, desired.tables))
    tables.push_back({{"table", step.table}, {"index", step.index}, {"entry", step.entry}});
  std::ofstream out(file);
  out << Json{{"hash", toJson(desired.hash)}, {"tables", tables}}.dump(2) << "\n";
  if (!out.flush()) throw ConfigError(file + ": cannot be written");
  return kExitDone;
}

}  // namespace

int apply(const ApplyOptions& options) {
  const Region region = readRegion(options.region);
  const Node node = readNode(options.node);
  if (!options.image.empty()) return writeImage(desiredTables(region, node, kPortsWithoutCard), options.image);

  driver::Card card = openCard(node, "poplink apply");
  const TableImage current = readTables(card);
  const Desired desired = desiredTables(region, node, card.ports(), current);
  const std::vector<Step> steps = plan(current, desired.tables);
  const bool new_hash = card.hash() != desired.hash;
  if (!options.dry_run) {
    if (new_hash) card.setHash(desired.hash);
    carryOut(steps, card);
  }
  if (options.json) {
    Json list = Json::array();
    for (const Step& step : steps) list.push_back(toJson(step));
    Json result = {{"site", node.site}, {"dry_run", options.dry_run}, {"steps", list}};
    if (new_hash) result["hash"] = toJson(desired.hash);
    std::cout << result.dump(2) << "\n";
    return kExitDone;
  }
  const char* would = options.dry_run ? "would " : "";
  if (new_hash) std::cout << would << describe(desired.hash) << "\n";
  for (const std::string& line : describe(steps)) std::cout << would << line << "\n";
  std::cout << node.site << ": " << steps.size() << (steps.size() == 1 ? " entry " : " entries ")
            << (options.dry_run ? "to change" : "changed") << "\n";
  return kExitDone;
}

}  // namespace poplink::host
