// SPDX-License-Identifier: Apache-2.0
#include "card_routes.h"

#include <algorithm>

#include "../report/report.h"

namespace poplink::host::api {

namespace {

/// All are checked before the first is carried out.
std::vector<RegisterRequest> registersOf(const std::vector<std::string>& texts, const std::string& field,
                                         bool may_write) {
  std::vector<RegisterRequest> requests;
  try {
    for (const std::string& text : texts) {
      requests.push_back(parseRegister(text));
      if (requests.back().value && !may_write) throw RegisterError("'" + text + "': registers are written by PUT");
    }
  } catch (const RegisterError& error) {
    throw Refused(Status::bad_request, error.what(), field);
  }
  return requests;
}

Answer table(driver::Card& card, const std::string& name) {
  const bool known = std::any_of(card_map::kTables.begin(), card_map::kTables.end(),
                                 [&](const card_map::Table& one) { return one.name == name; });
  if (!known) throw Refused(Status::not_found, "the card has no table '" + name + "'");
  return toAnswer(reportTables(card, name));
}

}  // namespace

void cardRoutes(Router& router, driver::Card& card, const std::string& root) {
  const auto add = [&](const char* path, const char* text, auto report) {
    router.add({"GET", path, text, {}, [&card, report](const Request&) { return toAnswer(report(card)); }});
  };
  add("/v1/card", "what the card is and how it is reached",
      [root](driver::Card& one) { return reportCard(one.transport(), driver::PciSystem(root)); });
  add("/v1/services", "services with their counters", reportServices);
  add("/v1/ports", "ports: role, link, speed, light, lock, traffic, module", reportPorts);
  add("/v1/counters", "traffic and drops by reason", reportCounters);
  add("/v1/ecmp", "groups of next hops: members, shares, traffic, active flows", reportEcmp);
  add("/v1/tables", "valid entries of all tables", [](driver::Card& one) { return reportTables(one); });
  router.add({"GET", "/v1/tables/{name}", "valid entries of a table", {}, [&card](const Request& request) {
                return table(card, request.parameters.at("name"));
              }});
  router.add({"GET", "/v1/card/registers", "registers by name; none: all", {"name"}, [&card](const Request& request) {
                return toAnswer(reportRegisters(card.transport(), registersOf(request.all("name"), "name", false)));
              }});
  router.add({"PUT",
              "/v1/card/registers",
              "writes registers: {\"registers\": [\"NAME=VALUE\", ...]}; what has no value is shown",
              {},
              [&card](const Request& request) {
                return toAnswer(
                    reportRegisters(card.transport(), registersOf(request.texts("registers"), "registers", true)));
              }});
}

}  // namespace poplink::host::api
