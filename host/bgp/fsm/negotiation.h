// SPDX-License-Identifier: Apache-2.0
// What two OPENs come to: whether this peer is the one that is configured, and what the session may carry. Pure; says
// of a peer that is refused which NOTIFICATION it gets.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "open.h"

namespace poplink::host::bgp {

/// Monotonic time, always handed in by the caller.
using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

/// Graceful Restart (RFC 4724) as this side does it.
struct LocalGracefulRestart {
  bool helper = true;                   ///< keeps the routes of a peer that restarts
  std::uint16_t restart_seconds = 120;  ///< how long the peer shall wait for us, 0..4095
  bool restarting = false;              ///< R bit: this program has just come back
  std::set<Family> forwarding;          ///< F bit: the card went on forwarding these while we were away
  friend bool operator==(const LocalGracefulRestart&, const LocalGracefulRestart&) = default;
};

/// Who we are in a session, and who the peer has to be. All of it is in the OPEN or judges one.
struct OpenSettings {
  Asn local_as = 0;             ///< of this session; differs from the instance's with local-as
  Asn peer_as = 0;              ///< no other is let in
  bool allow_internal = false;  ///< local_as may be peer_as: iBGP. A customer's session never is
  RouterId router_id = 0;
  std::uint16_t hold_seconds = 90;         ///< 0 (never expires), or 3 and more
  std::uint16_t minimum_hold_seconds = 0;  ///< a peer that wants less is refused (RFC 4271 section 6.2); 0: any
  std::uint16_t keepalive_seconds = 0;     ///< 0: a third of the negotiated hold time, which is also the most
  std::set<Family> families{kIpv4Unicast};
  bool route_refresh = true;
  bool enhanced_route_refresh = true;
  bool extended_next_hop = false;  ///< IPv4 routes over IPv6 next hops (RFC 8950)
  std::optional<LocalGracefulRestart> graceful_restart;
  std::optional<BgpRole> role;  ///< ours (RFC 9234); external sessions only
  bool strict_role = false;     ///< a peer that names no role is refused
  friend bool operator==(const OpenSettings&, const OpenSettings&) = default;

  bool internal() const { return local_as == peer_as; }
};

/// What is wrong with settings, each as "peer_as: must not be 0 (RFC 7607)"; empty: nothing.
std::vector<std::string> problems(const OpenSettings& settings);

/// Our OPEN.
Open makeOpen(const OpenSettings& settings);

/// What both sides can do.
struct Negotiated {
  Asn peer_as = 0;
  RouterId peer_id = 0;
  bool internal = false;
  Duration hold{};       ///< 0: the session never expires
  Duration keepalive{};  ///< before jitter; 0: none are sent
  bool four_octet_asn = false;
  std::set<Family> families;  ///< at least one
  bool route_refresh = false;
  bool enhanced_route_refresh = false;
  bool extended_next_hop = false;
  /// The peer's, with the families of the session only; none unless both sides speak it.
  std::optional<GracefulRestart> graceful_restart;
  /// Families whose routes are kept when the peer restarts (RFC 4724 section 4.2).
  std::set<Family> kept_on_restart;
  std::optional<BgpRole> local_role, peer_role;
  friend bool operator==(const Negotiated&, const Negotiated&) = default;
};

/// The session of `settings` with the sender of `open`, or what to tell it: bad peer AS, bad BGP identifier (RFC 6286:
/// the same as ours in iBGP), unacceptable hold time, role mismatch (RFC 9234), unsupported capability (no family in
/// common; the data are the capabilities that were missed, RFC 5492 section 5). `open` is one that decodeOpen() let
/// pass, `settings` have no problems().
std::variant<Negotiated, Notification> negotiate(const OpenSettings& settings, const Open& open);

/// Do these two belong together (RFC 9234 section 4.2)?
bool rolesMatch(BgpRole local, BgpRole peer);

}  // namespace poplink::host::bgp
