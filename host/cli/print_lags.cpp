// SPDX-License-Identifier: Apache-2.0
#include "print_lags.h"

#include <iostream>

#include "print_table.h"

namespace poplink::host {

namespace {

using Json = nlohmann::ordered_json;

std::string text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string joined(const Json& list) {
  std::string all;
  for (const Json& one : list) all += (all.empty() ? "" : ", ") + text(one);
  return all;
}

/// What the member does, or why it does not.
std::string doing(const Json& member) {
  if (member["distributing"].get<bool>()) return "carries traffic";
  if (const std::string why = text(member["reason_text"]); !why.empty()) return "out: " + why;
  if (member["collecting"].get<bool>()) return "receives; the partner does not yet";
  const std::string mux = text(member["mux"]);
  if (mux == "WAITING") return "waits for others to join";
  if (mux == "ATTACHED") return "ready; the partner is not in sync";
  return "begins";
}

/// Activity, rate, then letters as on the wire: Aggregation, Synchronization, Collecting, Distributing, dEfaulted,
/// eXpired.
std::string bits(const Json& info) {
  const Json& state = info["state"];
  std::string word = state["activity"].get<bool>() ? "active " : "passive ";
  word += text(state["timeout"]) == "short" ? "fast " : "slow ";
  constexpr std::pair<const char*, char> kLetters[] = {{"aggregation", 'A'}, {"synchronization", 'S'},
                                                       {"collecting", 'C'},  {"distributing", 'D'},
                                                       {"defaulted", 'E'},   {"expired", 'X'}};
  for (const auto& [name, letter] : kLetters) word += state[name].get<bool>() ? letter : '-';
  return word;
}

std::string speed(const Json& mbit) {
  const auto value = mbit.get<unsigned>();
  return value == 0 ? "-" : value % 1000 == 0 ? std::to_string(value / 1000) + "G" : std::to_string(value) + "M";
}

std::string churn(const Json& member) {
  std::string found;
  for (const char* side : {"actor", "partner"}) {
    const Json& one = member[std::string(side) + "_churn"];
    if (text(one["state"]) == (side == std::string("actor") ? "ACTOR_CHURN" : "PARTNER_CHURN"))
      found += (found.empty() ? "" : ", ") + std::string(side) + " does not come into sync";
    else if (one["count"] != 0)
      found += (found.empty() ? "" : ", ") + std::string(side) + " " + one["count"].dump() + " times";
  }
  return found.empty() ? "-" : found;
}

void printLag(const Json& lag) {
  std::cout << "LAG " << lag["link"] << " of ports " << joined(lag["ports"]) << ": "
            << (lag["operational"].get<bool>() ? "up" : "down") << ", " << lag["links_up"] << " of "
            << lag["ports"].size() << " links carry traffic (at least " << lag["min_links"];
  if (lag["max_active"] != 0) std::cout << ", at most " << lag["max_active"];
  std::cout << ")\n  services: " << (lag["services"].empty() ? "none" : joined(lag["services"])) << "\n  LACP "
            << text(lag["mode"]) << ", " << text(lag["rate"]) << " rate, " << text(lag["control"])
            << " control; this system " << text(lag["system"]["address"]) << " priority " << lag["system"]["priority"]
            << " key " << lag["key"] << "; partner ";
  const Json& partner = lag["partner"];
  if (partner.is_null())
    std::cout << "none\n";
  else
    std::cout << text(partner["address"]) << " priority " << partner["priority"] << " key " << partner["key"] << "\n";
  std::vector<std::vector<std::string>> rows = {{"  port", "link", "speed", "does", "mux", "actor", "partner",
                                                 "PDUs rx/tx", "by the card", "bad", "churn", "last change"}};
  for (const Json& member : lag["members"]) {
    const Json& counters = member["counters"];
    const auto bad = counters["malformed"].get<std::uint64_t>() + counters["unknown"].get<std::uint64_t>() +
                     counters["ignored"].get<std::uint64_t>();
    rows.push_back({"  " + member["port"].dump(), text(member["link"]), speed(member["speed_mbit"]), doing(member),
                    text(member["mux"]), bits(member["actor"]), bits(member["partner"]),
                    counters["lacpdus_received"].dump() + "/" + counters["lacpdus_sent"].dump(),
                    counters["repeated"].dump(), std::to_string(bad), churn(member),
                    member["last_change"].is_null() ? "-" : text(member["last_change"])});
  }
  printTable(rows);
}

}  // namespace

void printLags(const Json& lags) {
  for (const Json& lag : lags) printLag(lag);
  if (lags.empty()) {
    std::cout << "no LAGs\n";
    return;
  }
  std::cout << "actor, partner: A aggregatable, S in sync, C collecting, D distributing, E defaulted, X expired; "
               "by the card: PDUs repeated while poplinkd was away\n";
}

}  // namespace poplink::host
