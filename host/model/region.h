// SPDX-License-Identifier: Apache-2.0
// The service model: what a region consists of and what its customers have ordered. Values only; the rules are in
// validate.h.
#pragma once

#include <array>
#include <chrono>
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
inline constexpr unsigned kMaxLagPorts = 8;
inline constexpr std::uint16_t kDefaultLacpPriority = 32768;  ///< of a system and of a port; lower is better

using MacAddress = std::array<std::uint8_t, 6>;

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
  /// In LACP, of a customer's port; kDefaultLacpPriority unless set.
  std::optional<std::uint16_t> lacp_priority{};

  unsigned share() const { return weight.value_or(gigabits); }
};

/// What a LAG wants of LACP (IEEE 802.1AX-2014 clause 6). The defaults of the region, and of each LAG on its own.
struct LacpSettings {
  bool active = true;                           ///< LACP_Activity; otherwise passive: speaks only to who speaks
  bool fast = false;                            ///< LACP_Timeout short: wants a PDU every second, otherwise every 30
  bool independent_control = true;              ///< collects without distributing; otherwise both together
  unsigned min_links = 1;                       ///< 1..8 ports; with fewer the LAG is down
  std::optional<unsigned> min_links_up{};       ///< and comes back with so many; min_links unless set
  std::chrono::milliseconds min_links_hold{0};  ///< that have been there so long
  unsigned max_active = 0;                      ///< more ports are standby; 0: no limit
  std::uint16_t system_priority = kDefaultLacpPriority;
  std::chrono::milliseconds aggregate_wait{2000};  ///< Aggregate_Wait (6.4.4): how long a port waits for others
};

/// Customer's ports that are one link. It runs LACP, also when it has one port only.
struct Lag {
  Place place;                ///< of its list of ports: in an entry of its own, or in the first service that orders it
  PortId link;                ///< its number in the card, as link and as attachment: the lowest port
  std::vector<PortId> ports;  ///< ascending
  LacpSettings lacp;
};

struct Site {
  Place place;
  std::string name;
  Role role = Role::entrypoint;
  std::vector<Port> ports;
  std::vector<Lag> lags{};                  ///< that have an entry; lagsOf() knows all
  std::optional<MacAddress> lacp_system{};  ///< of its card in LACP; made from the card's serial number unless set

  const Port* port(PortId id) const;
};

struct VRack {
  Place place;
  std::string id;
  unsigned services_per_pop = kDefaultServicesPerPop;
};

/// Where a service meets its customer: a port or a LAG, and on it a VLAN, the untagged frames, or everything.
struct Attachment {
  Place place;
  std::string site;
  Place ports_place;          ///< of `port` or `ports`
  std::vector<PortId> ports;  ///< ascending; several are a LAG
  std::optional<VlanId> vlan;
  bool untagged = false;

  bool wholePort() const { return !vlan && !untagged; }
  /// Its number in the card. Not without ports.
  PortId link() const { return ports.front(); }
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
  LacpSettings lacp;  ///< of LAGs, but for what their own entries say
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
  std::string api{};                ///< socket on which poplinkd answers; "/run/poplink/SITE-CARD.api" unless set
  std::string state{};              ///< what poplinkd keeps over a restart; "/run/poplink/SITE-CARD.json" unless set
};

/// The LAGs of a site of `region`, by their links: those that have an entry, and those that a service orders by naming
/// several ports.
std::vector<Lag> lagsOf(const Region& region, const Site& site);

/// "port 0", or "ports 0, 1".
std::string toString(const std::vector<PortId>& ports);

/// Backbone links from one site to another, in the order of their ports.
std::vector<const Port*> backboneLinks(const Site& from, const std::string& to);

}  // namespace poplink::host
