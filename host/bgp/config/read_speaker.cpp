// SPDX-License-Identifier: Apache-2.0
#include "read_speaker.h"

#include <filesystem>
#include <limits>

#include "read_peer.h"
#include "read_policies.h"
#include "read_values.h"

namespace poplink::host::bgp {

namespace {

class SpeakerReader {
 public:
  explicit SpeakerReader(const std::string& file)
      : problems_(file),
        top_(readYamlFile(file, problems_)),
        reader_(std::filesystem::path(file).parent_path(), problems_) {}

  SpeakerSettings read() {
    if (top_.has("bgp"))
      readBgp(*top_.map("bgp"));
    else
      top_.text("bgp");
    settings_.book = readPolicyBook(top_, problems_);
    readPeers();
    top_.finish();
    problems_.stop();  // relations are checked once every value stands
    for (const auto& [path, text] : findProblems(settings_)) problems_.add(placeOf(path), text);
    problems_.stop();
    return std::move(settings_);
  }

 private:
  void readBgp(YamlMap map) {
    settings_.asn = static_cast<Asn>(map.number("asn", 0, std::numeric_limits<Asn>::max()));
    const YamlText id{map.text("router_id"), map.placeOf("router_id")};
    if (!id.text.empty()) assign(settings_.router_id, parseRouterId(id, problems_));
    readListen(map);
    assign(settings_.decision.multipath, map.optionalNumber("multipath", 1, kMostMultipath));
    if (map.has("med")) {
      const std::string med = map.word("med", {"ignore", "compare", "always-compare"});
      settings_.decision.compare_med = med != "ignore";
      settings_.decision.always_compare_med = med == "always-compare";
    }
    if (map.has("reachable")) {
      for (const YamlText& text : map.texts("reachable"))
        if (const auto prefix = parsePrefix(text, problems_)) settings_.reachable.push_back(*prefix);
    }
    assign(settings_.drain, map.optionalFlag("drain"));
    if (map.has("originate"))
      for (YamlMap& route : map.maps("originate")) settings_.originate.push_back(readOriginated(route));
    map.finish();
  }

  OriginatedRoute readOriginated(YamlMap& map) {
    OriginatedRoute route;
    const YamlText prefix{map.text("prefix"), map.placeOf("prefix")};
    if (!prefix.text.empty()) assign(route.prefix, parsePrefix(prefix, problems_));
    route.next_hop = optionalAddress(map, "next_hop", problems_);
    if (const auto med = map.optionalNumber("med", 0, std::numeric_limits<std::uint32_t>::max()))
      route.med = static_cast<std::uint32_t>(*med);
    route.communities = readCommunities(map, "communities", problems_);
    map.finish();
    return route;
  }

  void readListen(YamlMap& map) {
    if (!map.has("listen")) {
      settings_.listen = {{Ipv4{}, kBgpPort}, {Ipv6{}, kBgpPort}};
      return;
    }
    for (YamlMap& entry : map.maps("listen")) {
      Endpoint listen;
      if (entry.has("address"))
        assign(listen.address, optionalAddress(entry, "address", problems_));
      else
        entry.text("address");
      assign(listen.port, entry.optionalNumber("port", 1, 65535));
      entry.finish();
      settings_.listen.push_back(listen);
    }
  }

  void readPeers() {
    PeerKeys defaults;
    if (top_.has("peer_defaults")) defaults = reader_.readDefaults(*top_.map("peer_defaults"));
    if (!top_.has("peers")) return;
    for (YamlMap& peer : top_.maps("peers")) settings_.peers.push_back(reader_.readPeer(peer, defaults, settings_));
  }

  /// What a peer does not say itself stands in `peer_defaults`.
  Place placeOf(const SettingPath& path) {
    Place place = top_.placeOf(path);
    if (path.size() < 3 || path[0] != SettingPath::value_type{"peers"}) return place;
    const YamlMap peer = top_.maps("peers").at(std::get<std::size_t>(path[1]));
    const auto& key = std::get<std::string>(path[2]);
    if (peer.has(key) || !top_.has("peer_defaults") || !top_.map("peer_defaults")->has(key)) return place;
    SettingPath defaults{"peer_defaults"};
    defaults.insert(defaults.end(), path.begin() + 2, path.end());
    place.line = top_.placeOf(defaults).line;
    return place;
  }

  Problems problems_;
  YamlMap top_;
  PeerReader reader_;
  SpeakerSettings settings_;
};

}  // namespace

SpeakerSettings readSpeaker(const std::string& file) {
  return SpeakerReader(file).read();
}

}  // namespace poplink::host::bgp
