// SPDX-License-Identifier: Apache-2.0
// A table of routes beside a model of it: for tests and for the fuzzer, so no test framework in here. Each operation is
// done to both, and check() says what is wrong; empty: nothing.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "bgp_rib_lab.h"
#include "route_table.h"

namespace poplink::host::bgp {

template <class Prefix>
class RouteLab : public RouteOwner<Prefix> {
 public:
  static constexpr PeerIndex kPeers = 5;

  RouteLab() {
    const RouterId router_ids[kPeers] = {1, 9, 7, 7, 5};
    for (PeerIndex peer = 0; peer < kPeers; ++peer)
      sources_[peer] = {peer != 4, peer % 2U, router_ids[peer], Ipv4{0xC633'6400U + peer}};
    table_ = std::make_unique<RouteTable<Prefix>>(store_, sources_, kLabHashKey);
  }
  RouteLab(const RouteLab&) = delete;
  RouteLab& operator=(const RouteLab&) = delete;

  RouteTable<Prefix>& table() { return *table_; }
  AttributeStore& store() { return store_; }
  /// Prefixes that somebody has a route to.
  std::size_t prefixes() const { return model_.size(); }

  void put(PeerIndex peer, unsigned prefix_number, unsigned set) {
    const Prefix prefix = labPrefix<Prefix>(prefix_number);
    const Imported imported = judged(peer, store_.intern(labNextHop(set), labSet(set)));
    const auto place = table_->locate(peer, prefix);
    const bool known = model_[prefix].contains(peer);
    note(known == (place.path != kNoPath), "locate() finds the peer's path");
    Known& route = model_[prefix][peer];
    const Bytes used = octetsOf(imported.used);
    if (!known || route.set != set || route.used != used) route.since = now_;
    route = {set, used, route.since, false, false};
    table_->put(place, peer, imported, now_);
    ++now_;
  }
  void withdraw(PeerIndex peer, unsigned prefix_number) {
    const Prefix prefix = labPrefix<Prefix>(prefix_number);
    const auto found = model_.find(prefix);
    const bool known = found != model_.end() && found->second.erase(peer) == 1;
    if (known && found->second.empty()) model_.erase(found);
    note(table_->withdraw(peer, prefix) == known, "withdraw() says whether there was a route");
  }
  void locateAndLeave(PeerIndex peer, unsigned prefix_number) {
    table_->leave(table_->locate(peer, labPrefix<Prefix>(prefix_number)));
  }
  void age(PeerIndex peer) {
    table_->age(peer);
    each(peer, [](Known& route) { route.old = true; });
  }
  void sweep(PeerIndex peer) {
    table_->sweep(peer);
    each(peer, [](Known& route) { route.doomed = route.old; });
  }
  /// Import policy is another one from now on.
  void reimport(PeerIndex peer, unsigned rule) {
    rules_[peer] = rule;
    table_->reimport(peer);
  }
  void configure(const DecisionSettings& settings) {
    table_->configure(settings);
    decides_ = false;
  }
  void moveSource(PeerIndex peer, std::uint32_t igp_metric) {
    sources_[peer].igp_metric = igp_metric;
    table_->reconsider();
    decides_ = false;
  }
  bool walk(std::size_t prefixes) {
    removed_.clear();
    const bool more = table_->walk(prefixes, *this, now_);
    ++now_;
    forgetRemoved();
    note(more == table_->walking(), "walk() says whether there is more to do");
    decides_ |= !more;
    return more;
  }
  void walkAll(std::size_t slice) {
    while (table_->walking()) walk(slice);
  }

  /// `needs`: whether somebody has to be told of the prefix yet.
  std::string check(const std::function<bool(PrefixId)>& needs = [](PrefixId) { return false; }) {
    checkNumbers(needs);
    checkCounters();
    for (const auto& [prefix, routes] : model_) checkPrefix(prefix, routes);
    return problem_;
  }
  /// The table goes; whoever looks at it has gone before. No set may be left.
  std::string close() {
    table_.reset();
    note(store_.size() == 0, "sets are left in the store");
    return problem_;
  }

  Imported import(PeerIndex peer, const Prefix& prefix, AttributesId received) override {
    store_.hold(received);
    const Imported answer = judged(peer, received);
    const auto found = model_.find(prefix);
    if (found == model_.end() || !found->second.contains(peer)) {
      note(false, "import() is asked for a route that is there");
      return answer;
    }
    Known& route = found->second[peer];
    note(labSetOf(store_, received) == route.set, "import() is given what was received");
    const Bytes used = octetsOf(answer.used);
    if (used != route.used) route.since = now_;
    route.used = used;
    return answer;
  }
  void removed(PeerIndex peer, const Prefix&) override { ++removed_[peer]; }

 private:
  struct Known {
    unsigned set = 0;
    Bytes used{};  ///< empty: it is no candidate
    std::uint32_t since = 0;
    bool old = false;
    bool doomed = false;  ///< it was old when sweep() came
  };
  using Routes = std::map<PeerIndex, Known>;

  void note(bool good, const char* what) {
    if (!good && problem_.empty()) problem_ = what;
  }
  template <class Do>
  void each(PeerIndex peer, Do what) {
    for (auto& [prefix, routes] : model_)
      if (const auto found = routes.find(peer); found != routes.end()) what(found->second);
  }
  Bytes octetsOf(AttributesId id) const {
    if (id == kNoAttributes) return {};
    const Octets octets = store_.canonical(id);
    return {octets.begin(), octets.end()};
  }
  /// Import policy: some routes are refused, some get another LOCAL_PREF.
  Imported judged(PeerIndex peer, AttributesId received) {
    const unsigned kind = (labSetOf(store_, received) + rules_[peer]) % 7;
    if (kind == 0) return {received, kNoAttributes, Ineligible::policy};
    if (kind == 1) {
      const AttributeChange change{AttributeType::local_pref, Bytes{0, 0, 0, 101}};
      return {received, store_.intern(store_.nextHop(received), withChanges(store_.canonical(received), {&change, 1})),
              Ineligible::none};
    }
    store_.hold(received);
    return {received, received, Ineligible::none};
  }
  /// What walk() has removed must have been old when sweep() came, and been told.
  void forgetRemoved() {
    for (auto prefix = model_.begin(); prefix != model_.end();) {
      std::erase_if(prefix->second, [&](const auto& entry) {
        if (pathOf(prefix->first, entry.first) != kNoPath) return false;
        note(entry.second.doomed, "only what was old when sweep() came is removed");
        note(removed_[entry.first]-- != 0, "the owner is told of each route removed");
        return true;
      });
      prefix = prefix->second.empty() ? model_.erase(prefix) : std::next(prefix);
    }
    for (const auto& [peer, left] : removed_) note(left == 0, "the owner is told only of routes removed");
  }
  PathId pathOf(const Prefix& prefix, PeerIndex peer) const {
    const PrefixId id = table_->find(prefix);
    if (id == kNoPrefix) return kNoPath;
    PathId path = table_->firstPath(id);
    while (path != kNoPath && table_->path(path).peer != peer) path = table_->path(path).next;
    return path;
  }

  void checkNumbers(const std::function<bool(PrefixId)>& needs) {
    std::size_t in_use = 0;
    for (PrefixId id = 0; id < table_->bound(); ++id) {
      const bool used = table_->find(table_->prefix(id)) == id;
      in_use += used;
      note(used || table_->firstPath(id) == kNoPath, "a prefix with a route has a number");
      note(used || !needs(id), "a prefix that is to be told keeps its number");
      note(!used || table_->firstPath(id) != kNoPath || needs(id), "a number that nobody needs is free");
    }
    note(in_use == table_->prefixes(), "prefixes are counted");
  }
  void checkCounters() {
    std::vector<PeerRoutes> counted(kPeers);
    std::size_t paths = 0;
    for (const auto& [prefix, routes] : model_) {
      for (const auto& [peer, route] : routes) {
        ++paths;
        ++counted[peer].paths;
        counted[peer].eligible += !route.used.empty();
        note(!route.doomed || !table_->swept(peer), "what was to be swept is gone when swept() says so");
      }
      if (const Best best = table_->best(table_->find(prefix)); best.peer != kNoPeer) ++counted[best.peer].best;
    }
    for (PeerIndex peer = 0; peer < kPeers; ++peer) {
      const PeerRoutes routes = table_->routes(peer);
      note(routes.paths == counted[peer].paths, "PeerRoutes::paths");
      note(routes.eligible == counted[peer].eligible, "PeerRoutes::eligible");
      note(routes.best == counted[peer].best, "PeerRoutes::best");
    }
    note(paths == table_->paths(), "paths are counted");
  }
  void checkPrefix(const Prefix& prefix, const Routes& routes) {
    const PrefixId id = table_->find(prefix);
    if (id == kNoPrefix) return note(false, "the prefix is there");
    std::vector<Candidate> candidates;
    std::vector<PeerIndex> peers;
    std::size_t length = 0;
    for (PathId at = table_->firstPath(id); at != kNoPath; at = table_->path(at).next, ++length) {
      const Path& path = table_->path(at);
      const auto found = routes.find(path.peer);
      if (found == routes.end() || length >= routes.size()) return note(false, "the chain has a peer's route once");
      checkPath(path, found->second);
      if (path.used == kNoAttributes) continue;
      const PathSource& source = sources_[path.peer];
      candidates.push_back({decisionFacts(readFacts(store_.canonical(path.used))), source.external, source.igp_metric,
                            source.router_id, source.address});
      peers.push_back(path.peer);
    }
    note(length == routes.size(), "the chain has every route");
    const Best best = table_->best(id);
    note((best.attributes != kNoAttributes) == !peers.empty(), "there is a best route where one may be taken");
    if (!decides_ || peers.empty()) return;
    note(best.peer == peers[decide(candidates, table_->settings()).best], "the best route is decide()'s");
  }
  void checkPath(const Path& path, const Known& route) {
    note(labSetOf(store_, path.received) == route.set, "a route is what was received");
    note(octetsOf(path.used) == route.used, "a route is what policy left of it");
    note((path.why == Ineligible::none) == (path.used != kNoAttributes), "a route that may be taken has no reason");
    note(table_->old(path) == route.old, "a route is old or not");
    note(path.since == route.since, "a route is since when it changed");
    if (!table_->walking())
      note(((route.set + rules_[path.peer]) % 7 == 0) == route.used.empty(), "the policy is today's");
  }

  AttributeStore store_{kLabHashKey};
  std::vector<PathSource> sources_ = std::vector<PathSource>(kPeers);
  std::unique_ptr<RouteTable<Prefix>> table_;
  std::vector<unsigned> rules_ = std::vector<unsigned>(kPeers);
  std::map<Prefix, Routes> model_;
  std::map<PeerIndex, std::size_t> removed_;
  std::uint32_t now_ = 1;
  bool decides_ = true;  ///< no walk is due to what routes are compared by
  std::string problem_;
};

}  // namespace poplink::host::bgp
