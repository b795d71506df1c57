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
  if (member.at("distributing").get<bool>()) return "carries traffic";
  if (const std::string why = text(member.at("reason_text")); !why.empty()) return "out: " + why;
  if (member.at("collecting").get<bool>()) return "receives; the partner does not yet";
  const std::string mux = text(member.at("mux"));
  if (mux == "WAITING") return "waits for others to join";
  if (mux == "ATTACHED") return "ready; the partner is not in sync";
  return "begins";
}

/// Activity, rate, then letters as on the wire: Aggregation, Synchronization, Collecting, Distributing, dEfaulted,
/// eXpired.
std::string bits(const Json& info) {
  const Json& state = info.at("state");
  std::string word = state.at("activity").get<bool>() ? "active " : "passive ";
  word += text(state.at("timeout")) == "short" ? "fast " : "slow ";
  constexpr std::pair<const char*, char> kLetters[] = {{"aggregation", 'A'}, {"synchronization", 'S'},
                                                       {"collecting", 'C'},  {"distributing", 'D'},
                                                       {"defaulted", 'E'},   {"expired", 'X'}};
  for (const auto& [name, letter] : kLetters) word += state.at(name).get<bool>() ? letter : '-';
  return word;
}

std::string speed(const Json& mbit) {
  const auto value = mbit.get<unsigned>();
  return value == 0 ? "-" : value % 1000 == 0 ? std::to_string(value / 1000) + "G" : std::to_string(value) + "M";
}

std::string churn(const Json& member) {
  std::string found;
  for (const char* side : {"actor", "partner"}) {
    const Json& one = member.at(std::string(side) + "_churn");
    if (text(one.at("state")) == (side == std::string("actor") ? "ACTOR_CHURN" : "PARTNER_CHURN"))
      found += (found.empty() ? "" : ", ") + std::string(side) + " does not come into sync";
    else if (one.at("count") != 0)
      found += (found.empty() ? "" : ", ") + std::string(side) + " " + one.at("count").dump() + " times";
  }
  return found.empty() ? "-" : found;
}

void printLag(const Json& lag) {
  std::cout << "LAG " << lag.at("link") << " of ports " << joined(lag.at("ports")) << ": "
            << (lag.at("operational").get<bool>() ? "up" : "down") << ", " << lag.at("links_up") << " of "
            << lag.at("ports").size() << " links carry traffic (at least " << lag.at("min_links");
  if (lag.at("max_active") != 0) std::cout << ", at most " << lag.at("max_active");
  std::cout << ")\n  services: " << (lag.at("services").empty() ? "none" : joined(lag.at("services"))) << "\n  LACP "
            << text(lag.at("mode")) << ", " << text(lag.at("rate")) << " rate, " << text(lag.at("control"))
            << " control; this system " << text(lag.at("system").at("address")) << " priority "
            << lag.at("system").at("priority") << " key " << lag.at("key") << "; partner ";
  const Json& partner = lag.at("partner");
  if (partner.is_null())
    std::cout << "none\n";
  else
    std::cout << text(partner.at("address")) << " priority " << partner.at("priority") << " key " << partner.at("key")
              << "\n";
  std::vector<std::vector<std::string>> rows = {{"  port", "link", "speed", "does", "mux", "actor", "partner",
                                                 "PDUs rx/tx", "by the card", "bad", "churn", "last change"}};
  for (const Json& member : lag.at("members")) {
    const Json& counters = member.at("counters");
    const auto bad = counters.at("malformed").get<std::uint64_t>() + counters.at("unknown").get<std::uint64_t>() +
                     counters.at("ignored").get<std::uint64_t>();
    rows.push_back({"  " + member.at("port").dump(), text(member.at("link")), speed(member.at("speed_mbit")),
                    doing(member), text(member.at("mux")), bits(member.at("actor")), bits(member.at("partner")),
                    counters.at("lacpdus_received").dump() + "/" + counters.at("lacpdus_sent").dump(),
                    counters.at("repeated").dump(), std::to_string(bad), churn(member),
                    member.at("last_change").is_null() ? "-" : text(member.at("last_change"))});
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
