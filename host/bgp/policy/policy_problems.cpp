// SPDX-License-Identifier: Apache-2.0
#include "policy_problems.h"

#include <set>
#include <tuple>

#include "../wire/nlri.h"
#include "path_expression.h"
#include "prefix_list.h"

namespace poplink::host::bgp {

namespace {

template <class Prefix>
void checkRange(const PrefixRange& range, const Prefix& prefix, unsigned longest, const SettingRules& rules) {
  const unsigned length = prefix.length;
  const auto exceeds = "must not exceed " + std::to_string(longest);
  if (length > longest) return rules.add({"prefix"}, "its length, " + std::to_string(length) + ", " + exceeds);
  if (!covers(prefix, prefix)) rules.add({"prefix"}, toString(prefix) + " has bits behind its length");
  if (range.from_bits < length)
    rules.add({"from"}, "must not be below the prefix's own length, " + std::to_string(length));
  if (range.to_bits < range.from_bits) rules.add({"to"}, "must not be below from, " + std::to_string(range.from_bits));
  if (range.to_bits > longest) rules.add({"to"}, exceeds);
}

void checkRange(const PrefixRange& range, const SettingRules& rules) {
  if (const auto* ipv4 = std::get_if<Prefix4>(&range.prefix))
    checkRange(range, *ipv4, maxPrefixBits(Afi::ipv4), rules);
  else
    checkRange(range, std::get<Prefix6>(range.prefix), maxPrefixBits(Afi::ipv6), rules);
}

void checkList(const PrefixListSettings& list, const SettingRules& rules) {
  std::set<std::tuple<std::variant<Prefix4, Prefix6>, unsigned, unsigned>> before;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const PrefixRange& range = list[i];
    checkRange(range, rules.at({i}));
    rules.rule(!before.emplace(range.prefix, range.from_bits, range.to_bits).second, {i},
               "is there twice: the first one decides");
  }
}

void checkMatch(const MatchSettings& match, const PolicyBook& book, const SettingRules& rules) {
  if (match.prefix_list && !book.prefix_lists.contains(*match.prefix_list))
    rules.add({"prefix_list"}, "there is no prefix list '" + *match.prefix_list + "'");
  if (match.as_path) {
    const PathExpression expression(*match.as_path);
    if (!expression.problem().empty())
      rules.add({"as_path"},
                "'" + *match.as_path + "' is no regular expression (POSIX, extended): " + expression.problem());
  }
  rules.rule(match.origin_as == Asn{0}, {"origin_as"}, "must not be 0 (RFC 7607)");
  rules.rule(match.neighbor_as == Asn{0}, {"neighbor_as"}, "must not be 0 (RFC 7607)");
  rules.rule(match.path_length_min && match.path_length_max && *match.path_length_max < *match.path_length_min,
             {"path_length", "max"}, "must not be below min");
}

void checkSet(const TermSettings& term, const SettingRules& rules) {
  const SetSettings& set = term.set;
  rules.rule(term.then == TermEnd::reject && set != SetSettings{}, {}, "nothing is set in a route that is refused");
  rules.rule(set.med && set.remove_med, {"med"}, "cannot be set and removed");
  if (set.prepend > kMostPrepended) rules.add({"prepend"}, "must not exceed " + std::to_string(kMostPrepended));
}

void checkPolicy(const PolicySettings& policy, const PolicyBook& book, const SettingRules& rules) {
  if (policy.terms.size() > kMaxTerms) {
    rules.add({}, "has " + std::to_string(policy.terms.size()) + " terms; " + std::to_string(kMaxTerms) +
                      " are the most that a policy may have");
  }
  std::set<std::string> names;
  for (std::size_t i = 0; i < policy.terms.size(); ++i) {
    const TermSettings& term = policy.terms[i];
    const SettingRules here = rules.at({i});
    if (!isName(term.name))
      here.add({"name"}, kNameRule);
    else if (!names.insert(term.name).second)
      here.add({"name"}, "'" + term.name + "' is there twice in this policy");
    checkMatch(term.match, book, here.at({"match"}));
    checkSet(term, here.at({"set"}));
  }
}

bool isBuiltIn(const std::string& name) {
  return name == kAcceptAll || name == kDenyAll;
}

}  // namespace

bool hasPolicy(const PolicyBook& book, const std::string& name) {
  return isBuiltIn(name) || book.policies.contains(name);
}

std::vector<SettingProblem> findProblems(const PolicyBook& book) {
  std::vector<SettingProblem> found;
  for (const auto& [name, ranges] : book.prefix_lists) {
    const SettingRules here({"prefix_lists", name}, found);
    here.rule(!isName(name), {}, kNameRule);
    checkList(ranges, here);
  }
  for (const auto& [name, policy] : book.policies) {
    const SettingRules here({"policies", name}, found);
    here.rule(!isName(name), {}, kNameRule);
    here.rule(isBuiltIn(name), {}, "is there without being written down, and stays as it is");
    checkPolicy(policy, book, here);
  }
  return found;
}

}  // namespace poplink::host::bgp
