// SPDX-License-Identifier: Apache-2.0
#include "show_port.h"

#include <cmath>
#include <cstdio>

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

std::string speedText(const Json& mbit) {
  if (mbit.is_null()) return "-";
  const auto value = mbit.get<unsigned>();
  return value % 1000 == 0 ? std::to_string(value / 1000) + "G" : std::to_string(value) + "M";
}

std::string lightText(const Json& dbm) {
  if (dbm.is_null()) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", dbm.get<double>());
  return text;
}

/// What it is, and what is wrong with it.
std::string moduleText(const Json& module) {
  if (module.is_null()) return "none";
  std::string text = "unreadable";
  if (module["readable"].get<bool>()) {
    text.clear();
    for (const char* part : {"vendor", "part", "serial"}) {
      const std::string one = module[part].get<std::string>();
      text += (text.empty() || one.empty() ? "" : " ") + one;
    }
    if (!module["checksums_good"].get<bool>()) text += ", bad checksum";
  }
  if (module["fault"].get<bool>()) text += ", transmitter failed";
  if (module["los"].get<bool>()) text += ", no signal";
  return text;
}

}  // namespace

Json portList(driver::Card& card) {
  static constexpr const char* kRoles[] = {"cross_connect", "vrack", "backbone", "unknown"};
  const auto configured = card.validEntries("port");
  Json list = Json::array();
  for (unsigned p = 0; p < card.ports(); ++p) {
    const driver::PortState state = card.port(p);
    const auto entry = configured.find(p);
    list.push_back({{"port", p},
                    {"role", entry == configured.end() ? "off" : kRoles[entry->second.at("role") & 3]},
                    {"link", state.up ? "up" : "down"},
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

std::vector<std::vector<std::string>> portRows(const Json& ports) {
  std::vector<std::vector<std::string>> rows = {{"port", "role", "link", "speed", "transmit", "tx dBm", "rx dBm",
                                                 "received frames/bytes", "sent frames/bytes", "module"}};
  const auto count = [](const Json& value) { return value["frames"].dump() + "/" + value["bytes"].dump(); };
  for (const Json& port : ports) {
    rows.push_back({port["port"].dump(), port["role"].get<std::string>(), port["link"].get<std::string>(),
                    speedText(port["speed_mbit"]), port["transmit"].get<std::string>(), lightText(port["transmit_dbm"]),
                    lightText(port["receive_dbm"]), count(port["received"]), count(port["sent"]),
                    moduleText(port["module"])});
  }
  return rows;
}

}  // namespace poplink::host
