// SPDX-License-Identifier: Apache-2.0
#include "policy.h"

#include <algorithm>
#include <bit>

namespace poplink::host::bgp {

namespace {

constexpr std::uint64_t bitOf(std::size_t index) {
  return std::uint64_t{1} << index;
}

bool has(const std::vector<AnyCommunity>& list, const AnyCommunity& community) {
  return std::ranges::find(list, community) != list.end();
}

/// The highest of a mask that is not 0.
std::size_t lastOf(std::uint64_t terms) {
  return static_cast<std::size_t>(std::bit_width(terms)) - 1;
}

}  // namespace

Policy::Policy(PolicySettings settings, const PrefixLists& lists) : settings_(std::move(settings)) {
  for (std::size_t i = 0; i < settings_.terms.size(); ++i) {
    terms_.push_back(compiled(i, lists));
    if (settings_.terms[i].set != SetSettings{}) changing_ |= bitOf(i);
    depends_on_prefix_ |= terms_.back().prefix_list != nullptr;
  }
}

/// Earlier terms are looked at whether they say `next` or not: those that do not are never among the ones that matched
/// before.
Policy::CommunityTest Policy::testOf(const AnyCommunity& community, std::size_t index) const {
  CommunityTest test{CommunityOctets(community)};
  for (std::size_t i = 0; i < index; ++i) {
    const SetSettings& set = settings_.terms[i].set;
    if (has(set.add, community))
      test.added_by |= bitOf(i);
    else if (set.remove_all_communities || has(set.remove, community))
      test.removed_by |= bitOf(i);
  }
  return test;
}

Policy::Term Policy::compiled(std::size_t index, const PrefixLists& lists) const {
  const MatchSettings& match = settings_.terms[index].match;
  Term term;
  if (match.prefix_list) term.prefix_list = lists.at(*match.prefix_list);
  if (match.as_path) term.as_path.emplace(*match.as_path);
  const auto addTests = [&](std::vector<CommunityTest>& to, const std::vector<AnyCommunity>& communities) {
    for (const AnyCommunity& community : communities) {
      to.push_back(testOf(community, index));
      term.touched_by |= to.back().added_by | to.back().removed_by;
    }
  };
  addTests(term.all_of, match.all_of);
  addTests(term.any_of, match.any_of);
  for (std::size_t i = 0; match.origin && i < index; ++i)
    if (settings_.terms[i].set.origin) term.origin_by |= bitOf(i);
  term.touched_by |= term.origin_by;
  return term;
}

Verdict Policy::judge(const Prefix4& prefix, const PathFacts& facts, Memo& memo) const {
  return judgeIn(kIpv4Unicast, prefix, facts, memo);
}
Verdict Policy::judge(const Prefix6& prefix, const PathFacts& facts, Memo& memo) const {
  return judgeIn(kIpv6Unicast, prefix, facts, memo);
}

template <class Prefix>
Verdict Policy::judgeIn(Family family, const Prefix& prefix, const PathFacts& facts, Memo& memo) const {
  Verdict verdict;
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    const Term& term = terms_[i];
    const TermSettings& settings = settings_.terms[i];
    // The path comes last: it is what costs most.
    if ((settings.match.family && *settings.match.family != family) ||
        !attributesHold(i, facts, verdict.terms & term.touched_by, memo) ||
        (term.prefix_list != nullptr && !term.prefix_list->contains(prefix)) ||
        (term.as_path && !pathHolds(i, facts, memo)))
      continue;
    if (settings.then != TermEnd::reject) verdict.terms |= bitOf(i);
    if (settings.then == TermEnd::next) continue;
    verdict.accept = settings.then == TermEnd::accept;
    verdict.decided_by = static_cast<int>(i);
    break;
  }
  return verdict;
}

/// `before`: the terms that have matched and set something that this one asks for. Without any, the memo knows.
bool Policy::attributesHold(std::size_t index, const PathFacts& facts, std::uint64_t before, Memo& memo) const {
  if (before != 0) return attributesHold(index, facts, before);
  const std::uint64_t bit = bitOf(index);
  if ((memo.known_ & bit) == 0) {
    memo.known_ |= bit;
    if (attributesHold(index, facts, 0)) memo.holds_ |= bit;
  }
  return (memo.holds_ & bit) != 0;
}

bool Policy::attributesHold(std::size_t index, const PathFacts& facts, std::uint64_t before) const {
  const MatchSettings& match = settings_.terms[index].match;
  const Term& term = terms_[index];
  if (match.neighbor_as && *match.neighbor_as != facts.first_as) return false;
  if (match.origin_as && *match.origin_as != facts.origin_as) return false;
  if (match.path_length_min && facts.path_length < *match.path_length_min) return false;
  if (match.path_length_max && facts.path_length > *match.path_length_max) return false;
  if (match.origin) {
    const std::uint64_t setters = before & term.origin_by;
    if (*match.origin != (setters == 0 ? facts.origin : *settings_.terms[lastOf(setters)].set.origin)) return false;
  }
  const auto isThere = [&](const CommunityTest& test) {
    const std::uint64_t setters = before & (test.added_by | test.removed_by);
    if (setters != 0) return (bitOf(lastOf(setters)) & test.added_by) != 0;
    return containsUnit(communitiesOf(facts, test.community.type()), test.community.octets());
  };
  return std::ranges::all_of(term.all_of, isThere) &&
         (term.any_of.empty() || std::ranges::any_of(term.any_of, isThere));
}

/// All expressions at once, so that the path becomes text once.
bool Policy::pathHolds(std::size_t index, const PathFacts& facts, Memo& memo) const {
  if (!memo.paths_) {
    const PathText text(facts.as_path);
    memo.paths_ = 0;
    for (std::size_t i = 0; i < terms_.size(); ++i)
      if (terms_[i].as_path && terms_[i].as_path->matches(text)) *memo.paths_ |= bitOf(i);
  }
  return (*memo.paths_ & bitOf(index)) != 0;
}

Policies::Policies(const PolicyBook& book) {
  PrefixLists lists;
  for (const auto& [name, ranges] : book.prefix_lists) lists[name] = std::make_shared<const PrefixList>(ranges);
  for (const auto& [name, settings] : book.policies) policies_[name] = std::make_shared<const Policy>(settings, lists);
  policies_[kAcceptAll] = std::make_shared<const Policy>(PolicySettings{{TermSettings{.name = kAcceptAll}}}, lists);
  policies_[kDenyAll] = std::make_shared<const Policy>(PolicySettings{}, lists);
}

std::shared_ptr<const Policy> Policies::find(std::string_view name) const {
  const auto found = policies_.find(name);
  return found == policies_.end() ? nullptr : found->second;
}

}  // namespace poplink::host::bgp
