// SPDX-License-Identifier: Apache-2.0
#include "print_bgp.h"

#include <iostream>

#include "bgp_words.h"
#include "print_table.h"

namespace poplink::host {

namespace {

using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

std::string stateOf(const Json& peer) {
  return cellOf(peer.at("state")) + (peer.at("shutdown").get<bool>() ? ", shut down" : "");
}

std::string joined(const Json& list) {
  std::string text;
  for (const Json& one : list) text += (text.empty() ? "" : ", ") + cellOf(one);
  return text.empty() ? "none" : text;
}

std::string policyWords(const Json& judged) {
  const Json& term = judged.at("decided_by");
  return cellOf(judged.at("policy")) + (judged.at("accepted").get<bool>() ? " accepts" : " refuses") +
         (term.is_null() ? ": no term matches" : ", term " + cellOf(term));
}

void line(const std::string& name, const std::string& text) {
  std::cout << "  " << name << ": " << text << "\n";
}

/// The names of the flags that are set.
std::string flagsOf(const Json& object) {
  Json set = Json::array();
  for (const auto& [name, value] : object.items())
    if (value == true) set.push_back(name);
  return joined(set);
}

std::string endpointOf(const Json& end) {
  return cellOf(end.at("address")) + " port " + cellOf(end.at("port")) + ", AS " + cellOf(end.at("asn"));
}

void printGracefulRestart(const Json& restart) {
  const auto side = [](const Json& one) { return one.is_null() ? "off" : cellOf(one.at("restart_seconds")) + " s"; };
  std::string text = "ours " + side(restart.at("local")) + ", the peer's " + side(restart.at("peer")) +
                     ", kept: " + joined(restart.at("kept_on_restart"));
  if (!restart.at("stale").empty())
    text += ", stale: " + joined(restart.at("stale")) + " until " + cellOf(restart.at("stale_until"));
  line("graceful restart", text);
}

void printTimers(const Json& timers) {
  std::string text;
  for (const auto& [name, value] : timers.items()) {
    if (value.is_null()) continue;
    std::string words = name.substr(0, name.rfind("_seconds"));
    for (char& c : words)
      if (c == '_') c = ' ';
    text += (text.empty() ? "" : ", ") + words + " " + value.dump() + " s";
  }
  line("timers", text);
}

void printPrefixes(const Json& families) {
  Rows rows = {
      {"  family", "received", "accepted", "best", "advertised", "waiting", "limit", "discarded", "End-of-RIB"}};
  for (const auto& [family, one] : families.items())
    rows.push_back({"  " + family, cellOf(one.at("received")), cellOf(one.at("accepted")), cellOf(one.at("best")),
                    cellOf(one.at("advertised")), cellOf(one.at("waiting_to_be_advertised")), cellOf(one.at("limit")),
                    cellOf(one.at("discarded")), one.at("end_of_rib_received").get<bool>() ? "has come" : "-"});
  printTable(rows);
}

void printCounters(const Json& counters) {
  Rows rows = {{"  messages"}, {"  received"}, {"  sent"}};
  for (const auto& [type, received] : counters.at("messages_received").items()) {
    rows[0].push_back(type);
    rows[1].push_back(received.dump());
    rows[2].push_back(counters.at("messages_sent").at(type).dump());
  }
  rows[0].push_back("octets");
  rows[1].push_back(counters.at("octets_received").dump());
  rows[2].push_back(counters.at("octets_sent").dump());
  printTable(rows);
  const Json& errors = counters.at("update_errors");
  line("wrong UPDATEs", errors.at("attribute_discard").dump() + " attribute discard, " +
                            errors.at("treat_as_withdraw").dump() + " treat-as-withdraw, " +
                            errors.at("session_reset").dump() + " session reset");
}

void printLast(const Json& neighbor) {
  if (const Json& last = neighbor.at("last_notification"); !last.is_null())
    line("last NOTIFICATION", cellOf(last.at("direction")) + " " + cellOf(last.at("time")) + ", " +
                                  cellOf(last.at("text")) +
                                  (last.at("shutdown_text").is_null() ? "" : ": " + last.at("shutdown_text").dump()));
  if (const Json& error = neighbor.at("last_error"); !error.is_null())
    line("last error", durationOf(neighbor.at("last_error_age_seconds")) + " ago, " + cellOf(error));
  if (const Json& wrong = neighbor.at("last_update_error"); !wrong.is_null()) line("last wrong UPDATE", cellOf(wrong));
}

void printPath(const Json& path) {
  std::cout << (path.at("best").get<bool>()        ? "> "
                : path.at("multipath").get<bool>() ? "= "
                                                   : "  ")
            << (path.at("peer").is_null() ? "originated here" : "from " + cellOf(path.at("peer")));
  if (!path.at("next_hop").is_null()) std::cout << ", next hop " << cellOf(path.at("next_hop"));
  std::cout << ", path " << pathOf(path) << ", local pref " << cellOf(path.at("local_pref")) << ", med "
            << cellOf(path.at("med")) << ", communities " << communitiesOf(path) << "\n      " << cellOf(path.at("why"))
            << "\n";
  if (const Json& import = path.at("import"); !import.is_null()) {
    std::cout << "      import " << policyWords(import);
    if (import.at("terms").size() > 1) std::cout << "; terms that matched: " << joined(import.at("terms"));
    std::cout << "\n";
  }
}

void printToldTo(const Json& peer) {
  std::cout << "  " << cellOf(peer.at("peer")) << ": " << (peer.at("advertised").get<bool>() ? "told" : "not told");
  if (!peer.at("reason").is_null()) std::cout << ": " << cellOf(peer.at("reason"));
  if (!peer.at("export").is_null()) std::cout << " (" << policyWords(peer.at("export")) << ")";
  std::cout << "\n";
}

}  // namespace

void printSummary(const Json& summary) {
  const Json& tables = summary.at("tables");
  std::cout << "AS " << summary.at("asn") << ", router id " << cellOf(summary.at("router_id"))
            << "; prefixes: " << tables.at("ipv4").at("prefixes") << " IPv4, " << tables.at("ipv6").at("prefixes")
            << " IPv6" << (summary.at("drain").get<bool>() ? "; draining" : "") << "\n";
  if (summary.at("peers").empty()) {
    std::cout << "no peers\n";
    return;
  }
  Rows rows = {{"peer", "address", "AS", "state", "for", "flaps", "family", "received", "accepted", "best",
                "advertised", "limit", "last error"}};
  for (const Json& peer : summary.at("peers")) {
    std::vector<std::string> row = {cellOf(peer.at("name")),
                                    cellOf(peer.at("address")),
                                    cellOf(peer.at("asn")),
                                    stateOf(peer),
                                    durationOf(peer.at("uptime_seconds")),
                                    cellOf(peer.at("flaps"))};
    // What has passed is no problem of a session that is up.
    std::string error = peer.at("state") == "Established" ? "-" : cellOf(peer.at("last_error"));
    for (const auto& [family, counts] : peer.at("prefixes").items()) {
      row.push_back(family);
      for (const char* count : {"received", "accepted", "best", "advertised", "limit"})
        row.push_back(cellOf(counts.at(count)));
      row.push_back(std::exchange(error, ""));
      rows.push_back(std::exchange(row, std::vector<std::string>(6)));
    }
  }
  printTable(rows);
}

void printNeighbor(const Json& neighbor) {
  std::cout << "peer " << cellOf(neighbor.at("name")) << ": " << stateOf(neighbor) << " since "
            << cellOf(neighbor.at("since"))
            << (neighbor.at("held_by_prefix_limit").get<bool>() ? ", held by its prefix limit" : "") << "\n";
  const Json& remote = neighbor.at("remote");
  line("remote",
       endpointOf(remote) + (remote.at("router_id").is_null() ? "" : ", router id " + cellOf(remote.at("router_id"))));
  line("local", endpointOf(neighbor.at("local")) + (neighbor.at("internal").get<bool>() ? ", internal" : ""));
  line("policies", "import " + cellOf(neighbor.at("policies").at("import")) + ", export " +
                       cellOf(neighbor.at("policies").at("export")));
  line("role",
       "ours " + cellOf(neighbor.at("role").at("local")) + ", the peer's " + cellOf(neighbor.at("role").at("peer")));
  line("TCP", "hops " + neighbor.at("hops").dump() + (neighbor.at("ttl_security").get<bool>() ? ", GTSM" : "") +
                  (neighbor.at("md5").get<bool>() ? ", MD5" : "") + ", " + neighbor.at("queued_octets").dump() +
                  " octets wait");
  printTimers(neighbor.at("timers"));
  if (const Json& agreed = neighbor.at("capabilities"); !agreed.is_null())
    line("agreed on", joined(agreed.at("families")) + ", " + flagsOf(agreed));
  printGracefulRestart(neighbor.at("graceful_restart"));
  const Json& counters = neighbor.at("counters");
  line("sessions", counters.at("established").dump() + " established, " + counters.at("down").dump() + " ended, " +
                       counters.at("connect_attempts").dump() + " attempts, " +
                       counters.at("connections_accepted").dump() + " accepted");
  printPrefixes(neighbor.at("prefixes"));
  printCounters(counters);
  printLast(neighbor);
}

void printNeighbors(const Json& neighbors) {
  for (const Json& neighbor : neighbors.at("neighbors")) printNeighbor(neighbor);
  if (neighbors.at("neighbors").empty()) std::cout << "no peers\n";
}

void printExplanation(const Json& explanation) {
  if (explanation.at("prefix").is_null()) {
    std::cout << "no route to " << cellOf(explanation.at("asked")) << "\n";
    return;
  }
  std::cout << cellOf(explanation.at("prefix")) << " is the longest match of " << cellOf(explanation.at("asked"))
            << "\n";
  for (const Json& path : explanation.at("paths")) printPath(path);
  std::cout << "peers:\n";
  for (const Json& peer : explanation.at("peers")) printToldTo(peer);
}

}  // namespace poplink::host
