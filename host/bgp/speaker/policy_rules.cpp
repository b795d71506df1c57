// SPDX-License-Identifier: Apache-2.0
#include "policy_rules.h"

#include <regex.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>
#include <tuple>

namespace poplink::host::bgp {

namespace {

constexpr std::size_t kLongestName = 64;

unsigned lengthOf(const PrefixRange& range) {
  return std::visit([](const auto& prefix) { return unsigned{prefix.length}; }, range.prefix);
}

void checkRange(const PrefixRange& range, const SettingRules& rules) {
  const unsigned longest = std::holds_alternative<Prefix4>(range.prefix) ? 32 : 128;
  if (range.from_bits < lengthOf(range))
    rules.add({"from"}, "must not be below the prefix's own length, " + std::to_string(lengthOf(range)));
  if (range.to_bits < range.from_bits) rules.add({"to"}, "must not be below from, " + std::to_string(range.from_bits));
  if (range.to_bits > longest) rules.add({"to"}, "must not exceed " + std::to_string(longest));
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

/// Whether it is a POSIX extended regular expression. `_` is an ordinary character there and a group when it is used,
/// both of which may stand wherever the other may.
bool isExpression(const std::string& text) {
  regex_t compiled{};
  if (::regcomp(&compiled, text.c_str(), REG_EXTENDED | REG_NOSUB) != 0) return false;
  ::regfree(&compiled);
  return true;
}

void checkTerm(const TermSettings& term, const PolicyBook& book, const SettingRules& rules) {
  const MatchSettings& match = term.match;
  if (match.prefix_list && !book.prefix_lists.contains(*match.prefix_list))
    rules.add({"match", "prefix_list"}, "there is no prefix list '" + *match.prefix_list + "'");
  if (match.as_path && !isExpression(*match.as_path))
    rules.add({"match", "as_path"}, "'" + *match.as_path + "' is no regular expression (POSIX, extended)");
  rules.rule(match.path_length_min && match.path_length_max && *match.path_length_max < *match.path_length_min,
             {"match", "path_length", "max"}, "must not be below min");
  rules.rule(term.set.med && term.set.remove_med, {"set", "med"}, "cannot be set and removed");
  if (term.set.prepend > kMostPrepended)
    rules.add({"set", "prepend"}, "must not exceed " + std::to_string(kMostPrepended));
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
    here.rule(!isName(term.name), {"name"}, kNameRule);
    if (!names.insert(term.name).second) here.add({"name"}, "'" + term.name + "' is there twice in this policy");
    checkTerm(term, book, here);
  }
}

}  // namespace

bool isName(const std::string& text) {
  const auto fits = [](unsigned char c) {
    return std::isalnum(c) || std::string_view("-._:").find(static_cast<char>(c)) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= kLongestName && std::ranges::all_of(text, fits);
}

bool hasPolicy(const PolicyBook& book, const std::string& name) {
  return name == kAcceptAll || name == kDenyAll || book.policies.contains(name);
}

void checkPolicies(const PolicyBook& book, const SettingRules& rules) {
  for (const auto& [name, ranges] : book.prefix_lists) {
    const SettingRules here = rules.at({"prefix_lists", name});
    here.rule(!isName(name), {}, kNameRule);
    checkList(ranges, here);
  }
  for (const auto& [name, policy] : book.policies) {
    const SettingRules here = rules.at({"policies", name});
    here.rule(!isName(name), {}, kNameRule);
    here.rule(name == kAcceptAll || name == kDenyAll, {}, "is there without being written down, and stays as it is");
    checkPolicy(policy, book, here);
  }
}

}  // namespace poplink::host::bgp
