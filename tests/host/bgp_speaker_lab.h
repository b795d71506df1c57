// SPDX-License-Identifier: Apache-2.0
// Speakers and raw peers on one virtual network, 192.0.2.0/24 and 2001:db8::/64. Host n has the last octet n there, the
// AS 65000 + n unless its test says otherwise, and is called "n" by the others.
#pragma once

#include <gmock/gmock.h>

#include "bgp_raw_peer.h"
#include "bgp_rows.h"
#include "bgp_speaker_host.h"

namespace poplink::host::bgp {

inline Address v4(std::uint8_t host) {
  return Ipv4{0xC0000200u + host};
}
inline Address v6(std::uint8_t host) {
  Ipv6 address{0x20, 0x01, 0x0d, 0xb8};
  address[15] = host;
  return address;
}
inline std::vector<InterfaceAddress> interfacesOf(std::uint8_t host) {
  return {{"net0", v4(host), 24}, {"net0", v6(host), 64}};
}

/// The i-th of many prefixes.
inline Prefix4 net4(std::uint32_t i) {
  return {0x0A000000u + (i << 8), 24};
}
inline Prefix6 net6(std::uint32_t i) {
  Prefix6 prefix{{0x20, 0x01, 0x0d, 0xb8}, 48};
  prefix.address[4] = static_cast<std::uint8_t>(0x80 | i >> 8);
  prefix.address[5] = static_cast<std::uint8_t>(i);
  return prefix;
}

/// Of host `n` as host `self` is configured for it: external, everything goes in and out.
inline PeerSettings peerOf(std::uint8_t self, std::uint8_t n) {
  PeerSettings peer;
  peer.name = std::to_string(n);
  peer.remote = {v4(n), kBgpPort};
  peer.session.open.local_as = 65000u + self;
  peer.session.open.peer_as = 65000u + n;
  peer.session.open.router_id = self;
  peer.session.open.families = {kIpv4Unicast, kIpv6Unicast};
  peer.import_policy = peer.export_policy = kAcceptAll;
  return peer;
}
inline SpeakerSettings speakerSettings(std::uint8_t self, const std::vector<std::uint8_t>& peers) {
  SpeakerSettings settings;
  settings.asn = 65000u + self;
  settings.router_id = self;
  for (const std::uint8_t n : peers) settings.peers.push_back(peerOf(self, n));
  return settings;
}
inline PeerSettings& settingsFor(SpeakerSettings& settings, std::uint8_t n) {
  return *std::ranges::find(settings.peers, std::to_string(n), &PeerSettings::name);
}

/// A policy of one term, which takes what it matches.
inline PolicySettings policyOf(const MatchSettings& match, const SetSettings& set) {
  TermSettings term;
  term.name = "only";
  term.match = match;
  term.set = set;
  return {{term}};
}

// Attributes as a raw peer sends them, in their canonical order.

inline Bytes pathOf(const std::vector<Asn>& asns) {
  Bytes value;
  if (!asns.empty()) value = {2, static_cast<std::uint8_t>(asns.size())};
  for (const Asn asn : asns) put32(value, asn);
  return value;
}
inline Bytes number(std::uint32_t value) {
  Bytes octets;
  put32(octets, value);
  return octets;
}
/// ORIGIN IGP, AS_PATH, and others by their type.
inline Bytes attributesOf(const std::vector<Asn>& asns, AttributeMap others = {}) {
  others[1] = attribute(0x40, 1, "00");
  others[2] = attribute(0x40, 2, pathOf(asns));
  return joined(others);
}
inline Bytes communities(const std::vector<std::uint32_t>& values) {
  Bytes octets;
  for (const std::uint32_t value : values) put32(octets, value);
  return attribute(0xC0, 8, octets);
}

/// As many messages as the prefixes need.
template <class Prefix>
Bytes filled(UpdateBuilder builder, const std::vector<Prefix>& prefixes) {
  Bytes octets;
  for (const Prefix& prefix : prefixes) {
    if (builder.add(prefix)) continue;
    put(octets, builder.take());
    builder.add(prefix);
  }
  return octets + builder.take();
}
template <class Prefix>
Bytes announcement(const std::vector<Prefix>& prefixes, const Address& next_hop, const Bytes& attributes) {
  const bool six = std::is_same_v<Prefix, Prefix6>, six_hop = std::holds_alternative<Ipv6>(next_hop);
  const UpdateForm form = six       ? UpdateForm::ipv6_multiprotocol
                          : six_hop ? UpdateForm::ipv4_multiprotocol
                                    : UpdateForm::ipv4;
  return filled(UpdateBuilder::announce(form, {next_hop, std::nullopt}, attributes), prefixes);
}
template <class Prefix>
Bytes withdrawal(const std::vector<Prefix>& prefixes) {
  const UpdateForm form = std::is_same_v<Prefix, Prefix6> ? UpdateForm::ipv6_multiprotocol : UpdateForm::ipv4;
  return filled(UpdateBuilder::withdraw(form), prefixes);
}
inline Bytes endOfRib(Family family) {
  return UpdateBuilder::withdraw(family == kIpv4Unicast ? UpdateForm::ipv4 : UpdateForm::ipv6_multiprotocol).take();
}
inline std::vector<Prefix4> nets4(std::uint32_t from, std::uint32_t count) {
  std::vector<Prefix4> result;
  for (std::uint32_t i = 0; i < count; ++i) result.push_back(net4(from + i));
  return result;
}

class SpeakerLab {
 public:
  VirtualNet net{kStart};

