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

int writeImage(const Desired& desired, const std::string& file) {
  Json tables = Json::array();
  for (const Step& step : plan({}, desired.tables))
    tables.push_back({{"table", step.table}, {"index", step.index}, {"entry", step.entry}});
  std::ofstream out(file);
  out << Json{{"tables", tables}}.dump(2) << "\n";
  if (!out.flush()) throw ConfigError(file + ": cannot be written");
  return kExitDone;
}

}  // namespace

int apply(const ApplyOptions& options) {
  const Region region = readRegion(options.region);
  const Node node = readNode(options.node);
  if (!options.image.empty()) return writeImage(desiredTables(region, node, kPortsWithoutCard), options.image);

  driver::Card card = openCard(node, "poplink apply");
  const Desired desired = desiredTables(region, node, card.ports());
  const std::vector<Step> steps = plan(readTables(card), desired.tables);
  if (!options.dry_run) {
    for (const Step& step : steps) card.writeEntry(step.table, step.index, step.entry);
  }
  if (options.json) {
    Json list = Json::array();
    for (const Step& step : steps) list.push_back(toJson(step));
    std::cout
        << Json{{"site", node.site}, {"dry_run", options.dry_run}, {"steps", list}, {"notes", desired.notes}}.dump(2)
        << "\n";
    return kExitDone;
  }
  for (const Step& step : steps) std::cout << (options.dry_run ? "would " : "") << describe(step) << "\n";
  for (const std::string& note : desired.notes) std::cout << "note: " << note << "\n";
  std::cout << node.site << ": " << steps.size() << (steps.size() == 1 ? " entry " : " entries ")
            << (options.dry_run ? "to change" : "changed") << "\n";
  return kExitDone;
}

}  // namespace poplink::host
