// SPDX-License-Identifier: Apache-2.0
// What a BGP speaker is told: itself, its peers, its policies. Values only; the rules are in problems().
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "../fsm/prefix_limit.h"
#include "../fsm/session_types.h"
#include "../policy/policy_settings.h"
#include "../policy/setting_problem.h"
#include "../rib/decision.h"
#include "../wire/endpoint.h"

namespace poplink::host::bgp {

inline constexpr std::size_t kMostMultipath = 64;

/// Which next hop a peer is told.
enum class NextHopMode : std::uint8_t {
  automatic,  ///< external peers: ourselves; internal ones: as it came (RFC 4271 section 5.1.3)
  self,
  unchanged,  ///< as it came; ourselves for what has none of the peer's family
};

struct PeerSettings {
  std::string name;  ///< unique
  Endpoint remote;
  std::optional<Address> local_address;
  SessionSettings session;
  std::uint8_t hops = 1;      ///< to the peer; more than one: multihop
  bool ttl_security = false;  ///< GTSM (RFC 5082): only packets of TTL 256 - hops and more are taken, sent with 255
  std::string md5_key;        ///< RFC 2385; empty: none; a secret
  std::map<Family, LimitSettings> limits;
  /// Names; without one an external peer has deny-all (RFC 8212), an internal one accept-all.
  std::optional<std::string> import_policy, export_policy;
  NextHopMode next_hop = NextHopMode::automatic;
  bool route_server_client = false;  ///< RFC 7947: path, next hop and MED go on as they came
  std::uint8_t allow_own_as = 0;     ///< as often our own AS may be in a path
  bool shutdown = false;
  std::string shutdown_text;  ///< said to the peer (RFC 9003)
  bool drain = false;         ///< everything goes out with GRACEFUL_SHUTDOWN (RFC 8326)
  friend bool operator==(const PeerSettings&, const PeerSettings&) = default;
};

/// The policy by its name, or the one that holds without (RFC 8212: between ASes nothing goes without a policy).
inline std::string policyInUse(const std::optional<std::string>& name, bool external) {
  return name.value_or(external ? kDenyAll : kAcceptAll);
}

/// A route of this speaker itself.
struct OriginatedRoute {
  std::variant<Prefix4, Prefix6> prefix{};
  std::optional<Address> next_hop;  ///< none: this speaker
  std::optional<std::uint32_t> med;
  std::vector<AnyCommunity> communities;
  friend bool operator==(const OriginatedRoute&, const OriginatedRoute&) = default;
};

struct SpeakerSettings {
  Asn asn = 0;
  RouterId router_id = 0;
  std::vector<Endpoint> listen;
  DecisionSettings decision{.multipath = 4};
  /// Next hops that are taken as reachable, for routes of peers that are more than one hop away or internal. A next hop
  /// on an interface's own network is reachable anyway.
  std::vector<std::variant<Prefix4, Prefix6>> reachable;
  std::vector<OriginatedRoute> originate;  ///< each prefix once
  PolicyBook book;
  std::vector<PeerSettings> peers;
  bool drain = false;  ///< of all peers
  friend bool operator==(const SpeakerSettings&, const SpeakerSettings&) = default;
};

/// What is wrong, with places in the words of the speaker file; empty: nothing.
std::vector<SettingProblem> findProblems(const SpeakerSettings& settings);
/// The same, each as "peers[acme].import: there is no policy 'x'"; empty: nothing.
std::vector<std::string> problems(const SpeakerSettings& settings);
/// What is allowed but hardly meant: external peers without a policy, of which nothing is taken, or to which nothing is
/// sent (RFC 8212). Each as a problem.
std::vector<std::string> notices(const SpeakerSettings& settings);

}  // namespace poplink::host::bgp
