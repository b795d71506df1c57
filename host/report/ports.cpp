// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdio>

#include "report.h"

namespace poplink::host {

namespace {

using Json = nlohmann::ordered_json;

/// As exact as modules are.
double rounded(double value) {
  return std::round(value * 100) / 100;
}

Json orNull(std::optional<double> value) {
  return value ? Json(rounded(*value)) : Json(nullptr);
}

Json orNull(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json orNull(unsigned number) {
  return number == 0 ? Json(nullptr) : Json(number);
}

Json toJson(const driver::Count& count) {
  return {{"frames", count.frames}, {"bytes", count.bytes}};
}

const char* nameOf(driver::Reading::State state) {
  static constexpr const char* kNames[] = {"good", "low_warning", "high_warning", "low_alarm", "high_alarm"};
  return kNames[static_cast<std::size_t>(state)];
}

Json toJson(const driver::Reading& reading) {
  return {{"value", rounded(reading.value)},
          {"state", nameOf(reading.state())},
          {"low_alarm", rounded(reading.low_alarm)},
          {"low_warning", rounded(reading.low_warning)},
          {"high_warning", rounded(reading.high_warning)},
          {"high_alarm", rounded(reading.high_alarm)}};
}

/// A power with its limits, in dBm.
Json lightToJson(const driver::Reading& reading) {
  Json json = {{"value", orNull(driver::dbmOf(reading.value))}, {"state", nameOf(reading.state())}};
  json["low_alarm"] = orNull(driver::dbmOf(reading.low_alarm));
  json["low_warning"] = orNull(driver::dbmOf(reading.low_warning));
  json["high_warning"] = orNull(driver::dbmOf(reading.high_warning));
  json["high_alarm"] = orNull(driver::dbmOf(reading.high_alarm));
  return json;
}

Json diagnosticsOf(const std::optional<driver::ModuleDiagnostics>& diagnostics) {
  if (!diagnostics) return nullptr;
  return {{"ready", diagnostics->ready},
          {"checksum_good", diagnostics->checksum_good},
          {"temperature_c", toJson(diagnostics->temperature_c)},
          {"supply_v", toJson(diagnostics->supply_v)},
          {"bias_ma", toJson(diagnostics->bias_ma)},
          {"transmit_dbm", lightToJson(diagnostics->transmit_uw)},
          {"receive_dbm", lightToJson(diagnostics->receive_uw)}};
}

Json moduleOf(driver::Card& card, unsigned port, const driver::PortState& state) {
  const auto module = card.module(port);
  if (!module) return nullptr;
  Json json = {{"readable", module->identity.has_value()}, {"fault", state.fault}, {"los", state.los}};
  if (!module->identity) return json;
  const driver::ModuleIdentity& identity = *module->identity;
  char oui[9];
  std::snprintf(oui, sizeof oui, "%02x-%02x-%02x", identity.oui[0], identity.oui[1], identity.oui[2]);
  json["checksums_good"] = identity.checksums_good;
  json["type"] = orNull(identity.type);
  json["connector"] = identity.connector;
  json["vendor"] = identity.vendor;
  json["oui"] = oui;
  json["part"] = identity.part;
  json["revision"] = identity.revision;
  json["serial"] = identity.serial;
  json["date"] = identity.date;
  json["bitrate_mbd"] = orNull(identity.bitrate_mbd);
  json["wavelength_nm"] = orNull(identity.wavelength_nm);
  json["diagnostics"] = diagnosticsOf(module->diagnostics);
  return json;
}

}  // namespace

Json reportPorts(driver::Card& card) {
  static constexpr const char* kRoles[] = {"cross_connect", "vrack", "backbone", "unknown"};
  const auto configured = card.validEntries("port");
  Json list = Json::array();
  for (unsigned p = 0; p < card.ports(); ++p) {
    const driver::PortState state = card.port(p);
    const auto entry = configured.find(p);
    list.push_back({{"port", p},
                    {"role", entry == configured.end() ? "off" : kRoles[entry->second.at("role") & 3]},
                    {"link", state.up ? "up" : "down"},
                    {"held", state.held},
                    {"speed_mbit", orNull(state.speed_mbit)},
                    {"transmit", state.enabled ? "enabled" : "disabled"},
                    {"transmit_dbm", orNull(state.transmit_dbm)},
                    {"receive_dbm", orNull(state.receive_dbm)},
                    {"module", moduleOf(card, p, state)},
                    {"received", toJson(state.received)},
                    {"sent", toJson(state.sent)}});
  }
  return {{"ports", list}};
}

}  // namespace poplink::host
