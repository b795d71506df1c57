// SPDX-License-Identifier: Apache-2.0
// Adj-RIBs-In and Loc-RIB of one family: all routes of all peers, by prefix (RFC 4271 section 3.2).
//
// A prefix has a chain of routes, at most one of each peer, the best one in front if any may be taken. So the Loc-RIB
// is the fronts of the chains, and costs nothing of its own. A route is 20 bytes: attributes are numbers of the
// AttributeStore. Whoever advertises (AdjRibOut) is told of a prefix whose best route is another one, and looks it up
// when it gets to it.
//
// Work over the whole table is done in slices: walk(). Routes of a peer have a generation: they are old when the
// peer's is a higher one. So "all routes of this peer are stale" is one addition (RFC 4724, 7313), and a peer that
// comes back while its old routes are being removed loses none of the new ones.
#pragma once

#include <functional>
#include <vector>

#include "decision.h"
#include "path.h"
#include "prefix_table.h"

namespace poplink::host::bgp {

template <class Prefix>
class AdjRibOut;

/// What walk() asks and tells.
template <class Prefix>
class RouteOwner {
 public:
  virtual ~RouteOwner() = default;
  /// A route of `peer` again, by what policies are now: `received` as it is, and a reference to each set in what comes.
  virtual Imported import(PeerIndex peer, const Prefix& prefix, AttributesId received) = 0;
  /// A route of `peer` was removed because it was old.
  virtual void removed(PeerIndex peer, const Prefix& prefix) = 0;
};

/// The route that is taken. No attributes: there is none.
struct Best {
  AttributesId attributes = kNoAttributes;
  PeerIndex peer = kNoPeer;
  friend bool operator==(const Best&, const Best&) = default;
};

struct PeerRoutes {
  std::uint32_t paths = 0;     ///< in its Adj-RIB-In
  std::uint32_t eligible = 0;  ///< of them those that may be taken
  std::uint32_t best = 0;      ///< of them those that are
};

template <class Prefix>
class RouteTable {
 public:
  /// `sources` by PeerIndex; they are read when routes compare, so before one changes its peer has no routes, or
  /// reconsider() follows.
  RouteTable(AttributeStore& store, const std::vector<PathSource>& sources, const HashKey& key)
      : store_(store), sources_(sources), prefixes_(key) {}
  RouteTable(const RouteTable&) = delete;
  RouteTable& operator=(const RouteTable&) = delete;
  ~RouteTable();

  // A peer's route: first where it is, then what it is.

  struct Place {
    PrefixId prefix = kNoPrefix;
    PathId path = kNoPath;  ///< of this peer; kNoPath: it has none
  };
  /// locate() or withdraw() will follow soon: several at once wait for memory together.
  void prefetch(const Prefix& prefix) const { prefixes_.prefetch(prefix); }
  /// The prefix gets a number if it has none; put() or leave() must follow before anything else.
  Place locate(PeerIndex peer, const Prefix& prefix);
  /// New, or in place of the one that was. References to both sets of attributes are taken over.
  void put(Place place, PeerIndex peer, const Imported& imported, std::uint32_t now);
  void leave(Place place) { eraseUnused(place.prefix); }
  /// False: there was none.
  bool withdraw(PeerIndex peer, const Prefix& prefix);

  /// All its routes are old from now on: what comes again is not. Any number of times, with or without sweeps; one in
  /// some thousand looks at the whole table.
  void age(PeerIndex peer);
  /// walk() removes those that are old now; what gets old meanwhile stays (RFC 4724 section 4.2: a second restart).
  void sweep(PeerIndex peer);
  /// walk() asks for them anew.
  void reimport(PeerIndex peer);
  /// walk() compares all routes of all prefixes anew: other settings, or another source.
  void reconsider();
  void configure(const DecisionSettings& settings);
  const DecisionSettings& settings() const { return settings_; }

  /// Looks at so many prefixes at most. False: there is nothing left to do.
  bool walk(std::size_t prefixes, RouteOwner<Prefix>& owner, std::uint32_t now);
  bool walking() const;
  /// The peer's old routes are gone: its number may be another's.
  bool swept(PeerIndex peer) const { return peer >= peers_.size() || peers_[peer].sweep_left == 0; }

  // To be read at any time.

  PrefixId find(const Prefix& prefix) const { return prefixes_.find(prefix); }
  const Prefix& prefix(PrefixId id) const { return prefixes_.prefix(id); }
  /// Numbers of prefixes are below it; one may be out of use (no path).
  PrefixId bound() const { return prefixes_.bound(); }
  std::size_t prefixes() const { return prefixes_.size(); }
  std::size_t paths() const { return paths_in_use_; }
  Best best(PrefixId id) const;
  PathId firstPath(PrefixId id) const { return first_[id]; }
  /// Of this peer; kNoPath: it has none.
  PathId pathOf(PrefixId id, PeerIndex peer) const {
    PathId path = first_[id];
    while (path != kNoPath && paths_[path].peer != peer) path = paths_[path].next;
    return path;
  }
  const Path& path(PathId id) const { return paths_[id]; }
  bool old(const Path& path) const { return path.generation != peers_[path.peer].generation; }
  PeerRoutes routes(PeerIndex peer) const { return peer < peers_.size() ? peers_[peer].routes : PeerRoutes{}; }
  Candidate candidate(const Path& path) const;

  AttributeStore& store() { return store_; }
  const AttributeStore& store() const { return store_; }

 private:
  friend class AdjRibOut<Prefix>;
  struct Peer {
    PeerRoutes routes;
    std::uint16_t generation = 0;                ///< none of its routes has a higher one
    std::uint16_t sweep_from = 0;                ///< the generation at sweep(): routes older than that go
    PrefixId sweep_left = 0, reimport_left = 0;  ///< prefixes that walk() has to see yet
  };

  Peer& peer(PeerIndex index);
  bool doomed(const Path& path) const;
  void renumber(PeerIndex index);
  void follow();
  void look(PrefixId id, RouteOwner<Prefix>& owner, std::uint32_t now);
  void removeOld(PrefixId id, RouteOwner<Prefix>& owner);
  void askAgain(PrefixId id, RouteOwner<Prefix>& owner, std::uint32_t now);
  void set(Path& path, const Imported& imported, std::uint32_t now);
  void unlink(PrefixId id, PathId path);
  void remove(PrefixId id, PathId path);
  bool better(const Path& one, const Path& other) const;
  bool losesByMed(PrefixId id, const Path& path) const;
  PathId choose(PrefixId id) const;
  void bringToFront(PrefixId id, PathId path);
  void reselect(PrefixId id);
  void tell(PrefixId id, const Best& before);
  void eraseUnused(PrefixId id);

  AttributeStore& store_;
  const std::vector<PathSource>& sources_;
  DecisionSettings settings_;
  PrefixTable<Prefix> prefixes_;
  Paged<PathId> first_;  ///< by prefix
  Paged<Path> paths_;
  PathId free_path_ = kNoPath;
  std::size_t paths_in_use_ = 0;
  std::vector<Peer> peers_;
  PrefixId at_ = 0;               ///< where walk() goes on
  PrefixId seen_bound_ = 0;       ///< bound() when what is left was last counted
  PrefixId reconsider_left_ = 0;  ///< as in Peer
  std::vector<AdjRibOut<Prefix>*> outs_;
};

extern template class RouteTable<Prefix4>;
extern template class RouteTable<Prefix6>;

}  // namespace poplink::host::bgp
