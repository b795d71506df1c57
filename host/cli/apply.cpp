// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "../model/read_region.h"
#include "../plan/members.h"
#include "../report/changes.h"
#include "commands.h"
#include "daemon_client.h"
#include "open_card.h"

namespace poplink::host {

namespace {

using Json = nlohmann::ordered_json;

constexpr unsigned kPortsWithoutCard = 16;  // an image may be for any card

std::string describe(const driver::HashMode& hash) {
  return "set hash: seed " + std::to_string(hash.seed) + (hash.symmetric ? ", symmetric" : "");
}

int writeImage(const Desired& desired, const std::string& file) {
  Json tables = Json::array();
  for (const Step& step : plan({}, desired.tables))
    tables.push_back({{"table", step.table}, {"index", step.index}, {"entry", step.entry}});
  std::ofstream out(file);
  const Json hash = {{"seed", desired.hash.seed}, {"symmetric", desired.hash.symmetric}};
  out << Json{{"hash", hash}, {"tables", tables}}.dump(2) << "\n";
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

/// The daemon reads the file itself, and has the last word on it.
Json postApply(api::Client& daemon, const ApplyOptions& options) {
  const std::string file = std::filesystem::absolute(options.region);
  try {
    return daemon.post("/v1/apply", {{"file", file}, {"dry_run", options.dry_run}});
  } catch (const api::ClientError& error) {
    if (error.status == api::Status::bad_request) throw ConfigError(error.what());
    throw driver::DriverError(error.what());
  }
}

Changes byDaemon(api::Client& daemon, const ApplyOptions& options) {
  try {
    return changesOf(postApply(daemon, options));
  } catch (const Json::exception&) {
    throw driver::DriverError("what poplinkd answers is not what it has changed");
  }
}

Changes byCard(const Region& region, const Node& node, bool dry_run) {
  driver::Card card = openCard(node, "poplink apply");
  const TableImage current = readTables(card);
  const std::vector<Lag> lags = lagsAt(region, node);
  const MemberStates members = memberStates(current, lags);
  const Desired desired = desiredTables(region, node, card.ports(), current, members);
  Changes changes{node.site, dry_run, plan(current, desired.tables)};
  if (card.hash() != desired.hash) changes.hash = desired.hash;
  if (!dry_run) carryOut(changes, card);
  tellWhoIsOut(lags, members, "LACP needs poplinkd");
  return changes;
}

/// A node without a card is a BGP speaker; what it changes is told in words.
int applySpeaker(api::Client& daemon, const ApplyOptions& options, const Node& node) {
  const Json answer = postApply(daemon, options);
  if (options.json) {
    std::cout << answer.dump(2) << "\n";
    return kExitDone;
  }
  for (const Json& change : answer.at("changes")) std::cout << change.get<std::string>() << "\n";
  if (answer.at("changes").empty()) std::cout << node.site << ": nothing has changed\n";
  return kExitDone;
}

int print(const Changes& changes, bool json) {
  if (json) {
    std::cout << toJson(changes).dump(2) << "\n";
    return kExitDone;
  }
  const char* would = changes.dry_run ? "would " : "";
  if (changes.hash) std::cout << would << describe(*changes.hash) << "\n";
  for (const std::string& line : describe(changes.steps)) std::cout << would << line << "\n";
  std::cout << changes.site << ": " << changes.steps.size() << (changes.steps.size() == 1 ? " entry " : " entries ")
            << (changes.dry_run ? "to change" : "changed") << "\n";
  return kExitDone;
}

}  // namespace

int apply(const ApplyOptions& options) {
  const Node node = readNode(options.node);
  if (node.transport == "none") {
    if (options.dry_run || !options.image.empty())
      throw UsageError(node.site + " is a BGP speaker: its file is applied or not, without --dry-run and --image");
    auto daemon = daemonOf(node);
    if (!daemon) throw driver::DriverError(noDaemon(node));
    return applySpeaker(*daemon, options, node);
  }
  const Region region = readRegion(options.region);
  if (!options.image.empty()) return applyToImage(options, region, node);

  if (auto daemon = daemonOf(node)) return print(byDaemon(*daemon, options), options.json);
  return print(byCard(region, node, options.dry_run), options.json);
}

}  // namespace poplink::host
