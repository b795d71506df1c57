// SPDX-License-Identifier: Apache-2.0
// Graceful Restart (RFC 4724), both roles, as far as it is about time and order; the routes themselves are the RIB's.
// Pure: sessions, End-of-RIB markers and the time go in, what to do with routes comes out.
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
/// sent them again.
class StaleRoutes {
 public:
  /// `longest`: for how long after the session is back stale routes wait for End-of-RIB.
  explicit StaleRoutes(Duration longest = std::chrono::seconds(360)) : longest_(longest) {}

  /// Routes that were stale already, from a restart before, are swept: two restarts are not survived.
  RouteChanges down(const action::SessionDown& down, TimePoint now);
  /// Stale routes of families that the peer does not speak any more, or did not go on forwarding (F bit), are swept.
  RouteChanges established(const Negotiated& negotiated, TimePoint now);
  RouteChanges endOfRib(Family family);
  /// The peer is stopped or deconfigured: nothing is worth waiting for.
  RouteChanges abandon();
  /// The peer has not come back in its Restart Time, or has not sent End-of-RIB in time.
  RouteChanges run(TimePoint now);
  std::optional<TimePoint> deadline() const { return timer_; }

  /// Families with stale routes.
  const std::set<Family>& stale() const { return stale_; }

 private:
  Duration longest_;
  bool up_ = false;
  std::set<Family> families_;  ///< of the session, or of the one that was
  std::set<Family> stale_;
  std::optional<TimePoint> timer_;  ///< the peer's Restart Time, then `longest_`
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
