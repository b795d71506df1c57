// SPDX-License-Identifier: Apache-2.0
// The service model: what a region consists of and what its customers have ordered. Values only; the rules are in
// validate.h.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "problems.h"

namespace poplink::host {

/// A number that means one thing; ids of different kinds don't mix.
template <class Tag, class Number>
struct Id {
  Number value{};
  friend auto operator<=>(const Id&, const Id&) = default;
};

using PortId = Id<struct PortTag, std::uint8_t>;       ///< port of a card, 0..15
using VlanId = Id<struct VlanTag, std::uint16_t>;      ///< 802.1Q VID, 1..4094
using TunnelId = Id<struct TunnelTag, std::uint16_t>;  ///< S-VID of a service on the backbone, 1..4094

inline constexpr unsigned kMaxPortId = 15;
inline constexpr unsigned kMaxVlanId = 4094;
inline constexpr unsigned kDefaultServicesPerPop = 16;
inline constexpr unsigned kDefaultMtu = 9000;  ///< payload bytes behind the customer's tags
inline constexpr unsigned kDefaultSTpid = 0x88A8;
inline constexpr unsigned kDefaultBuckets = 256;

enum class Role { entrypoint, endpoint };
enum class Use { cross_connect, vrack, backbone };
enum class Mode { l2, l3 };

const char* toString(Role role);
const char* toString(Use use);

/// The other end of a backbone cable.
struct Peer {
  std::string site;
  PortId port;
};

struct Port {
  Place place;
  PortId id;
  unsigned gigabits = 10;  ///< speed, Gbit/s
  Use use = Use::cross_connect;
  std::optional<Peer> peer;
  std::uint16_t s_tpid = kDefaultSTpid;  ///< TPID that counts as S-tag on this port
  std::optional<unsigned> weight;        ///< of a backbone port: its share of the flows, by the speed unless set

  unsigned share() const { return weight.value_or(gigabits); }
};

struct Site {
  Place place;
  std::string name;
  Role role = Role::entrypoint;
  std::vector<Port> ports;

  const Port* port(PortId id) const;
};

struct VRack {
  Place place;
  std::string id;
  unsigned services_per_pop = kDefaultServicesPerPop;
};

/// Where a service meets its customer: a port, and on it a VLAN, the untagged frames, or everything.
struct Attachment {
  Place place;
  std::string site;
  PortId port;
  std::optional<VlanId> vlan;
  bool untagged = false;

  bool wholePort() const { return !vlan && !untagged; }
};

struct Service {
  Place place;
  std::string name;
  std::string vrack;
  TunnelId tunnel_id;
  unsigned mtu = kDefaultMtu;
  std::uint8_t pcp = 0;  ///< priority in the S-tag of untagged frames
  Attachment pop;
  Attachment dc;
};

/// How flows are spread over the backbone links between two sites.
struct Ecmp {
  unsigned buckets = kDefaultBuckets;  ///< per group of links, a power of two
  bool symmetric = false;              ///< both directions of a conversation hash alike
};

struct Region {
  std::string file;  ///< that it was read from
  std::string name;
  Ecmp ecmp;
  std::vector<Site> sites;
  std::vector<VRack> vracks;
  std::vector<Service> services;

  const Site* site(const std::string& name) const;
};

/// Which card this is.
struct Node {
  std::string site;
  unsigned card = 0;
  std::string transport;
  std::string socket;               ///< of transport sim
  std::string address{};            ///< of transport pci: where the card is plugged,
  std::uint64_t serial = 0;         ///< or which it is
  bool physical_addresses = false;  ///< of transport pci: the host's IOMMU does not translate for the card
  std::string file{};               ///< that it was read from
  Place site_place{"site", 0};      ///< of `site` in it
};

/// Backbone links from one site to another, in the order of their ports.
std::vector<const Port*> backboneLinks(const Site& from, const std::string& to);

}  // namespace poplink::host
