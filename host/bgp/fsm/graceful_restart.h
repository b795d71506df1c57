// SPDX-License-Identifier: Apache-2.0
// Graceful Restart (RFC 4724), both roles, and the stale routes of Enhanced Route Refresh (RFC 7313), as far as they
// are about time and order; the routes themselves are the RIB's. Pure: sessions, marks between routes and the time go
// in, what to do with routes comes out.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "session_types.h"

namespace poplink::host::bgp {

/// What is to be done with the routes of one peer, in this order.
struct RouteChanges {
  std::set<Family> remove;      ///< all its routes of these families
  std::set<Family> sweep;       ///< those that are stale
  std::set<Family> mark_stale;  ///< all that are there
  friend bool operator==(const RouteChanges&, const RouteChanges&) = default;
};

/// Helper, "receiving speaker" (section 4.2): the routes of a peer that has lost its session, until it is back and has
/// sent them again. And those of a peer that sends them again without that, from BoRR to EoRR (RFC 7313 section 4).
class StaleRoutes {
 public:
  /// `longest`: for how long stale routes of a session wait for End-of-RIB or EoRR.
  explicit StaleRoutes(Duration longest = std::chrono::seconds(360)) : longest_(longest) {}

  /// Routes that were stale already, from a restart before, are swept: two restarts are not survived. A refresh that
  /// had no end is none: its peer has restarted once, and has all its routes.
  RouteChanges down(const action::SessionDown& down, TimePoint now);
  /// Stale routes of families that the peer does not speak any more, or did not go on forwarding (F bit), are swept.
  RouteChanges established(const Negotiated& negotiated, TimePoint now);
  RouteChanges endOfRib(Family family);
  /// BoRR: all routes of the family are stale, also those that were said since another one, and have their full time
  /// again. Not before the End-of-RIB of a peer that does graceful restart.
  RouteChanges beginRefresh(Family family, TimePoint now);
  /// EoRR; nothing without BoRR.
  RouteChanges endRefresh(Family family);
  /// The peer is stopped or deconfigured: nothing is worth waiting for.
  RouteChanges abandon();
  /// The peer has not come back in its Restart Time, or has not sent End-of-RIB or EoRR in time.
  RouteChanges run(TimePoint now);
  std::optional<TimePoint> deadline() const;

  /// Families with stale routes.
  std::set<Family> stale() const;

 private:
  Duration longest_;
  bool up_ = false;
  std::set<Family> families_;               ///< of the session, or of the one that was
  std::set<Family> restarted_;              ///< with routes of a session before
  std::optional<TimePoint> timer_;          ///< of `restarted_`: the peer's Restart Time, then `longest_`
  std::map<Family, TimePoint> refreshing_;  ///< BoRR has come: when EoRR is waited for no longer
};

/// How the caller calls a peer; means nothing here.
enum class PeerId : std::uint32_t {};

/// Restarter, "restarting speaker" (section 4.1): no best path is selected, and nothing advertised, before all peers
/// have sent their routes again. To be made when the program starts, if its card has gone on forwarding; OPENs have the
/// R bit until everything is released.
class SelectionDeferral {
 public:
  /// Selection_Deferral_Timer: `longest`, for peers that do not come.
  SelectionDeferral(const std::set<PeerId>& peers, const std::set<Family>& families, Duration longest, TimePoint now);

  // Each gives the families that are released by it, each family once: now routes may be selected, and then End-of-RIB
  // be sent. In the families that a session has, its peer is waited for; not in others, nor if it does not do graceful
  // restart or is restarting itself (R bit).

  std::set<Family> established(PeerId peer, const Negotiated& negotiated);
  std::set<Family> endOfRib(PeerId peer, Family family);
  /// It is stopped or deconfigured. A lost session is no reason: the peer is waited for.
  std::set<Family> removed(PeerId peer);
  std::set<Family> run(TimePoint now);
  std::optional<TimePoint> deadline() const { return timer_; }

  bool deferred(Family family) const { return awaited_.contains(family); }
  /// The R bit of OPENs.
  bool restarting() const { return !awaited_.empty(); }

 private:
  std::set<Family> release();

  std::map<Family, std::set<PeerId>> awaited_;  ///< of families that are deferred: whose End-of-RIB is missing
  std::optional<TimePoint> timer_;
};

}  // namespace poplink::host::bgp
