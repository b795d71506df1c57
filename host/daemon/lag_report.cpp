// SPDX-License-Identifier: Apache-2.0
#include "lag_report.h"

#include "../report/rfc3339.h"

namespace poplink::host {

namespace {

using Json = nlohmann::ordered_json;

std::string hex(const lacp::MacAddress& address) {
  char text[18];
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", address[0], address[1], address[2], address[3],
                address[4], address[5]);
  return text;
}

Json toJson(const lacp::PortInfo& info) {
  const lacp::PortState& state = info.state;
  return {{"system_priority", info.system_priority},
          {"system", hex(info.system)},
          {"key", info.key},
          {"port_priority", info.port_priority},
          {"port", info.port},
          {"state",
           {{"activity", state.lacp_activity},
            {"timeout", state.lacp_timeout ? "short" : "long"},
            {"aggregation", state.aggregation},
            {"synchronization", state.synchronization},
            {"collecting", state.collecting},
            {"distributing", state.distributing},
            {"defaulted", state.defaulted},
            {"expired", state.expired}}}};
}

/// The standard's names of the states: ACTOR_CHURN, NO_PARTNER_CHURN, ...
Json churn(const lacp::ChurnMachine& machine, const std::string& side) {
  const std::string state = machine.churn()                                 ? side + "_CHURN"
                            : machine.state() == lacp::ChurnState::NO_CHURN ? "NO_" + side + "_CHURN"
                                                                            : side + "_CHURN_MONITOR";
  return {{"state", state}, {"count", machine.count()}};
}

Json counters(const lacp::Port& port, const LagReportOptions& options) {
  const lacp::Counters& counted = port.counters;
  return {{"lacpdus_received", counted.lacpdus_received},
          {"lacpdus_sent", counted.lacpdus_sent},
          {"markers_received", counted.markers_received},
          {"marker_responses_sent", counted.marker_responses_sent},
          {"malformed", counted.malformed},
          {"unknown", counted.unknown},
          {"ignored", counted.ignored},
          {"repeated", options.repeated ? options.repeated(static_cast<unsigned>(port.settings.id)) : 0}};
}

const char* reasonName(lacp::Reason reason) {
  static constexpr const char* kNames[] = {"none",           "link_down",  "half_duplex",     "no_partner",
                                           "partner_silent", "loopback",   "partner_differs", "key_differs",
                                           "speed_differs",  "individual", "standby",         "below_min_links"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(lacp::Reason::below_min_links) + 1);
  return kNames[static_cast<std::size_t>(reason)];
}

Json toJson(const lacp::Port& port, const LagReportOptions& options) {
  const lacp::PortVariables& variables = port.variables;
  const auto changed = [&](lacp::TimePoint at) {
    return options.time - std::chrono::duration_cast<std::chrono::system_clock::duration>(options.now - at);
  };
  return {{"port", static_cast<unsigned>(port.settings.id)},
          {"link", port.link.up ? "up" : "down"},
          {"speed_mbit", port.link.speed_mbit},
          {"duplex", port.link.full_duplex ? "full" : "half"},
          {"selected", lacp::name(variables.selected)},
          {"reason", reasonName(port.reason)},
          {"reason_text", port.reason == lacp::Reason::none ? std::string() : std::string(lacp::words(port.reason))},
          {"receive", lacp::name(port.receive.state())},
          {"periodic", lacp::name(port.periodic.state())},
          {"mux", lacp::name(port.mux.state())},
          {"collecting", variables.actor.state.collecting},
          {"distributing", variables.actor.state.distributing},
          {"actor", toJson(variables.actor)},
          {"partner", toJson(variables.partner)},
          {"actor_churn", churn(port.actor_churn, "ACTOR")},
          {"partner_churn", churn(port.partner_churn, "PARTNER")},
          {"counters", counters(port, options)},
          {"last_change", port.last_change ? Json(rfc3339(changed(*port.last_change))) : Json()}};
}

}  // namespace

Json lagReport(const LagService& service, const LagReportOptions& options) {
  Json list = Json::array();
  for (const auto& [link, lag] : service.lags()) {
    const lacp::GroupSettings& settings = lag.config.settings;
    Json ports = Json::array(), members = Json::array();
    unsigned links_up = 0;
    for (const lacp::Port& port : lag.group.ports()) {
      ports.push_back(static_cast<unsigned>(port.settings.id));
      members.push_back(toJson(port, options));
      links_up += port.variables.actor.state.distributing ? 1 : 0;
    }
    const std::optional<lacp::LagId>& partner = lag.group.selection().lag();
    list.push_back({{"link", link},
                    {"ports", ports},
                    {"services", lag.config.services},
                    {"operational", lag.group.operational()},
                    {"mode", settings.active ? "active" : "passive"},
                    {"rate", settings.fast ? "fast" : "slow"},
                    {"control", settings.independent_control ? "independent" : "coupled"},
                    {"min_links", settings.selection.min_links},
                    {"max_active", settings.selection.max_active},
                    {"links_up", links_up},
                    {"key", settings.key},
                    {"system", {{"priority", settings.system_priority}, {"address", hex(settings.system)}}},
                    {"partner", partner ? Json{{"priority", partner->system_priority},
                                               {"address", hex(partner->system)},
                                               {"key", partner->key}}
                                        : Json()},
                    {"members", members}});
  }
  return {{"lags", list}};
}

}  // namespace poplink::host
