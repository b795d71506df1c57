// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>

#include "policy.h"

namespace poplink::host::bgp {

namespace {

constexpr std::size_t kMaxValueBytes = 0xffff;

/// Calls visit(index) for each bit, from the lowest on.
template <class Visit>
void forEachTerm(std::uint64_t terms, Visit&& visit) {
  for (; terms != 0; terms &= terms - 1) visit(static_cast<std::size_t>(std::countr_zero(terms)));
}

std::vector<std::uint8_t> octetsOf(std::uint32_t value) {
  std::vector<std::uint8_t> octets;
  put32(octets, value);
  return octets;
}

/// The communities of a route while terms change them.
class CommunityLists {
 public:
  explicit CommunityLists(const PathFacts& facts) {
    for (List& list : lists_) {
      list.before = communitiesOf(facts, list.type);
      list.octets.assign(list.before.begin(), list.before.end());
    }
  }

  void change(const SetSettings& set) {
    if (set.remove_all_communities)
      for (List& list : lists_) list.octets.clear();
    for (const AnyCommunity& community : set.remove) remove(CommunityOctets(community));
    for (const AnyCommunity& community : set.add) add(CommunityOctets(community));
  }

  /// What has come out different only: an attribute that stays keeps its octets.
  void putChanges(std::vector<AttributeChange>& to) {
    for (List& list : lists_) {
      if (std::ranges::equal(list.before, list.octets)) continue;
      AttributeChange& change = to.emplace_back(AttributeChange{list.type});
      if (!list.octets.empty()) change.value = std::move(list.octets);
    }
  }

 private:
  struct List {
    AttributeType type{};
    Octets before{};
    std::vector<std::uint8_t> octets{};
  };

  std::vector<std::uint8_t>& listOf(AttributeType type) { return std::ranges::find(lists_, type, &List::type)->octets; }

  void remove(const CommunityOctets& community) {
    std::vector<std::uint8_t>& list = listOf(community.type());
    const Octets unit = community.octets();
    auto end = list.begin();
    for (std::size_t at = 0; at < list.size(); at += unit.size()) {
      const Octets one = Octets(list).subspan(at, unit.size());
      if (!std::ranges::equal(one, unit)) end = std::copy(one.begin(), one.end(), end);
    }
    list.erase(end, list.end());
  }

  void add(const CommunityOctets& community) {
    std::vector<std::uint8_t>& list = listOf(community.type());
    const Octets unit = community.octets();
    if (!containsUnit(list, unit) && list.size() + unit.size() <= kMaxValueBytes) put(list, unit);
  }

  std::array<List, 3> lists_{List{AttributeType::communities}, List{AttributeType::extended_communities},
                             List{AttributeType::large_communities}};
};

}  // namespace

std::uint8_t Policy::prepend(std::uint64_t terms) const {
  unsigned times = 0;
  forEachTerm(terms, [&](std::size_t index) { times += settings_.terms[index].set.prepend; });
  return static_cast<std::uint8_t>(std::min(times, 255u));
}

std::vector<std::uint8_t> Policy::apply(Octets canonical, std::uint64_t terms, Asn own) const {
  CommunityLists communities(readFacts(canonical));
  std::vector<AttributeChange> changes;  // the last of each type counts
  forEachTerm(terms, [&](std::size_t index) {
    const SetSettings& set = settings_.terms[index].set;
    if (set.origin)
      changes.push_back({AttributeType::origin, std::vector<std::uint8_t>{static_cast<std::uint8_t>(*set.origin)}});
    if (set.local_pref) changes.push_back({AttributeType::local_pref, octetsOf(*set.local_pref)});
    if (set.remove_med) changes.push_back({AttributeType::multi_exit_disc});
    if (set.med) changes.push_back({AttributeType::multi_exit_disc, octetsOf(*set.med)});
    communities.change(set);
  });
  communities.putChanges(changes);
  std::vector<std::uint8_t> changed = withChanges(canonical, changes);
  const std::uint8_t times = prepend(terms);
  return own == 0 || times == 0 ? changed : withPrepended(changed, own, times);
}

}  // namespace poplink::host::bgp
