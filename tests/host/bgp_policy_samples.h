// SPDX-License-Identifier: Apache-2.0
// A book with everything that a policy can say.
#pragma once

#include "policy.h"

namespace poplink::host::bgp {

/// Expressions that take long, or much of the stack, where matching goes back and forth.
inline constexpr const char* kHardExpressions[] = {"^((1+)+ )+$", "^(1|11|111)*$", "^([0-9]+_?)*x$", "_x$",
                                                   "^(.*)*x",     "(1*)*(1*)*x",   "(1.{50}){10}x"};

/// Every way to match and to set, most of them in terms that say `next`.
inline PolicyBook bookOfEverything() {
  constexpr Community kMark{0xFC58'0009};
  const AnyCommunity standard = Community{0xFC58'0001}, large = LargeCommunity{64600, 1, 2},
                     target = ExtendedCommunity{{0, 2, 0xFC, 0x58, 0, 0, 0, 7}};
  PolicyBook book;
  book.prefix_lists["some"] = {
      {Prefix4{0xC6336400, 24}, 25, 32, true}, {Prefix4{0xC6000000, 8}, 8, 32}, {Prefix6{{0x20, 0x01}, 16}, 16, 48}};
  std::vector<TermSettings>& terms = book.policies["everything"].terms;
  const auto next = [&terms](MatchSettings match, SetSettings set) {
    terms.push_back({"next" + std::to_string(terms.size()), std::move(match), std::move(set), TermEnd::next});
  };
  next({.all_of = {standard}}, {.local_pref = 50, .add = {kMark, large}});
  next({.any_of = {large, target}}, {.med = 10, .remove = {standard, target}});
  next({.all_of = {kMark}, .origin = Origin::igp}, {.origin = Origin::egp});
  next({.origin = Origin::egp}, {.remove_med = true, .prepend = 3, .add = {standard}});
  next({.prefix_list = "some"}, {.add = {target}});
  next({.origin_as = 65010}, {.remove_all_communities = true});
  next({.neighbor_as = 65010}, {.remove_all_communities = true, .add = {standard, large, target}});
  next({.path_length_min = 2, .path_length_max = 4}, {.remove = {kMark, large}, .origin = Origin::incomplete});
  next({.family = kIpv6Unicast}, {.prepend = kMostPrepended});
  for (const char* expression : kHardExpressions) next({.as_path = expression}, {.local_pref = 1});
  terms.push_back({"no", {.all_of = {standard}, .as_path = "_65020$"}, {}, TermEnd::reject});
  terms.push_back({"yes", {}, {.med = 5}, TermEnd::accept});
  return book;
}

}  // namespace poplink::host::bgp
