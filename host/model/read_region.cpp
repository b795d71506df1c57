// SPDX-License-Identifier: Apache-2.0
#include "read_region.h"

#include <algorithm>
#include <bit>

#include "poplink/driver/pci_cards.h"
#include "read_lacp.h"
#include "validate.h"
#include "yaml_reader.h"

namespace poplink::host {

namespace {

constexpr unsigned kLargestMtu = 9000;
constexpr unsigned kFewestBuckets = 64, kMostBuckets = 4096;
constexpr unsigned kLargestWeight = 1000;
constexpr unsigned kHighestPriority = 65535;

PortId portId(std::uint64_t number) {
  return {static_cast<std::uint8_t>(number)};
}

class RegionReader {
 public:
  explicit RegionReader(const std::string& file) : problems_(file), top_(readYamlFile(file, problems_)) {}

  Region read(const std::string& file) {
    region_.file = file;
    region_.name = top_.text("region");
    if (top_.has("defaults")) defaults(*top_.map("defaults"));
    for (YamlMap& site : top_.maps("sites")) readSite(site);
    for (YamlMap& vrack : top_.maps("vracks")) readVRack(vrack);
    for (YamlMap& service : top_.maps("services")) readService(service);
    top_.finish();
    problems_.stop();  // relations are checked once every value stands
    validate(region_, problems_);
    problems_.stop();
    return std::move(region_);
  }

 private:
  void defaults(YamlMap map) {
    encapsulation(map);
    if (map.has("ecmp")) readEcmp(*map.map("ecmp"));
    map.notServed("bfd", "BFD");
    if (map.has("lacp")) {
      YamlMap lacp = *map.map("lacp");
      readLacp(lacp, region_.lacp, problems_);
      lacp.finish();
    }
    map.finish();
  }

  void readEcmp(YamlMap map) {
    if (const auto buckets = map.optionalNumber("buckets", kFewestBuckets, kMostBuckets)) {
      region_.ecmp.buckets = static_cast<unsigned>(*buckets);
      if (!std::has_single_bit(*buckets)) problems_.add(map.placeOf("buckets"), "must be a power of two");
    }
    region_.ecmp.symmetric = map.optionalFlag("symmetric").value_or(false);
    map.finish();
  }

  void encapsulation(YamlMap& map) {
    if (!map.has("encapsulation")) return;
    if (map.word("encapsulation", {"stag", "vxlan"}) == "vxlan") {
      problems_.add(map.placeOf("encapsulation"), "VXLAN encapsulation is not served by this version; use stag");
    }
  }

  void readSite(YamlMap& map) {
    Site site{map.place(), map.text("name"), Role::entrypoint, {}};
    if (map.word("role", {"entrypoint", "endpoint"}) == "endpoint") site.role = Role::endpoint;
    for (YamlMap& port : map.maps("ports")) site.ports.push_back(readPort(port));
    if (map.has("lags")) {
      for (YamlMap& lag : map.maps("lags")) readLag(lag, site);
    }
    site.lacp_system = readLacpSystem(map, problems_);
    map.notServed("underlay", "an IP underlay");
    map.finish();
    region_.sites.push_back(std::move(site));
  }

  void readLag(YamlMap& map, Site& site) {
    Lag lag{map.placeOf("ports"), {}, readPorts(map, problems_), region_.lacp};
    readLacp(map, lag.lacp, problems_);
    map.finish();
    if (lag.ports.empty()) return;
    lag.link = lag.ports.front();
    site.lags.push_back(std::move(lag));
  }

  Port readPort(YamlMap& map) {
    Port port;
    port.place = map.place();
    port.id = portId(map.number("id", 0, kMaxPortId));
    port.gigabits = map.word("speed", {"10G", "1G"}) == "1G" ? 1 : 10;
    const std::string use = map.word("use", {"cross_connect", "vrack", "backbone"});
    port.use = use == "vrack" ? Use::vrack : use == "backbone" ? Use::backbone : Use::cross_connect;
    if (map.has("peer")) {
      YamlMap peer = *map.map("peer");
      port.peer = Peer{peer.text("site"), portId(peer.number("port", 0, kMaxPortId))};
      peer.finish();
    }
    if (map.has("s_tpid")) port.s_tpid = tpid(map);
    if (const auto weight = map.optionalNumber("weight", 1, kLargestWeight))
      port.weight = static_cast<unsigned>(*weight);
    if (const auto priority = map.optionalNumber("lacp_priority", 0, kHighestPriority))
      port.lacp_priority = static_cast<std::uint16_t>(*priority);
    map.finish();
    return port;
  }

  /// 802.1Q S-TPIDs in use: 0x88A8 (802.1ad), 0x9100 and 0x9200 (older equipment).
  static std::uint16_t tpid(YamlMap& map) {
    const std::string word = map.word("s_tpid", {"0x88a8", "0x9100", "0x9200"});
    return static_cast<std::uint16_t>(std::stoul(word, nullptr, 16));
  }

