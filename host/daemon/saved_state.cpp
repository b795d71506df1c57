// SPDX-License-Identifier: Apache-2.0
#include "saved_state.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>

#include "draft_file.h"

namespace poplink::host {

namespace {

using Json = nlohmann::ordered_json;
using namespace lacp;

constexpr int kVersion = 1;
constexpr mode_t kMode = 0600;

[[noreturn]] void refuse(const std::string& why) {
  throw std::out_of_range(why);
}

/// `last`: the greatest enumerator.
template <class Enum>
Enum enumerator(const Json& value, Enum last) {
  const auto number = value.get<std::uint64_t>();
  if (number > static_cast<std::uint64_t>(last)) refuse("no such state: " + std::to_string(number));
  return static_cast<Enum>(number);
}

template <class Number>
Number numberOf(const Json& value) {
  const auto number = value.get<std::uint64_t>();
  if (number > std::numeric_limits<Number>::max()) refuse("too large: " + std::to_string(number));
  return static_cast<Number>(number);
}

Json encode(const PortInfo& info) {
  return {{"system_priority", info.system_priority}, {"system", info.system}, {"key", info.key},
          {"port_priority", info.port_priority},     {"port", info.port},     {"state", toByte(info.state)}};
}

PortInfo decodeInfo(const Json& json) {
  return {numberOf<std::uint16_t>(json.at("system_priority")),
          json.at("system").get<MacAddress>(),
          numberOf<std::uint16_t>(json.at("key")),
          numberOf<std::uint16_t>(json.at("port_priority")),
          numberOf<std::uint16_t>(json.at("port")),
          portState(numberOf<std::uint8_t>(json.at("state")))};
}

Json encode(const Counters& counters) {
  return {counters.lacpdus_received, counters.lacpdus_sent, counters.markers_received, counters.marker_responses_sent,
          counters.malformed,        counters.unknown,      counters.ignored};
}

Counters decodeCounters(const Json& json) {
  const auto values = json.get<std::array<std::uint64_t, 7>>();
  return {values[0], values[1], values[2], values[3], values[4], values[5], values[6]};
}

Json encode(const PortSnapshot& port) {
  return {{"id", static_cast<unsigned>(port.id)},
          {"link", {{"up", port.link.up}, {"mbit", port.link.speed_mbit}, {"full_duplex", port.link.full_duplex}}},
          {"actor", encode(port.actor)},
          {"partner", encode(port.partner)},
          {"receive", static_cast<unsigned>(port.receive)},
          {"mux", static_cast<unsigned>(port.mux)},
          {"selected", static_cast<unsigned>(port.selected)},
          {"reason", static_cast<unsigned>(port.reason)},
          {"actor_churn", {static_cast<unsigned>(port.actor_churn), port.actor_churn_count}},
          {"partner_churn", {static_cast<unsigned>(port.partner_churn), port.partner_churn_count}},
          {"counters", encode(port.counters)}};
}

PortSnapshot decodePort(const Json& json) {
  const Json& link = json.at("link");
  PortSnapshot port;
  port.id = PortId{numberOf<std::uint16_t>(json.at("id"))};
  port.link = {link.at("up").get<bool>(), numberOf<std::uint32_t>(link.at("mbit")), link.at("full_duplex").get<bool>()};
  port.actor = decodeInfo(json.at("actor"));
  port.partner = decodeInfo(json.at("partner"));
  port.receive = enumerator(json.at("receive"), ReceiveState::CURRENT);
  port.mux = enumerator(json.at("mux"), MuxState::COLLECTING_DISTRIBUTING);
  port.selected = enumerator(json.at("selected"), Selected::STANDBY);
  port.reason = enumerator(json.at("reason"), Reason::below_min_links);
  port.actor_churn = enumerator(json.at("actor_churn").at(0), ChurnState::CHURN);
  port.actor_churn_count = json.at("actor_churn").at(1).get<std::uint64_t>();
  port.partner_churn = enumerator(json.at("partner_churn").at(0), ChurnState::CHURN);
  port.partner_churn_count = json.at("partner_churn").at(1).get<std::uint64_t>();
  port.counters = decodeCounters(json.at("counters"));
  return port;
}

Json encode(const LagId& lag) {
  return {{"system_priority", lag.system_priority},
          {"system", lag.system},
          {"key", lag.key},
          {"individual", lag.individual},
          {"port_priority", lag.port_priority},
          {"port", lag.port},
          {"actor_port", lag.actor_port}};
}

LagId decodeLagId(const Json& json) {
  return {numberOf<std::uint16_t>(json.at("system_priority")),
          json.at("system").get<MacAddress>(),
          numberOf<std::uint16_t>(json.at("key")),
          json.at("individual").get<bool>(),
          numberOf<std::uint16_t>(json.at("port_priority")),
          numberOf<std::uint16_t>(json.at("port")),
          numberOf<std::uint16_t>(json.at("actor_port"))};
}

LagSnapshots decodeLags(const Json& json) {
  const Json& version = json.at("version");
  if (version != kVersion) refuse(version.is_number() ? "version " + version.dump() : "no version");
  LagSnapshots lags;
  for (const Json& one : json.at("lags")) {
    Snapshot snapshot;
    snapshot.enough = one.at("enough").get<bool>();
    if (!one.at("lag").is_null()) snapshot.lag = decodeLagId(one.at("lag"));
    for (const Json& port : one.at("ports")) snapshot.ports.push_back(decodePort(port));
    lags[one.at("link").get<unsigned>()] = std::move(snapshot);
  }
  return lags;
}

[[noreturn]] void failed(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), path);
}

}  // namespace

std::string encodeState(const LagSnapshots& lags) {
  Json list = Json::array();
  for (const auto& [link, snapshot] : lags) {
    Json ports = Json::array();
    for (const PortSnapshot& port : snapshot.ports) ports.push_back(encode(port));
    list.push_back({{"link", link},
                    {"enough", snapshot.enough},
                    {"lag", snapshot.lag ? encode(*snapshot.lag) : Json()},
                    {"ports", ports}});
  }
  return Json{{"version", kVersion}, {"lags", list}}.dump(1) + "\n";
}

std::optional<LagSnapshots> decodeState(const std::string& text, std::string& problem) {
  try {
    return decodeLags(Json::parse(text));
  } catch (const std::exception& error) {  // whatever the library finds, and what we do
    problem = error.what();
    return std::nullopt;
  }
}

void writeStateFile(const std::string& path, const std::string& text) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder);
  DraftFile file(path, kMode);
  file.write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  file.finish();
}

std::optional<std::string> readStateFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    failed(path);
  }
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad()) failed(path);
  return text.str();
}

}  // namespace poplink::host
