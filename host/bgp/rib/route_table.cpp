// SPDX-License-Identifier: Apache-2.0
#include "route_table.h"

#include <algorithm>

#include "adj_rib_out.h"

namespace poplink::host::bgp {

const char* words(Ineligible reason) {
  static constexpr const char* kWords[] = {"",
                                           "refused by import policy",
                                           "own AS in the path",
                                           "originated by this router",
                                           "path does not begin with the peer's AS",
                                           "next hop is this router",
                                           "next hop is not reachable",
                                           "route leak (RFC 9234)"};
  return kWords[static_cast<std::size_t>(reason)];
}

template <class Prefix>
RouteTable<Prefix>::~RouteTable() {
  for (PrefixId id = 0; id < bound(); ++id)
    for (PathId path = first_[id]; path != kNoPath; path = paths_[path].next) {
      store_.release(paths_[path].received);
      if (paths_[path].used != kNoAttributes) store_.release(paths_[path].used);
    }
}

template <class Prefix>
typename RouteTable<Prefix>::Peer& RouteTable<Prefix>::peer(PeerIndex index) {
  if (index >= peers_.size()) peers_.resize(std::size_t{index} + 1);
  return peers_[index];
}

template <class Prefix>
typename RouteTable<Prefix>::Place RouteTable<Prefix>::locate(PeerIndex peer, const Prefix& prefix) {
  Place place{prefixes_.insert(prefix), kNoPath};
  if (place.prefix >= first_.size()) first_.push_back(kNoPath);
  place.path = pathOf(place.prefix, peer);
  return place;
}

template <class Prefix>
void RouteTable<Prefix>::put(Place place, PeerIndex index, const Imported& imported, std::uint32_t now) {
  const Best before = best(place.prefix);
  Peer& owner = peer(index);
  if (place.path == kNoPath) {
    PathId id = free_path_;
    if (id == kNoPath) {
      id = static_cast<PathId>(paths_.size());
      paths_.push_back({});
    } else {
      free_path_ = paths_[id].next;
    }
    Path& path = paths_[id];
    path = {kNoPath, imported.received, imported.used, now, index, owner.generation, imported.why};
    ++paths_in_use_;
    ++owner.routes.paths;
    if (path.used != kNoAttributes) ++owner.routes.eligible;
    // Behind the front, where the others are.
    PathId& first = first_[place.prefix];
    if (first == kNoPath) {
      first = id;
    } else {
      path.next = paths_[first].next;
      paths_[first].next = id;
    }
    place.path = id;
  } else {
    // Until what was has been compared with what is, its number must not be another set's.
    const Path was = paths_[place.path];
    set(paths_[place.path], imported, now);
    reselect(place.prefix);
    tell(place.prefix, before);
    store_.release(was.received);
    if (was.used != kNoAttributes) store_.release(was.used);
    return;
  }
  reselect(place.prefix);
  tell(place.prefix, before);
}

/// The path is another one from now on. The caller has the references to what was.
template <class Prefix>
void RouteTable<Prefix>::set(Path& path, const Imported& imported, std::uint32_t now) {
  Peer& owner = peers_[path.peer];
  if (path.received != imported.received || path.used != imported.used) path.since = now;
  owner.routes.eligible += (imported.used != kNoAttributes) - (path.used != kNoAttributes);
  path.received = imported.received;
  path.used = imported.used;
  path.why = imported.why;
  path.generation = owner.generation;
}

template <class Prefix>
bool RouteTable<Prefix>::withdraw(PeerIndex index, const Prefix& prefix) {
  const PrefixId id = prefixes_.find(prefix);
  const PathId path = id == kNoPrefix ? kNoPath : pathOf(id, index);
  if (path == kNoPath) return false;
  remove(id, path);
  return true;
}

template <class Prefix>
void RouteTable<Prefix>::unlink(PrefixId id, PathId path) {
  PathId* link = &first_[id];
  while (*link != path) link = &paths_[*link].next;
  *link = paths_[path].next;
}

template <class Prefix>
void RouteTable<Prefix>::remove(PrefixId id, PathId path) {
  const Best before = best(id);
  const Path was = paths_[path];
  const bool front = first_[id] == path;
  unlink(id, path);
  paths_[path].next = free_path_;
  free_path_ = path;
  --paths_in_use_;
  Peer& owner = peers_[was.peer];
  --owner.routes.paths;
  if (was.used != kNoAttributes) --owner.routes.eligible;
  if (front || settings_.compare_med) reselect(id);
  tell(id, before);
  store_.release(was.received);
  if (was.used != kNoAttributes) store_.release(was.used);
  eraseUnused(id);
}

template <class Prefix>
Best RouteTable<Prefix>::best(PrefixId id) const {
  const PathId first = first_[id];
  if (first == kNoPath || paths_[first].used == kNoAttributes) return {};
  return {paths_[first].used, paths_[first].peer};
}

template <class Prefix>
Candidate RouteTable<Prefix>::candidate(const Path& path) const {
  const PathSource& source = sources_[path.peer];
  return {store_.facts(path.used), source.external, source.igp_metric, source.router_id, source.address};
}

/// What decide() says of these two, with neither's MED looked at, or everybody's.
template <class Prefix>
bool RouteTable<Prefix>::better(const Path& one, const Path& other) const {
  if (one.used == kNoAttributes || other.used == kNoAttributes) return one.used != kNoAttributes;
  return beats({store_.facts(one.used), sources_[one.peer].external, sources_[one.peer].igp_metric,
                sources_[one.peer].router_id, sources_[one.peer].address},
               {store_.facts(other.used), sources_[other.peer].external, sources_[other.peer].igp_metric,
                sources_[other.peer].router_id, sources_[other.peer].address},
               settings_.always_compare_med);
}

/// Whether another route of its neighbor AS puts it out, of those that are as good before MEDs are looked at.
template <class Prefix>
bool RouteTable<Prefix>::losesByMed(PrefixId id, const Path& path) const {
  const DecisionFacts& facts = store_.facts(path.used);
  for (PathId at = first_[id]; at != kNoPath; at = paths_[at].next) {
    if (paths_[at].used == kNoAttributes) continue;
    const DecisionFacts& other = store_.facts(paths_[at].used);
    if (other.neighbor_as == facts.neighbor_as && other.med < facts.med && equalBeforeMed(other, facts)) return true;
  }
  return false;
}

/// Of the chain the one that is to be in front: what decide() says, but nothing is allocated for it.
template <class Prefix>
PathId RouteTable<Prefix>::choose(PrefixId id) const {
  PathId chosen = first_[id];
  for (PathId path = paths_[chosen].next; path != kNoPath; path = paths_[path].next)
    if (better(paths_[path], paths_[chosen])) chosen = path;
  const bool by_steps = settings_.compare_med && !settings_.always_compare_med;
  if (!by_steps || paths_[chosen].used == kNoAttributes) return chosen;
  // So good a route has to be before MEDs are looked at. Whoever then is left, pairs can tell which is best.
  const DecisionFacts& good = store_.facts(paths_[chosen].used);
  chosen = kNoPath;
  for (PathId path = first_[id]; path != kNoPath; path = paths_[path].next) {
    const Path& one = paths_[path];
    if (one.used == kNoAttributes || !equalBeforeMed(store_.facts(one.used), good) || losesByMed(id, one)) continue;
    if (chosen == kNoPath || better(one, paths_[chosen])) chosen = path;
  }
  return chosen;
}

template <class Prefix>
void RouteTable<Prefix>::bringToFront(PrefixId id, PathId path) {
  if (first_[id] == path) return;
  unlink(id, path);
  paths_[path].next = first_[id];
  first_[id] = path;
}

template <class Prefix>
void RouteTable<Prefix>::reselect(PrefixId id) {
  const PathId first = first_[id];
  if (first == kNoPath || paths_[first].next == kNoPath) return;
  bringToFront(id, choose(id));
}

template <class Prefix>
void RouteTable<Prefix>::tell(PrefixId id, const Best& before) {
  const Best now = best(id);
  if (now == before) return;
  if (before.peer != now.peer) {
    if (before.peer != kNoPeer) --peers_[before.peer].routes.best;
    if (now.peer != kNoPeer) ++peers_[now.peer].routes.best;
  }
  for (AdjRibOut<Prefix>* out : outs_) out->changed(id);
}

/// Nobody has a route, and nobody has to be told so any more.
template <class Prefix>
void RouteTable<Prefix>::eraseUnused(PrefixId id) {
  if (first_[id] != kNoPath) return;
  for (const AdjRibOut<Prefix>* out : outs_)
    if (out->needs(id)) return;
  prefixes_.erase(id);
}

template <class Prefix>
void RouteTable<Prefix>::age(PeerIndex index) {
  Peer& owner = peer(index);
  ++owner.generation;
}

template <class Prefix>
unsigned RouteTable<Prefix>::ages(PeerIndex index) const {
  if (index >= peers_.size()) return 0;
  return static_cast<std::uint8_t>(peers_[index].generation - peers_[index].oldest);
}

/// There are new numbers since what is left was counted. A walk goes round, so they lie before some that it has to see.
template <class Prefix>
void RouteTable<Prefix>::follow() {
  const PrefixId more = bound() - seen_bound_;
  seen_bound_ = bound();
  const auto add = [more](PrefixId& left) { left += left == 0 ? 0 : more; };
  for (Peer& one : peers_) {
    add(one.sweep_left);
    add(one.reimport_left);
  }
  add(reconsider_left_);
}

template <class Prefix>
void RouteTable<Prefix>::sweep(PeerIndex index) {
  follow();
  Peer& owner = peer(index);
  owner.sweep_from = owner.generation;
  if (owner.routes.paths != 0)
    owner.sweep_left = bound();
  else
    owner.oldest = owner.generation;
}

template <class Prefix>
void RouteTable<Prefix>::reimport(PeerIndex index) {
  follow();
  Peer& owner = peer(index);
  if (owner.routes.paths != 0) owner.reimport_left = bound();
}

template <class Prefix>
void RouteTable<Prefix>::reconsider() {
  follow();
  reconsider_left_ = bound();
}

template <class Prefix>
void RouteTable<Prefix>::configure(const DecisionSettings& settings) {
  if (settings == settings_) return;
  settings_ = settings;
  reconsider();
}

template <class Prefix>
bool RouteTable<Prefix>::walking() const {
  return reconsider_left_ != 0 ||
         std::ranges::any_of(peers_, [](const Peer& one) { return one.sweep_left != 0 || one.reimport_left != 0; });
}

template <class Prefix>
bool RouteTable<Prefix>::walk(std::size_t prefixes, RouteOwner<Prefix>& owner, std::uint32_t now) {
  if (!walking()) return false;
  follow();
  const auto step = static_cast<PrefixId>(std::min<std::size_t>(prefixes, bound()));
  for (PrefixId i = 0; i < step; ++i, ++at_) {
    if (at_ >= bound()) at_ = 0;
    if (first_[at_] != kNoPath) look(at_, owner, now);
  }
  const auto less = [&](PrefixId& left) { left -= std::min(left, step); };
  for (Peer& one : peers_) {
    if (one.sweep_left != 0) {
      less(one.sweep_left);
      if (one.sweep_left == 0) one.oldest = one.sweep_from;
    }
    less(one.reimport_left);
  }
  less(reconsider_left_);
  return walking();
}

template <class Prefix>
void RouteTable<Prefix>::look(PrefixId id, RouteOwner<Prefix>& owner, std::uint32_t now) {
  if (reconsider_left_ != 0) {
    const Best before = best(id);
    reselect(id);
    tell(id, before);
  }
  askAgain(id, owner, now);
  removeOld(id, owner);
}

template <class Prefix>
void RouteTable<Prefix>::askAgain(PrefixId id, RouteOwner<Prefix>& owner, std::uint32_t now) {
  // An answer may move its path to the front: each path once, whatever becomes of the chain.
  const auto end = static_cast<PeerIndex>(peers_.size());  // fits: kNoPeer is no peer's
  for (PeerIndex index = 0; index < end; ++index) {
    if (peers_[index].reimport_left == 0) continue;
    const PathId path = pathOf(id, index);
    if (path == kNoPath) continue;
    const Imported imported = owner.import(index, prefix(id), paths_[path].received);
    const std::uint8_t generation = paths_[path].generation;
    put({id, path}, index, imported, now);
    paths_[path].generation = generation;
  }
}

/// Older than its peer's sweep. Generations go round, so their distance from the newest counts.
template <class Prefix>
bool RouteTable<Prefix>::doomed(const Path& path) const {
  const Peer& owner = peers_[path.peer];
  const auto age = [&](std::uint8_t generation) { return static_cast<std::uint8_t>(owner.generation - generation); };
  return owner.sweep_left != 0 && age(path.generation) > age(owner.sweep_from);
}

template <class Prefix>
void RouteTable<Prefix>::removeOld(PrefixId id, RouteOwner<Prefix>& owner) {
  for (PathId path = first_[id]; path != kNoPath;) {
    const PeerIndex index = paths_[path].peer;
    if (!doomed(paths_[path])) {
      path = paths_[path].next;
      continue;
    }
    const bool last = first_[id] == path && paths_[path].next == kNoPath;
    const Prefix prefix = prefixes_.prefix(id);
    remove(id, path);
    owner.removed(index, prefix);
    if (last) return;  // the prefix may be gone
    path = first_[id];
  }
}

template class RouteTable<Prefix4>;
template class RouteTable<Prefix6>;

}  // namespace poplink::host::bgp
