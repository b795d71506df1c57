// SPDX-License-Identifier: Apache-2.0
// What a policy says, word by word: each term is compared with the route as the terms before it have left it.
#pragma once

#include <algorithm>

#include "policy.h"

namespace poplink::host::bgp {

/// A linear scan.
template <class Prefix>
bool permits(const PrefixListSettings& ranges, const Prefix& prefix) {
  for (const PrefixRange& range : ranges) {
    const auto* within = std::get_if<Prefix>(&range.prefix);
    if (within != nullptr && covers(*within, prefix) && prefix.length >= range.from_bits &&
        prefix.length <= range.to_bits)
      return !range.deny;
  }
  return false;
}

/// `now`: with what earlier terms have set, but for the path.
template <class Prefix>
bool holds(const MatchSettings& match, const PolicyBook& book, const Prefix& prefix, const PathFacts& now) {
  constexpr Family kFamily = std::is_same_v<Prefix, Prefix4> ? kIpv4Unicast : kIpv6Unicast;
  const auto isThere = [&now](const AnyCommunity& community) {
    const CommunityOctets octets(community);
    return containsUnit(communitiesOf(now, octets.type()), octets.octets());
  };
  return (!match.prefix_list || permits(book.prefix_lists.at(*match.prefix_list), prefix)) &&
         std::ranges::all_of(match.all_of, isThere) &&
         (match.any_of.empty() || std::ranges::any_of(match.any_of, isThere)) &&
         (!match.as_path || PathExpression(*match.as_path).matches(PathText(now.as_path))) &&
         now.origin_as == match.origin_as.value_or(now.origin_as) &&
         now.first_as == match.neighbor_as.value_or(now.first_as) &&
         now.path_length >= match.path_length_min.value_or(0) &&
         now.path_length <= match.path_length_max.value_or(0xffff'ffff) &&
         now.origin == match.origin.value_or(now.origin) && kFamily == match.family.value_or(kFamily);
}

struct Outcome {
  Verdict verdict;
  std::vector<std::uint8_t> canonical;  ///< of a route that is accepted
};

/// `policy` is made of `settings`, and here applies single terms only.
template <class Prefix>
Outcome outcomeOf(const PolicySettings& settings, const PolicyBook& book, const Policy& policy, const Prefix& prefix,
                  Octets canonical) {
  Outcome outcome{{}, {canonical.begin(), canonical.end()}};
  for (std::size_t i = 0; i < settings.terms.size(); ++i) {
    const TermSettings& term = settings.terms[i];
    if (!holds(term.match, book, prefix, readFacts(outcome.canonical))) continue;
    if (term.then != TermEnd::reject) {
      outcome.verdict.terms |= std::uint64_t{1} << i;
      outcome.canonical = policy.apply(outcome.canonical, std::uint64_t{1} << i, 0);
    }
    if (term.then == TermEnd::next) continue;
    outcome.verdict.accept = term.then == TermEnd::accept;
    outcome.verdict.decided_by = static_cast<int>(i);
    break;
  }
  return outcome;
}

}  // namespace poplink::host::bgp
