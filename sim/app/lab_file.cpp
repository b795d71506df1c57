// SPDX-License-Identifier: Apache-2.0
#include "lab_file.h"

#include <set>

#include "card_model.h"
#include "yaml_reader.h"

namespace poplink::sim {

namespace {

constexpr std::uint64_t kLongestDelayNs = 1'000'000'000;

LabPort readPort(host::YamlMap map, host::Problems& problems) {
  LabPort port;
  port.cable = map.optionalText("cable").value_or("");
  port.interface = map.optionalText("interface").value_or("");
  port.netns = map.optionalText("netns").value_or("");
  if (map.has("attach")) {
    const std::string attach = map.word("attach", {"best", "tap", "packet"});
    port.attach = attach == "tap" ? AttachBy::tap : attach == "packet" ? AttachBy::packet : AttachBy::best;
  }
  if (port.cable.empty() == port.interface.empty())
    problems.add(map.place(), "a port has either a cable or an interface");
  map.finish();
  return port;
}

LabCard readCard(host::YamlMap& map, host::Problems& problems) {
  LabCard card{map.text("name"), map.text("socket"), {}};
  if (auto ports = map.has("ports") ? map.map("ports") : std::nullopt) {
    for (unsigned number = 0; number < CardModel::kPortCount; ++number) {
      const std::string key = std::to_string(number);
      if (ports->has(key)) card.ports.emplace(number, readPort(*ports->map(key), problems));
    }
    ports->finish();
  }
  map.finish();
  return card;
}

void check(const Lab& lab, host::Problems& problems) {
  std::set<std::string> names, sockets;
  std::map<std::string, unsigned> ends;
  for (const LabCable& cable : lab.cables) {
    if (!ends.emplace(cable.name, 0).second) problems.add({"cables", 0}, "cable '" + cable.name + "' is there twice");
  }
  for (const LabCard& card : lab.cards) {
    if (!names.insert(card.name).second) problems.add({"cards", 0}, "card '" + card.name + "' is there twice");
    if (!sockets.insert(card.socket).second) problems.add({"cards", 0}, "socket '" + card.socket + "' is used twice");
    for (const auto& [number, port] : card.ports) {
      if (port.cable.empty()) continue;
      const auto found = ends.find(port.cable);
      if (found == ends.end())
        problems.add({"cards", 0}, "port " + std::to_string(number) + " of '" + card.name + "': there is no cable '" +
                                       port.cable + "'");
      else
        ++found->second;
    }
  }
  for (const auto& [name, count] : ends) {
    if (count != 2)
      problems.add({"cables", 0}, "cable '" + name + "' has " + std::to_string(count) + " ends in ports; it needs 2");
  }
}

}  // namespace

Lab readLab(const std::string& file) {
  host::Problems problems(file);
  host::YamlMap top = host::readYamlFile(file, problems);
  Lab lab;
  for (host::YamlMap& card : top.maps("cards")) lab.cards.push_back(readCard(card, problems));
  if (top.has("cables")) {
    for (host::YamlMap& map : top.maps("cables")) {
      lab.cables.push_back({map.text("name"), map.optionalText("pcap").value_or(""),
                            map.optionalNumber("delay_ns", 0, kLongestDelayNs).value_or(0)});
      map.finish();
    }
  }
  top.finish();
  problems.stop();
  if (lab.cards.empty()) problems.add({"cards", 0}, "there is no card");
  check(lab, problems);
  problems.stop();
  return lab;
}

}  // namespace poplink::sim
