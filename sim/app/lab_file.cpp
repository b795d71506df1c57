// SPDX-License-Identifier: Apache-2.0
#include "lab_file.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "outlet.h"
#include "yaml_reader.h"

namespace poplink::sim {

namespace {

constexpr std::uint64_t kLongestDelayNs = 1'000'000'000;
constexpr std::size_t kModuleTextBytes = 16;

/// A text that a module's memory holds; empty if it isn't there.
std::string readModuleText(host::YamlMap& map, const char* key, host::Problems& problems) {
  const std::string text = map.optionalText(key).value_or("");
  if (text.size() > kModuleTextBytes ||
      std::any_of(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }))
    problems.add(map.placeOf(key), "must be at most 16 printable ASCII characters, not '" + text + "'");
  return text;
}

void readModule(host::YamlMap& map, LabPort& port, host::Problems& problems) {
  if (!map.has("module")) return;
  port.has_module = !map.isWord("module", "none");
  if (!port.has_module) return;
  auto module = map.map("module");
  port.module_vendor = readModuleText(*module, "vendor", problems);
  port.module_part = readModuleText(*module, "part", problems);
  port.module_serial = readModuleText(*module, "serial", problems);
  module->finish();
}

LabPort readPort(host::YamlMap map, host::Problems& problems) {
  LabPort port;
  port.place = map.place();
  port.cable = map.optionalText("cable").value_or("");
  port.interface = map.optionalText("interface").value_or("");
  port.netns = map.optionalText("netns").value_or("");
  if (map.has("attach")) {
    const std::string attach = map.word("attach", {"best", "tap", "packet"});
    port.attach = attach == "tap"      ? host::AttachBy::tap
                  : attach == "packet" ? host::AttachBy::packet
                                       : host::AttachBy::best;
  }
  if (map.has("speed"))
    port.speed = map.word("speed", {"10G", "1G"}) == "1G" ? PortSpeed::gigabit : PortSpeed::ten_gigabit;
  readModule(map, port, problems);
  port.stream = map.optionalText("stream").value_or("");
  if (!map.has("cable") && !map.has("interface") && !map.has("stream"))
    problems.add(map.place(), "a port has a cable, an interface or a stream");
  if (map.has("interface") && map.has("stream"))
    problems.add(map.place(), "a port has either an interface or a stream");
  for (const char* key : {"netns", "attach"}) {
    if (map.has(key) && !map.has("interface")) problems.add(map.placeOf(key), "belongs to an interface");
  }
  map.finish();
  return port;
}

LabCard readCard(host::YamlMap& map, std::uint64_t place, host::Problems& problems) {
  LabCard card{map.place(), map.text("name"), "", {}, "", 0, {}};
  card.serial = map.optionalSerial("serial").value_or(place);
  card.vfio_user = map.optionalText("vfio_user").value_or("");
  card.socket = map.has("qemu") || map.has("vfio_user") ? map.optionalText("socket").value_or("") : map.text("socket");
  if (auto qemu = map.has("qemu") ? map.map("qemu") : std::nullopt) {
    card.qemu = LabQemu{qemu->place(), qemu->text("socket"), qemu->optionalText("qtest").value_or("")};
    qemu->finish();
  }
  if (auto ports = map.has("ports") ? map.map("ports") : std::nullopt) {
    for (unsigned port = 0; port < CardModel::kPortCount; ++port) {
      const std::string key = std::to_string(port);
      if (ports->has(key)) card.ports.emplace(port, readPort(*ports->map(key), problems));
    }
    ports->finish();
  }
  map.finish();
  return card;
}

/// What the parts of a lab must be to each other.
class LabCheck {
 public:
  LabCheck(const Lab& lab, host::Problems& problems) : lab_(lab), problems_(problems) {}

  void run() {
    if (lab_.cards.empty()) problems_.add({"cards", 0}, "there is no card");
    if (!lab_.control.empty()) seen_.insert({"socket", "", lab_.control});
    for (const LabCable& cable : lab_.cables) {
      once("cable", cable.name, cable.place, "name");
      if (!cable.pcap.empty()) once("capture", cable.pcap, cable.place, "pcap");
    }
    for (const LabCard& card : lab_.cards) {
      once("card", card.name, card.place, "name");
      if (card.name == kHostEnd)
        add(card.place, "name", "no card is called '" + card.name + "', as the end of a cable outside the cards is");
      if (!card.socket.empty()) once("socket", card.socket, card.place, "socket");
      if (card.qemu) once("socket", card.qemu->socket, card.qemu->place, "socket");
      if (!card.vfio_user.empty()) once("socket", card.vfio_user, card.place, "vfio_user");
      for (const auto& [number, port] : card.ports) checkPort(port);
    }
    for (const LabCard& card : lab_.cards) {  // QEMU listens there, and several cards may be in one QEMU
      if (card.qemu && seen_.contains({"socket", "", card.qemu->qtest}))
        add(card.qemu->place, "qtest", "socket '" + card.qemu->qtest + "' is the simulation's own");
    }
    for (const LabCable& cable : lab_.cables) {
      if (const unsigned count = ends_[cable.name]; count != 2)
        add(cable.place, "name", "cable '" + cable.name + "' has " + std::to_string(count) + " ends in ports, not 2");
    }
  }

 private:
  void checkPort(const LabPort& port) {
    if (!port.interface.empty()) once("interface", port.interface, port.place, "interface", port.netns);
    if (!port.stream.empty()) once("socket", port.stream, port.place, "stream");
    if (port.cable.empty()) return;
    ends_[port.cable] += port.interface.empty() && port.stream.empty() ? 1 : 2;
    for (const LabCable& cable : lab_.cables) {
      if (cable.name == port.cable) return;
    }
    add(port.place, "cable", "there is no cable '" + port.cable + "'");
  }
  /// `within`: what the name has to be unique in.
  void once(const char* what, const std::string& name, const host::Place& place, const char* field,
            const std::string& within = "") {
    if (!seen_.insert({what, within, name}).second)
      add(place, field, std::string(what) + " '" + name + "' is used a second time");
  }
  void add(const host::Place& place, const char* field, const std::string& text) {
    problems_.add({place.path + "." + field, place.line}, text);
  }

  const Lab& lab_;
  host::Problems& problems_;
  std::set<std::tuple<std::string, std::string, std::string>> seen_;
  std::map<std::string, unsigned> ends_;
};

}  // namespace

Lab readLab(const std::string& file) {
  host::Problems problems(file);
  host::YamlMap top = host::readYamlFile(file, problems);
  Lab lab;
  for (host::YamlMap& card : top.maps("cards")) lab.cards.push_back(readCard(card, lab.cards.size() + 1, problems));
  lab.control = top.optionalText("control").value_or("");
  if (top.has("cables")) {
    for (host::YamlMap& map : top.maps("cables")) {
      lab.cables.push_back({map.place(), map.text("name"), map.optionalText("pcap").value_or(""),
                            map.optionalNumber("delay_ns", 0, kLongestDelayNs).value_or(0),
                            map.optionalDecimal("loss_db", kTransparent, kOpaque).value_or(kUsualLossDb)});
      map.finish();
    }
  }
  top.finish();
  problems.stop();  // relations are checked once every value stands
  LabCheck(lab, problems).run();
  problems.stop();
  return lab;
}

}  // namespace poplink::sim
