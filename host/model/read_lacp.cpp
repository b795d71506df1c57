// SPDX-License-Identifier: Apache-2.0
#include "read_lacp.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace poplink::host {

namespace {

constexpr std::uint64_t kHighestPriority = 65535;
constexpr std::uint64_t kLongestHold = 3'600'000;  // ms
constexpr std::uint64_t kLongestWait = 60'000;     // ms

/// Modes that other equipment has.
struct ForeignMode {
  const char* name;
  const char* why_not;
};
constexpr const char* kStatic =
    "static aggregation is not served: a cable in the wrong port would lose its share of the traffic unnoticed";
constexpr const char* kPagp = "PAgP is not served";
constexpr const char* kOff = "a LAG always runs LACP";
// `on` and `off` are flags in YAML 1.1, and programs that write such files turn them into true and false.
constexpr ForeignMode kForeignModes[] = {{"on", kStatic}, {"static", kStatic}, {"true", kStatic},   {"yes", kStatic},
                                         {"off", kOff},   {"none", kOff},      {"false", kOff},     {"no", kOff},
                                         {"pagp", kPagp}, {"auto", kPagp},     {"desirable", kPagp}};

void readMode(YamlMap& map, LacpSettings& settings, Problems& problems) {
  if (!map.has("mode")) return;
  for (const auto& [name, why_not] : kForeignModes) {
    if (map.isWord("mode", name))
      return problems.add(map.placeOf("mode"), std::string("'") + name + "': " + why_not + "; use active or passive");
  }
  settings.active = map.word("mode", {"active", "passive"}) == "active";
}

/// With an impossible number of ports a LAG would never come up.
void checkCounts(const Place& place, const LacpSettings& settings, Problems& problems) {
  const unsigned up = settings.min_links_up.value_or(settings.min_links);
  const auto is = [](const char* key, unsigned number) { return std::string(key) + " is " + std::to_string(number); };
  if (up < settings.min_links)
    problems.add(place, is("min_links_up", up) + ", less than min_links, " + std::to_string(settings.min_links));
  for (const auto& [key, number] : {std::pair("min_links", settings.min_links), std::pair("min_links_up", up)}) {
    if (settings.max_active == 0 || number <= settings.max_active) continue;
    return problems.add(place, is(key, number) + ", more than max_active, " + std::to_string(settings.max_active));
  }
}

}  // namespace

void readLacp(YamlMap& map, LacpSettings& settings, Problems& problems) {
  readMode(map, settings, problems);
  if (map.has("rate")) settings.fast = map.word("rate", {"slow", "fast"}) == "fast";
  if (map.has("control")) settings.independent_control = map.word("control", {"independent", "coupled"}) != "coupled";
  const auto ports = [&](const char* key, std::uint64_t low) { return map.optionalNumber(key, low, kMaxLagPorts); };
  if (const auto number = ports("min_links", 1)) settings.min_links = static_cast<unsigned>(*number);
  if (const auto number = ports("min_links_up", 1)) settings.min_links_up = static_cast<unsigned>(*number);
  if (const auto number = ports("max_active", 0)) settings.max_active = static_cast<unsigned>(*number);
  if (const auto hold = map.optionalNumber("min_links_hold_ms", 0, kLongestHold))
    settings.min_links_hold = std::chrono::milliseconds(*hold);
  if (const auto wait = map.optionalNumber("aggregate_wait_ms", 0, kLongestWait))
    settings.aggregate_wait = std::chrono::milliseconds(*wait);
  if (const auto priority = map.optionalNumber("system_priority", 0, kHighestPriority))
    settings.system_priority = static_cast<std::uint16_t>(*priority);
  checkCounts(map.place(), settings, problems);
}

std::vector<PortId> readPorts(YamlMap& map, Problems& problems) {
  std::vector<PortId> ports;
  const std::size_t before = problems.all().size();
  for (const std::uint64_t number : map.numbers("ports", 0, kMaxPortId)) {
    const PortId port{static_cast<std::uint8_t>(number)};
    if (std::find(ports.begin(), ports.end(), port) != ports.end())
      problems.add(map.placeOf("ports"), "names port " + std::to_string(number) + " twice");
    else
      ports.push_back(port);
  }
  if (ports.empty() && problems.all().size() == before) problems.add(map.placeOf("ports"), "names no port");
  if (ports.size() > kMaxLagPorts) {
    problems.add(map.placeOf("ports"),
                 "a LAG has at most " + std::to_string(kMaxLagPorts) + " ports, not " + std::to_string(ports.size()));
  }
  std::sort(ports.begin(), ports.end());
  return ports;
}

std::optional<MacAddress> readLacpSystem(YamlMap& map, Problems& problems) {
  const auto text = map.optionalText("lacp_system");
  if (!text) return std::nullopt;
  MacAddress address{};
  bool good = text->size() == 17;
  for (std::size_t i = 0; good && i < address.size(); ++i) {
    const char* at = text->data() + 3 * i;
    const auto [end, error] = std::from_chars(at, at + 2, address[i], 16);
    good = error == std::errc() && end == at + 2 && (i == 5 || *end == ':');
  }
  const Place place = map.placeOf("lacp_system");
  if (!good) {
    problems.add(place, "must be a MAC address as 02:00:00:00:00:01, not '" + *text + "'");
  } else if ((address[0] & 1) != 0) {
    problems.add(place, "'" + *text + "' is a group address: a system has one of its own");
  } else if (address == MacAddress{}) {
    problems.add(place, "'" + *text + "' is no system's address");
  } else {
    return address;
  }
  return std::nullopt;
}

}  // namespace poplink::host
