// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>

#include <algorithm>
#include <iostream>

#include "bgp_words.h"
#include "print_bgp.h"
#include "print_table.h"

namespace poplink::host {

namespace {

using Json = nlohmann::ordered_json;
using Row = RoutePrinter::Row;

constexpr std::size_t kTogether = 1000;  // records of one width, when they are printed as they come

/// Sorts as prefixes do: IPv4 first, then by address, the shorter one first.
std::string keyOf(const std::string& prefix) {
  const std::size_t slash = prefix.find('/');
  const std::string address = prefix.substr(0, slash);
  unsigned char octets[16];
  std::string key;
  if (::inet_pton(AF_INET, address.c_str(), octets) == 1)
    key.append("4").append(reinterpret_cast<const char*>(octets), 4);
  else if (::inet_pton(AF_INET6, address.c_str(), octets) == 1)
    key.append("6").append(reinterpret_cast<const char*>(octets), 16);
  else
    return prefix;
  return key + static_cast<char>(std::stoi(prefix.substr(slash + 1)));
}

std::string mark(const Json& path) {
  if (!path.at("eligible").get<bool>()) return path.at("stale").get<bool>() ? "x s" : "x";
  const std::string taken = path.at("best").get<bool>() ? ">" : path.at("multipath").get<bool>() ? "=" : " ";
  return taken + (path.at("stale").get<bool>() ? " s" : "");
}

std::vector<Row> pathRows(const Json& route) {
  std::vector<Row> rows;
  for (const Json& path : route.at("paths"))
    rows.push_back({mark(path), rows.empty() ? route.at("prefix").get<std::string>() : "",
                    path.at("peer").is_null() ? "(here)" : cellOf(path.at("peer")), nextHopOf(path), pathOf(path),
                    cellOf(path.at("origin")), cellOf(path.at("local_pref")), cellOf(path.at("med")),
                    communitiesOf(path), durationOf(path.at("age_seconds")),
                    path.at("reason").is_null() ? "" : cellOf(path.at("reason"))});
  return rows;
}

std::vector<Row> advertisedRows(const Json& route) {
  return {{cellOf(route.at("prefix")), nextHopOf(route), pathOf(route), cellOf(route.at("origin")),
           cellOf(route.at("local_pref")), cellOf(route.at("med")), communitiesOf(route)}};
}

}  // namespace

RoutePrinter RoutePrinter::ofPaths() {
  return {{"", "prefix", "peer", "next hop", "path", "origin", "local pref", "med", "communities", "age", "why not"},
          pathRows,
          "> the best, = beside it, x may not be taken, s stale"};
}

RoutePrinter RoutePrinter::ofAdvertised() {
  return {{"prefix", "next hop", "path", "origin", "local pref", "med", "communities"}, advertisedRows, ""};
}

void RoutePrinter::add(const Json& record) {
  records_.push_back({keyOf(record.at("prefix")), rows_(record)});
  if (printed_ != 0 ? records_.size() >= kTogether : records_.size() > kSorted) flush();
}

void RoutePrinter::flush() {
  if (records_.empty()) return;
  std::vector<Row> rows;
  if (printed_ == 0) rows.push_back(head_);
  for (Record& record : records_)
    for (Row& row : record.rows) rows.push_back(std::move(row));
  printTable(rows);
  printed_ += records_.size();
  records_.clear();
}

void RoutePrinter::finish() {
  if (printed_ == 0) std::ranges::sort(records_, {}, &Record::key);
  flush();
  if (printed_ == 0)
    std::cout << "no routes\n";
  else if (!legend_.empty())
    std::cout << legend_ << "\n";
}

}  // namespace poplink::host
