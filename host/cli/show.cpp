// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "../model/read_region.h"
#include "../plan/tables.h"
#include "commands.h"
#include "open_card.h"
#include "print_table.h"
#include "show_ecmp.h"
#include "show_port.h"

namespace poplink::host {

namespace {

using Json = nlohmann::ordered_json;

Json toJson(const driver::Count& count) {
  return {{"frames", count.frames}, {"bytes", count.bytes}};
}

std::string reasonName(unsigned number) {
  for (const card_map::DropReason& reason : card_map::kDropReasons) {
    if (reason.number == number) return std::string(reason.name);
  }
  return std::to_string(number);
}

std::string_view reasonText(const std::string& name) {
  for (const card_map::DropReason& reason : card_map::kDropReasons) {
    if (reason.name == name) return reason.text;
  }
  return "";
}

Json services(driver::Card& card) {
  Json list = Json::array();
  for (const auto& [number, entry] : card.validEntries("service")) {
    Json one = {{"service", number}};
    for (const char* field : {"attachment", "group", "s_vid", "mtu"}) one[field] = entry.at(field);
    one["to_backbone"] = toJson(card.service(number, true));
    one["from_backbone"] = toJson(card.service(number, false));
    list.push_back(one);
  }
  return {{"services", list}};
}

Json counters(driver::Card& card) {
  Json list = Json::array();
  for (unsigned p = 0; p < card.ports(); ++p) {
    const driver::PortState state = card.port(p);
    Json drops = Json::object(), drop_bytes = Json::object();
    for (const auto& [reason, count] : card.drops(p)) {
      drops[reasonName(reason)] = count.frames;
      drop_bytes[reasonName(reason)] = count.bytes;
    }
    list.push_back({{"port", p},
                    {"received", toJson(state.received)},
                    {"sent", toJson(state.sent)},
                    {"drops", drops},
                    {"drop_bytes", drop_bytes}});
  }
  return {{"ports", list}};
}

Json tables(driver::Card& card, const std::string& only) {
  Json list = Json::array();
  if (!only.empty()) driver::tableNamed(only);  // refuses a name that is not there
  for (const card_map::Table& table : card_map::kTables) {
    if (!only.empty() && table.name != only) continue;
    Json entries = Json::array();
    for (const auto& [index, entry] : card.validEntries(table.name))
      entries.push_back({{"index", index}, {"entry", entry}});
    list.push_back(
        {{"table", table.name}, {"capacity", table.capacity}, {"used", card.used(table.name)}, {"entries", entries}});
  }
  return {{"tables", list}};
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
      row.push_back(value.is_object() ? cell(value["frames"]) + "/" + cell(value["bytes"]) : cell(value));
  }
  printTable(rows);
}

void printCounters(const Json& list) {
  std::vector<std::vector<std::string>> rows = {{"port", "counter", "frames", "bytes", ""}};
  for (const Json& port : list) {
    const std::string number = cell(port["port"]);
    for (const char* direction : {"received", "sent"})
      rows.push_back({number, direction, cell(port[direction]["frames"]), cell(port[direction]["bytes"]), ""});
    for (const auto& [reason, frames] : port["drops"].items()) {
      rows.push_back(
          {number, "drop " + reason, cell(frames), cell(port["drop_bytes"][reason]), std::string(reasonText(reason))});
    }
  }
  printTable(rows);
}

void printEcmp(const Json& groups) {
  printTable(ecmpRows(groups));
  std::cout << kFlowsNote << "\n";
}

void printTables(const Json& list) {
  for (const Json& table : list) {
    std::cout << cell(table["table"]) << ": " << table["used"] << " of " << table["capacity"] << " entries used\n";
    for (const Json& one : table["entries"]) {
      std::cout << "  " << one["index"] << ":";
      for (const auto& [name, value] : one["entry"].items()) {
        if (name != "valid") std::cout << " " << name << " " << value;
      }
      std::cout << "\n";
    }
  }
}

}  // namespace

int show(const ShowOptions& options) {
  driver::Card card = openCard(readNode(options.node), "poplink show");
  Json result;
  if (options.noun == "service")
    result = services(card);
  else if (options.noun == "port")
    result = portList(card);
  else if (options.noun == "counter")
    result = counters(card);
  else if (options.noun == "ecmp")
    result = ecmpGroups(card);
  else
    result = tables(card, options.table);
  if (options.json)
    std::cout << result.dump(2) << "\n";
  else if (options.noun == "service")
    printList(result["services"], "no services");
  else if (options.noun == "port")
    printTable(portRows(result["ports"]));
  else if (options.noun == "counter")
    printCounters(result["ports"]);
  else if (options.noun == "ecmp" && result["groups"].empty())
    std::cout << "no groups\n";
  else if (options.noun == "ecmp")
    printEcmp(result["groups"]);
  else
    printTables(result["tables"]);
  return kExitDone;
}

}  // namespace poplink::host
