// SPDX-License-Identifier: Apache-2.0
// Routes as JSON, a prefix at a time: a table may have a million, and nobody wants them in one piece.
#pragma once

#include "../speaker/speaker.h"
#include "report_time.h"
#include "values.h"

namespace poplink::host::bgp {

/// Which routes, and which paths of them. All that is there must hold.
struct RouteFilter {
  std::optional<AnyPrefix> within;  ///< prefixes that are this one or lie in it
  std::optional<PeerIndex> peer;    ///< paths of this peer
  bool best_only = false;           ///< paths that are taken, with those beside the best
};

/// What became of each path of a prefix, in the order of the chain.
struct JudgedPath {
  PathId id = kNoPath;
  bool best = false;
  bool taken = false;  ///< the best one, or one beside it
  LostBy lost = LostBy::nothing;
};
template <class Prefix>
std::vector<JudgedPath> judgePaths(const RouteTable<Prefix>& table, PrefixId id);

/// `prefix`, `family` and `paths`; null: the filter lets nothing of it through, or there is no route. `id` is below
/// bound().
template <class Prefix>
Json reportRoute(const Speaker& speaker, PrefixId id, const RouteFilter& filter, const ReportTime& time);
/// One of its paths: `peer` (null: originated here), `best`, `multipath`, `eligible`, `reason` it is not taken (null:
/// it is), `stale`, `since`, `age_seconds` and the attributes: those that import policy has left, of one that is not
/// eligible those that came.
template <class Prefix>
Json reportPath(const Speaker& speaker, const JudgedPath& path, const ReportTime& time);

/// What a peer was told of a prefix: `prefix`, `family` and the attributes as they went out. null: nothing.
template <class Prefix>
Json reportAdvertised(const Speaker& speaker, const Peering& peering, PrefixId id);

/// The longest prefix with a route that covers `prefix`; kNoPrefix: none.
template <class Prefix>
PrefixId longestMatch(const RouteTable<Prefix>& table, const Prefix& prefix);

}  // namespace poplink::host::bgp
