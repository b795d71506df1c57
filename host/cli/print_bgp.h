// SPDX-License-Identifier: Apache-2.0
// What a BGP speaker reports (docs/api.md), for people, to the standard output.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace poplink::host {

void printSummary(const nlohmann::ordered_json& summary);
void printNeighbor(const nlohmann::ordered_json& neighbor);
void printNeighbors(const nlohmann::ordered_json& neighbors);
void printExplanation(const nlohmann::ordered_json& explanation);

/// Routes as a table: sorted, unless there are too many to keep them.
class RoutePrinter {
 public:
  using Json = nlohmann::ordered_json;
  using Row = std::vector<std::string>;
  static constexpr std::size_t kSorted = 100'000;  ///< records; with more they are printed as they come

  static RoutePrinter ofPaths();
  static RoutePrinter ofAdvertised();
  void add(const Json& record);
  void finish();

 private:
  struct Record {
    std::string key;  ///< family, address and length as octets
    std::vector<Row> rows;
  };
  RoutePrinter(Row head, std::vector<Row> (*rows)(const Json&), std::string legend)
      : head_(std::move(head)), rows_(rows), legend_(std::move(legend)) {}
  void flush();

  Row head_;
  std::vector<Row> (*rows_)(const Json&);
  std::string legend_;
  std::vector<Record> records_;
  std::size_t printed_ = 0;
};

}  // namespace poplink::host
