// SPDX-License-Identifier: Apache-2.0
#include "bgp_words.h"

namespace poplink::host {

namespace {

using Json = nlohmann::ordered_json;

void append(std::string& text, const Json& list) {
  for (const Json& one : list) text += (text.empty() ? "" : " ") + cellOf(one);
}

std::string orDash(const std::string& text) {
  return text.empty() ? "-" : text;
}

}  // namespace

std::string cellOf(const Json& value) {
  if (value.is_null()) return "-";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string pathOf(const Json& attributes) {
  std::string text;
  append(text, attributes.at("as_path"));
  return orDash(text);
}

std::string communitiesOf(const Json& attributes) {
  std::string text;
  for (const char* kind : {"communities", "large_communities", "extended_communities"})
    append(text, attributes.at(kind));
  return orDash(text);
}

std::string nextHopOf(const Json& attributes) {
  const Json& next_hop = attributes.at("next_hop");
  return next_hop.is_null() ? "(here)" : cellOf(next_hop);
}

std::string durationOf(const Json& seconds) {
  if (seconds.is_null()) return "-";
  const auto all = seconds.get<std::uint64_t>();
  constexpr std::pair<std::uint64_t, char> kUnits[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
  for (std::size_t i = 0; i + 1 < std::size(kUnits); ++i) {
    const auto [size, letter] = kUnits[i];
    if (all < size) continue;
    return std::to_string(all / size) + letter + " " + std::to_string(all % size / kUnits[i + 1].first) +
           kUnits[i + 1].second;
  }
  return std::to_string(all) + "s";
}

}  // namespace poplink::host
