// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "../wire/nlri.h"
#include "path_expression.h"
#include "policy_settings.h"
#include "prefix_list.h"

namespace poplink::host::bgp {

namespace {

using Problems = std::vector<std::string>;

std::string quoted(const std::string& text) {
  return "'" + text + "'";
}

template <class Prefix>
void checkRange(const PrefixRange& range, const Prefix& prefix, unsigned longest, const std::string& place,
                Problems& problems) {
  const unsigned length = prefix.length, from = range.from_bits, to = range.to_bits;
  if (length > longest) {
    problems.push_back(place + ".prefix: its length, " + std::to_string(length) + ", is more than " +
                       std::to_string(longest));
    return;
  }
  if (!covers(prefix, prefix))
    problems.push_back(place + ".prefix: " + toString(prefix) + " has bits behind its length");
  if (from < length)
    problems.push_back(place + ".from: " + std::to_string(from) + " is less than the prefix's length, " +
                       std::to_string(length));
  if (to < from)
    problems.push_back(place + ".to: " + std::to_string(to) + " is less than from, " + std::to_string(from));
  if (to > longest)
    problems.push_back(place + ".to: " + std::to_string(to) + " is more than " + std::to_string(longest));
}

void checkRange(const PrefixRange& range, const std::string& place, Problems& problems) {
  if (const auto* ipv4 = std::get_if<Prefix4>(&range.prefix))
    checkRange(range, *ipv4, maxPrefixBits(Afi::ipv4), place, problems);
  else
    checkRange(range, std::get<Prefix6>(range.prefix), maxPrefixBits(Afi::ipv6), place, problems);
}

void checkMatch(const MatchSettings& match, const PolicyBook& book, const std::string& place, Problems& problems) {
  if (match.prefix_list && !book.prefix_lists.contains(*match.prefix_list))
    problems.push_back(place + ".prefix_list: there is no prefix list " + quoted(*match.prefix_list));
  if (match.as_path) {
    const PathExpression expression(*match.as_path);
    if (!expression.problem().empty())
      problems.push_back(place + ".as_path: " + quoted(*match.as_path) + ": " + expression.problem());
  }
  for (const auto& [key, asn] :
       {std::pair(".origin_as", match.origin_as), std::pair(".neighbor_as", match.neighbor_as)})
    if (asn == Asn{0}) problems.push_back(place + key + ": 0 is no AS number");
  if (match.path_length_min && match.path_length_max && *match.path_length_min > *match.path_length_max)
    problems.push_back(place + ".path_length: min, " + std::to_string(*match.path_length_min) + ", is more than max, " +
                       std::to_string(*match.path_length_max));
}

void checkTerm(const TermSettings& term, const PolicyBook& book, const std::string& place, Problems& problems) {
  checkMatch(term.match, book, place + ".match", problems);
  if (term.set.med && term.set.remove_med) problems.push_back(place + ".set.med: it cannot be set and removed");
  if (term.then == TermEnd::reject && term.set != SetSettings{})
    problems.push_back(place + ".set: nothing is set in a route that is refused");
}

void checkPolicy(const PolicySettings& policy, const PolicyBook& book, const std::string& place, Problems& problems) {
  if (policy.terms.size() > kMaxTerms)
    problems.push_back(place + ".terms: " + std::to_string(policy.terms.size()) + " are more than " +
                       std::to_string(kMaxTerms));
  std::set<std::string> names;
  for (std::size_t i = 0; i < policy.terms.size(); ++i) {
    const TermSettings& term = policy.terms[i];
    const std::string at = place + ".terms[" + (term.name.empty() ? std::to_string(i) : term.name) + "]";
    if (term.name.empty())
      problems.push_back(at + ": it has no name");
    else if (!names.insert(term.name).second)
      problems.push_back(at + ": another term has this name");
    checkTerm(term, book, at, problems);
  }
}

}  // namespace

std::vector<std::string> problems(const PolicyBook& book) {
  Problems problems;
  for (const auto& [name, ranges] : book.prefix_lists)
    for (std::size_t i = 0; i < ranges.size(); ++i)
      checkRange(ranges[i], "prefix_lists[" + name + "][" + std::to_string(i) + "]", problems);
  for (const auto& [name, policy] : book.policies) {
    const std::string place = "policies[" + name + "]";
    if (name == kAcceptAll || name == kDenyAll)
      problems.push_back(place + ": the name is that of a policy which is always there");
    checkPolicy(policy, book, place, problems);
  }
  return problems;
}

}  // namespace poplink::host::bgp