  SpeakerHost& speaker(std::uint8_t n, const SpeakerSettings& settings, bool restarting = false) {
    speakers_.push_back(std::make_unique<SpeakerHost>(net, settings, interfacesOf(n), unjittered, restarting));
    return *speakers_.back();
  }
  /// A raw peer `n` of speaker `of`, which connects to it.
  RawPeer& raw(std::uint8_t n, std::uint8_t of) {
    OpenSettings open;
    open.local_as = 65000u + n;
    open.peer_as = 65000u + of;
    open.router_id = n;
    open.families = {kIpv4Unicast, kIpv6Unicast};
    return raw(n, open);
  }
  RawPeer& raw(std::uint8_t n, const OpenSettings& open) {
    raws_.push_back(std::make_unique<RawPeer>(net, std::vector<Address>{v4(n), v6(n)}, open));
    return *raws_.back();
  }
  TimePoint now() const { return net.now(); }
  void runFor(Duration time) { net.runUntil(net.now() + time); }

 private:
  std::vector<std::unique_ptr<SpeakerHost>> speakers_;
  std::vector<std::unique_ptr<RawPeer>> raws_;
};

/// Speaker 1 with raw peers around it, which are all there.
class Star : public SpeakerLab {
 public:
  Star(std::initializer_list<std::uint8_t> peers) : Star(speakerSettings(1, peers)) {}
  /// Each raw peer is what the settings expect of it.
  explicit Star(const SpeakerSettings& given, bool restarting = false)
      : settings(given), hub(speaker(1, given, restarting)) {
    for (const PeerSettings& peer : given.peers) add(peer);
  }
  /// Everybody comes up.
  void start() {
    hub.start();
    runFor(2s);
    for (const auto& [n, peer] : peers_) EXPECT_TRUE(peer->up()) << unsigned{n};
  }
  /// The raw peer that these settings of the speaker are for.
  RawPeer& add(const PeerSettings& peer) {
    const OpenSettings& theirs = peer.session.open;
    OpenSettings open = theirs;
    std::swap(open.local_as, open.peer_as);
    const auto n = static_cast<std::uint8_t>(std::stoul(peer.name));
    open.router_id = n;
    if (theirs.role) open.role = counterpart(*theirs.role);
    return *(peers_[n] = &raw(n, open));
  }
  RawPeer& peer(std::uint8_t n) { return *peers_.at(n); }
  /// The session breaks off, and the peer makes a new one.
  void comeAgain(std::uint8_t n) {
    peer(n).lose();
    runFor(3s);
    if (!peer(n).up()) peer(n).connect(v4(1));
    runFor(1s);
    EXPECT_TRUE(peer(n).up());
  }
  /// A route of raw peer `n`, with its AS as path.
  void announce(std::uint8_t n, const std::vector<Prefix4>& prefixes, const Bytes& attributes) {
    peer(n).send(announcement(prefixes, v4(n), attributes));
  }
  void announce(std::uint8_t n, const std::vector<Prefix4>& prefixes) {
    announce(n, prefixes, attributesOf({65000u + n}));
  }

  SpeakerSettings settings;
  SpeakerHost& hub;

 private:
  static BgpRole counterpart(BgpRole role) {
    for (const BgpRole other :
         {BgpRole::provider, BgpRole::route_server, BgpRole::route_server_client, BgpRole::customer, BgpRole::peer})
      if (rolesMatch(role, other)) return other;
    return role;
  }
  std::map<std::uint8_t, RawPeer*> peers_;
};

}  // namespace poplink::host::bgp