  void readVRack(YamlMap& map) {
    VRack vrack{map.place(), map.text("id"), kDefaultServicesPerPop};
    if (map.has("quota")) {
      YamlMap quota = *map.map("quota");
      vrack.services_per_pop = static_cast<unsigned>(quota.number("services_per_pop", 1, 4094));
      quota.finish();
    }
    map.finish();
    region_.vracks.push_back(std::move(vrack));
  }

  void readService(YamlMap& map) {
    Service service;
    service.place = map.place();
    service.name = map.text("name");
    service.vrack = map.text("vrack");
    if (map.word("mode", {"l2", "l3"}) == "l3") {
      problems_.add(map.placeOf("mode"), "L3 services are not served by this version");
      return;  // the rest of an L3 service has other keys
    }
    service.tunnel_id = {static_cast<std::uint16_t>(map.number("tunnel_id", 1, kMaxVlanId))};
    service.mtu = static_cast<unsigned>(map.optionalNumber("mtu", 576, kLargestMtu).value_or(kDefaultMtu));
    service.pcp = static_cast<std::uint8_t>(map.optionalNumber("pcp", 0, 7).value_or(0));
    readBandwidth(map);
    encapsulation(map);
    if (map.has("pop"))
      service.pop = readAttachment(*map.map("pop"));
    else
      problems_.add(map.placeOf("pop"), "is missing: an L2 service has one PoP side");
    if (map.has("dc"))
      service.dc = readAttachment(*map.map("dc"));
    else
      problems_.add(map.placeOf("dc"), "is missing: an L2 service has one DC side");
    for (const char* several : {"pops", "dcs"}) {
      if (map.has(several))
        problems_.add(map.placeOf(several), "an L2 service has exactly one PoP and one DC: write pop and dc");
      map.notServed(several, "a service with several sides");
    }
    map.notServed("limits", "limiting multicast and MAC addresses");
    map.finish();
    region_.services.push_back(std::move(service));
  }

  /// Ports are not metered yet, so a service gets its port's whole speed and may not ask for less.
  void readBandwidth(YamlMap& map) {
    if (!map.has("bandwidth")) return;
    const std::string bandwidth = map.text("bandwidth");
    if (bandwidth != "10G" && bandwidth != "1G") {
      problems_.add(
          map.placeOf("bandwidth"),
          "'" + bandwidth + "': a bandwidth other than a port's speed (1G, 10G) is not served by this version");
    }
  }

  Attachment readAttachment(YamlMap map) {
    Attachment side;
    side.place = map.place();
    side.site = map.text("site");
    side.ports_place = map.placeOf(map.has("ports") ? "ports" : "port");
    if (map.has("ports")) {
      if (map.has("port")) problems_.add(side.ports_place, "give port or ports, not both");
      map.optionalNumber("port", 0, kMaxPortId);
      side.ports = readPorts(map, problems_);
    } else {
      side.ports = {portId(map.number("port", 0, kMaxPortId))};
    }
    if (const auto vlan = map.optionalNumber("vlan", 1, kMaxVlanId))
      side.vlan = VlanId{static_cast<std::uint16_t>(*vlan)};
    side.untagged = map.optionalFlag("untagged").value_or(false);
    if (side.vlan && side.untagged) problems_.add(map.placeOf("untagged"), "give vlan or untagged, not both");
    map.finish();
    return side;
  }

  Problems problems_;
  YamlMap top_;
  Region region_;
};

}  // namespace

Region readRegion(const std::string& file) {
  return RegionReader(file).read(file);
}

namespace {

/// "SITE-CARD": a name for the node's own files.
std::string fileNameOf(const Node& node) {
  std::string name = node.site + "-" + std::to_string(node.card);
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

}  // namespace

Node readNode(const std::string& file) {
  Problems problems(file);
  YamlMap map = readYamlFile(file, problems);
  Node node{map.text("site"), 0, "", ""};
  node.file = file;
  node.site_place = map.placeOf("site");
  node.transport = map.word("transport", {"sim", "pci", "none"});
  // A speaker without a card needs no number for one.
  if (node.transport != "none" || map.has("card")) node.card = static_cast<unsigned>(map.number("card", 0, 255));
  if (node.transport == "sim") node.socket = map.text("socket");
  if (node.transport == "pci") {
    node.serial = map.optionalSerial("serial").value_or(0);
    if (map.has("address") == map.has("serial"))
      problems.add(map.placeOf("transport"), "a card on a PCI bus has either an address or a serial number");
    if (map.has("address")) {
      const std::string text = map.text("address");
      if (const auto address = driver::pciAddress(text))
        node.address = *address;
      else
        problems.add(map.placeOf("address"), "must be a PCI address as 0000:03:00.0, not '" + text + "'");
    }
    if (map.has("iova")) node.physical_addresses = map.word("iova", {"own", "physical"}) == "physical";
  }
  node.api = map.optionalText("api").value_or("/run/poplink/" + fileNameOf(node) + ".api");
  node.state = map.optionalText("state").value_or("/run/poplink/" + fileNameOf(node) + ".json");
  map.finish();
  problems.stop();
  return node;
}

}  // namespace poplink::host
