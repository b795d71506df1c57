// SPDX-License-Identifier: Apache-2.0
#include "print_reports.h"

#include <cstdio>
#include <iostream>
#include <vector>

#include "poplink/card_map.h"
#include "print_lags.h"
#include "print_table.h"

namespace poplink::host {

namespace {

using Json = nlohmann::ordered_json;

std::string_view reasonText(const std::string& name) {
  for (const card_map::DropReason& reason : card_map::kDropReasons) {
    if (reason.name == name) return reason.text;
  }
  return "";
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
  if (module.at("readable").get<bool>()) {
    text.clear();
    for (const char* part : {"vendor", "part", "serial"}) {
      const std::string one = module.at(part).get<std::string>();
      text += (text.empty() || one.empty() ? "" : " ") + one;
    }
    if (!module.at("checksums_good").get<bool>()) text += ", bad checksum";
  }
  if (module.at("fault").get<bool>()) text += ", transmitter failed";
  if (module.at("los").get<bool>()) text += ", no signal";
  return text;
}

std::vector<std::vector<std::string>> portRows(const Json& ports) {
  std::vector<std::vector<std::string>> rows = {{"port", "role", "link", "speed", "transmit", "tx dBm", "rx dBm",
                                                 "received frames/bytes", "sent frames/bytes", "module"}};
  const auto count = [](const Json& value) { return value.at("frames").dump() + "/" + value.at("bytes").dump(); };
  for (const Json& port : ports) {
    rows.push_back({port.at("port").dump(), port.at("role").get<std::string>(),
                    port.at("link").get<std::string>() + (port.at("held").get<bool>() ? ", held" : ""),
                    speedText(port.at("speed_mbit")), port.at("transmit").get<std::string>(),
                    lightText(port.at("transmit_dbm")), lightText(port.at("receive_dbm")), count(port.at("received")),
                    count(port.at("sent")), moduleText(port.at("module"))});
  }
  return rows;
}

std::vector<std::vector<std::string>> ecmpRows(const Json& groups) {
  const auto list = [](const Json& values) {
    std::string text;
    for (const Json& one : values) text += (text.empty() ? "" : ",") + one.dump();
    return text;
  };
  const auto flows = [](const Json& of_link) -> std::string {
    if (of_link.is_null()) return "-";
    return (of_link.at("saturated").get<bool>() ? ">" : "") + of_link.at("estimate").dump();
  };
  std::vector<std::vector<std::string>> rows = {
      {"group", "services", "link", "ports", "state", "buckets", "carries", "sent frames/bytes", "flows/s"}};
  for (const Json& group : groups) {
    for (const Json& member : group.at("members")) {
      const Json& sent = member.at("sent");
      rows.push_back({group.at("group").dump(), list(group.at("services")), member.at("link").dump(),
                      list(member.at("ports")), member.at("state").get<std::string>(), member.at("buckets").dump(),
                      member.at("carries").dump(), sent.at("frames").dump() + "/" + sent.at("bytes").dump(),
                      flows(member.at("flows"))});
    }
  }
  return rows;
}

std::string cell(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// A list of flat objects, nested ones joined as "frames/bytes".
void printList(const Json& list, const std::string& empty) {
  if (list.empty()) {
    std::cout << empty << "\n";
    return;
  }
  std::vector<std::vector<std::string>> rows(1);
  for (const auto& [key, value] : list.front().items())
    rows[0].push_back(value.is_object() ? key + " frames/bytes" : key);
  for (const Json& one : list) {
    std::vector<std::string>& row = rows.emplace_back();
    for (const auto& [key, value] : one.items())
      row.push_back(value.is_object() ? cell(value.at("frames")) + "/" + cell(value.at("bytes")) : cell(value));
  }
  printTable(rows);
}

void printCounters(const Json& list) {
  std::vector<std::vector<std::string>> rows = {{"port", "counter", "frames", "bytes", ""}};
  for (const Json& port : list) {
    const std::string number = cell(port.at("port"));
    for (const char* direction : {"received", "sent"})
      rows.push_back(
          {number, direction, cell(port.at(direction).at("frames")), cell(port.at(direction).at("bytes")), ""});
    for (const auto& [reason, frames] : port.at("drops").items()) {
      rows.push_back({number, "drop " + reason, cell(frames), cell(port.at("drop_bytes").at(reason)),
                      std::string(reasonText(reason))});
    }
  }
  printTable(rows);
}

void printEcmp(const Json& groups) {
  if (groups.empty()) {
    std::cout << "no groups\n";
    return;
  }
  printTable(ecmpRows(groups));
  std::cout
      << "flows/s: about how many different flows the link carried in the last second, of all groups that use it\n";
}

void printTables(const Json& list) {
  for (const Json& table : list) {
    std::cout << cell(table.at("table")) << ": " << table.at("used") << " of " << table.at("capacity")
              << " entries used\n";
    for (const Json& one : table.at("entries")) {
      std::cout << "  " << one.at("index") << ":";
      for (const auto& [name, value] : one.at("entry").items()) {
        if (name != "valid") std::cout << " " << name << " " << value;
      }
      std::cout << "\n";
    }
  }
}

void printEvents(const Json& list) {
  for (const Json& event : list) std::cout << eventLine(event) << "\n";
}

}  // namespace

std::string eventLine(const Json& event) {
  std::string line = event.at("time").get<std::string>() + " " + event.at("severity").get<std::string>() + " " +
                     event.at("kind").get<std::string>();
  for (const char* what : {"lag", "port"}) {
    if (!event.at(what).is_null()) line += std::string(" ") + what + " " + event.at(what).dump();
  }
  if (event.contains("peer") && !event.at("peer").is_null()) line += " peer " + cell(event.at("peer"));
  return line + ": " + event.at("text").get<std::string>();
}

void printReport(const std::string& noun, const Json& report) {
  if (noun == "service") printList(report.at("services"), "no services");
  if (noun == "port") printTable(portRows(report.at("ports")));
  if (noun == "counter") printCounters(report.at("ports"));
  if (noun == "ecmp") printEcmp(report.at("groups"));
  if (noun == "table") printTables(report.at("tables"));
  if (noun == "lag") printLags(report.at("lags"));
  if (noun == "event") printEvents(report.at("events"));
}

}  // namespace poplink::host
