// SPDX-License-Identifier: Apache-2.0
#include "report.h"

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

}  // namespace

Json reportServices(driver::Card& card) {
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

Json reportCounters(driver::Card& card) {
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

Json reportTables(driver::Card& card, const std::string& only) {
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

}  // namespace poplink::host
