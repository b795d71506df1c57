// SPDX-License-Identifier: Apache-2.0
#include "decision.h"

#include <algorithm>

namespace poplink::host::bgp {

const char* words(LostBy step) {
  static constexpr const char* kWords[] = {"taken",
                                           "lower LOCAL_PREF",
                                           "longer AS path",
                                           "higher origin",
                                           "higher MED",
                                           "internal, others are external",
                                           "longer way to its next hop",
                                           "higher router id",
                                           "longer cluster list",
                                           "higher peer address"};
  return kWords[static_cast<std::size_t>(step)];
}

namespace {

class Rounds {
 public:
  explicit Rounds(std::span<const Candidate> candidates) : candidates_(candidates), lost_(candidates.size()) {}

  /// Of those still in, the ones with the least value of `key` stay.
  template <class Key>
  void keepLeast(LostBy step, Key key) {
    keepLeast(step, key, [](const Candidate&) { return 0; });
  }
  /// The same among those that have the same `group`.
  template <class Key, class Group>
  void keepLeast(LostBy step, Key key, Group group) {
    std::vector<bool> loses(lost_.size());
    for (std::size_t i = 0; i < lost_.size(); ++i) {
      if (!in(i)) continue;
      for (std::size_t other = 0; other < lost_.size() && !loses[i]; ++other)
        loses[i] = in(other) && group(candidates_[other]) == group(candidates_[i]) &&
                   key(candidates_[other]) < key(candidates_[i]);
    }
    for (std::size_t i = 0; i < lost_.size(); ++i) {
      if (loses[i]) lost_[i] = step;
    }
  }

  bool in(std::size_t candidate) const { return lost_[candidate] == LostBy::nothing; }
  std::vector<std::size_t> all() const {
    std::vector<std::size_t> list;
    for (std::size_t i = 0; i < lost_.size(); ++i) {
      if (in(i)) list.push_back(i);
    }
    return list;
  }
  /// The first of what is left, where nothing tells them apart.
  std::size_t finish() {
    const std::size_t best = all().front();
    for (std::size_t i = best + 1; i < lost_.size(); ++i) {
      if (in(i)) lost_[i] = LostBy::peer_address;
    }
    return best;
  }
  std::vector<LostBy>& lost() { return lost_; }

 private:
  std::span<const Candidate> candidates_;
  std::vector<LostBy> lost_;
};

RouterId routerId(const Candidate& candidate) {
  return candidate.facts.originator_id != 0 ? candidate.facts.originator_id : candidate.router_id;
}

}  // namespace

bool beats(const Candidate& one, const Candidate& other, bool compare_med) {
  const DecisionFacts &a = one.facts, &b = other.facts;
  if (a.local_pref != b.local_pref) return a.local_pref > b.local_pref;
  if (a.path_length != b.path_length) return a.path_length < b.path_length;
  if (a.origin != b.origin) return a.origin < b.origin;
  if (compare_med && a.med != b.med) return a.med < b.med;
  if (one.external != other.external) return one.external;
  if (one.igp_metric != other.igp_metric) return one.igp_metric < other.igp_metric;
  if (routerId(one) != routerId(other)) return routerId(one) < routerId(other);
  if (a.clusters != b.clusters) return a.clusters < b.clusters;
  return one.peer < other.peer;
}

bool equalBeforeMed(const DecisionFacts& one, const DecisionFacts& other) {
  return one.local_pref == other.local_pref && one.path_length == other.path_length && one.origin == other.origin;
}

Decision decide(std::span<const Candidate> candidates, const DecisionSettings& settings) {
  if (candidates.size() == 1) return {0, {LostBy::nothing}, {0}};
  Rounds rounds(candidates);
  rounds.keepLeast(LostBy::local_pref, [](const Candidate& one) { return ~one.facts.local_pref; });
  rounds.keepLeast(LostBy::path_length, [](const Candidate& one) { return one.facts.path_length; });
  rounds.keepLeast(LostBy::origin, [](const Candidate& one) { return one.facts.origin; });
  if (settings.compare_med || settings.always_compare_med) {
    rounds.keepLeast(
        LostBy::med, [](const Candidate& one) { return one.facts.med; },
        [&](const Candidate& one) { return settings.always_compare_med ? 0 : one.facts.neighbor_as; });
  }
  rounds.keepLeast(LostBy::external, [](const Candidate& one) { return !one.external; });
  rounds.keepLeast(LostBy::igp_metric, [](const Candidate& one) { return one.igp_metric; });
  Decision decision;
  const std::vector<std::size_t> equal = rounds.all();
  rounds.keepLeast(LostBy::router_id, routerId);
  rounds.keepLeast(LostBy::cluster_list, [](const Candidate& one) { return one.facts.clusters; });
  rounds.keepLeast(LostBy::peer_address, [](const Candidate& one) { return one.peer; });
  decision.best = rounds.finish();
  decision.lost = std::move(rounds.lost());
  decision.taken.push_back(decision.best);
  for (const std::size_t one : equal) {
    if (one == decision.best || decision.taken.size() >= settings.multipath) continue;
    decision.taken.push_back(one);
    decision.lost[one] = LostBy::nothing;
  }
  return decision;
}

}  // namespace poplink::host::bgp
