// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "../model/read_region.h"
#include "../plan/members.h"
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

std::vector<Lag> lagsAt(const Region& region, const Node& node) {
  const Site* site = region.site(node.site);
  return site == nullptr ? std::vector<Lag>{} : lagsOf(region, *site);
}

/// Who puts ports of LAGs into service is LACP, and this command does not speak it.
void tellWhoIsOut(const std::vector<Lag>& lags, const MemberStates& members, const char* remedy) {
  for (const Lag& lag : lags) {
    std::vector<PortId> out;
    for (const PortId port : lag.ports) {
      const auto found = members.find(port);
      if (found == members.end() || !found->second.carries()) out.push_back(port);
    }
    if (!out.empty())
      std::cerr << toString(out) << (out.size() == 1 ? " stays" : " stay") << " out of service: " << remedy << "\n";
  }
}

int applyToImage(const ApplyOptions& options, const Region& region, const Node& node) {
  const std::vector<Lag> lags = lagsAt(region, node);
  MemberStates members;
  for (const Lag& lag : lags) {
    for (const PortId port : lag.ports) members[port] = {options.lacp_up, options.lacp_up};
  }
  const int code = writeImage(desiredTables(region, node, kPortsWithoutCard, {}, members), options.image);
  tellWhoIsOut(lags, members, "the image is without LACP; --lacp-up puts all ports of LAGs into service");
  return code;
}

}  // namespace

int apply(const ApplyOptions& options) {
  const Region region = readRegion(options.region);
  const Node node = readNode(options.node);
  if (!options.image.empty()) return applyToImage(options, region, node);

  driver::Card card = openCard(node, "poplink apply");
  const TableImage current = readTables(card);
  const std::vector<Lag> lags = lagsAt(region, node);
  const MemberStates members = memberStates(current, lags);
  const Desired desired = desiredTables(region, node, card.ports(), current, members);
  const std::vector<Step> steps = plan(current, desired.tables);
  const bool new_hash = card.hash() != desired.hash;
  if (!options.dry_run) {
    if (new_hash) card.setHash(desired.hash);
    carryOut(steps, card);
  }
  tellWhoIsOut(lags, members, "LACP needs poplinkd");
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
