// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <map>

#include "../model/read_region.h"
#include "../report/report.h"
#include "commands.h"
#include "daemon_client.h"
#include "open_card.h"
#include "print_reports.h"
#include "signals.h"

namespace poplink::host {

namespace {

using Json = nlohmann::ordered_json;

Json fromDaemon(api::Client& daemon, const ShowOptions& options) {
  static const std::map<std::string, std::string> kTargets = {
      {"service", "/v1/services"}, {"port", "/v1/ports"}, {"counter", "/v1/counters"}, {"ecmp", "/v1/ecmp"},
      {"table", "/v1/tables"},     {"lag", "/v1/lags"},   {"event", "/v1/events"}};
  const std::string target = kTargets.at(options.noun) + (options.table.empty() ? "" : "/" + options.table);
  return ask([&] { return daemon.get(target); });
}

Json fromCard(const Node& node, const ShowOptions& options) {
  if (options.noun == "lag" || options.noun == "event") throw driver::DriverError(noDaemon(node));
  driver::Card card = openCard(node, "poplink show");
  if (options.noun == "service") return reportServices(card);
  if (options.noun == "port") return reportPorts(card);
  if (options.noun == "counter") return reportCounters(card);
  return options.noun == "ecmp" ? reportEcmp(card) : reportTables(card, options.table);
}

int follow(api::Client& daemon, bool json) {
  const driver::Descriptor signals = endingSignals();
  const auto show = [&](const Json& event) {
    if (json) {
      std::cout << event.dump() << std::endl;
      return true;
    }
    if (event.contains("lost")) std::cout << "... " << event.at("lost") << " events are missing" << std::endl;
    if (event.contains("kind")) std::cout << eventLine(event) << std::endl;
    return true;
  };
  ask([&]() -> Json {
    daemon.stream("/v1/events?follow=1", {signals.get()}, [] {}, show);
    return {};
  });
  return kExitDone;
}

}  // namespace

int show(const ShowOptions& options) {
  const Node node = readNode(options.node);
  std::optional<api::Client> daemon = daemonOf(node);
  if (options.follow) {
    if (!daemon) throw driver::DriverError(noDaemon(node));
    return follow(*daemon, options.json);
  }
  const Json report = daemon ? fromDaemon(*daemon, options) : fromCard(node, options);
  if (options.json)
    std::cout << report.dump(2) << "\n";
  else
    printReport(options.noun, report);
  return kExitDone;
}

}  // namespace poplink::host
