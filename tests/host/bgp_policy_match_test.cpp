// SPDX-License-Identifier: Apache-2.0
// Which terms match which routes, and what then.
#include <gmock/gmock.h>

#include "bgp_policy_lab.h"

namespace poplink::host::bgp {
namespace {

/// Whether a term with only this matches.
bool matches(const MatchSettings& match, const RouteParts& route) {
  const Verdict verdict = judge(policyOf({term("one", match)}), route.canonical());
  EXPECT_EQ(verdict, verdict.accept ? (Verdict{true, 1, 0}) : Verdict{});
  return verdict.accept;
}

TEST(PolicyMatch, nothing_said_takes_any_route) {
  EXPECT_TRUE(matches({}, {}));
  EXPECT_TRUE(matches({}, {.path = {}}));
}

TEST(PolicyMatch, all_communities_or_any) {
  const RouteParts route{.communities = communities({"64600:1", "64600:2", "64600:1:2", "rt:64600:7"})};
  EXPECT_TRUE(matches({.all_of = communities({"64600:2", "64600:1:2", "rt:64600:7"})}, route));
  EXPECT_FALSE(matches({.all_of = communities({"64600:2", "64600:3"})}, route));
  EXPECT_TRUE(matches({.any_of = communities({"64600:3", "64600:2"})}, route));
  EXPECT_FALSE(matches({.any_of = communities({"64600:3", "64600:1:1", "rt:64600:8", "soo:64600:7"})}, route));
  EXPECT_TRUE(matches({.all_of = communities({"64600:1"}), .any_of = communities({"64600:2"})}, route));
  EXPECT_FALSE(matches({.all_of = communities({"64600:1"}), .any_of = communities({"64600:3"})}, route));
  EXPECT_FALSE(matches({.all_of = communities({"64600:3"}), .any_of = communities({"64600:1"})}, route));
  for (const char* one : {"64600:1", "64600:1:2", "rt:64600:7"})
    EXPECT_FALSE(matches({.any_of = communities({one})}, {})) << one << " of a route without communities";
}

TEST(PolicyMatch, communities_are_compared_as_wholes) {
  const RouteParts route{.communities = communities({"1:2", "3:4", "0:1:2", "3:4:5"})};
  EXPECT_FALSE(matches({.any_of = communities({"2:3"})}, route));
  EXPECT_FALSE(matches({.any_of = communities({"1:2:3", "2:3:4"})}, route));
}

TEST(PolicyMatch, the_path) {
  EXPECT_TRUE(matches({.as_path = "^65010_"}, {}));
  EXPECT_FALSE(matches({.as_path = "^65020_"}, {}));
  EXPECT_TRUE(matches({.as_path = "^$"}, {.path = {}}));
  EXPECT_TRUE(matches({.neighbor_as = 65010}, {}));
  EXPECT_FALSE(matches({.neighbor_as = 65020}, {}));
  EXPECT_FALSE(matches({.neighbor_as = 65010}, {.path = {}}));
  EXPECT_TRUE(matches({.origin_as = 65020}, {}));
  EXPECT_FALSE(matches({.origin_as = 65010}, {}));
  EXPECT_TRUE(matches({.path_length_min = 2, .path_length_max = 2}, {}));
  EXPECT_FALSE(matches({.path_length_min = 3}, {}));
  EXPECT_FALSE(matches({.path_length_max = 1}, {}));
  EXPECT_TRUE(matches({.path_length_max = 0}, {.path = {}}));
}

TEST(PolicyMatch, the_origin) {
  for (const Origin asked : {Origin::igp, Origin::egp, Origin::incomplete})
    for (const Origin origin : {Origin::igp, Origin::egp, Origin::incomplete})
      EXPECT_EQ(matches({.origin = asked}, {.origin = origin}), asked == origin);
}

TEST(PolicyMatch, the_family) {
  const Bytes route = RouteParts{}.canonical();
  const Policy policy = policyOf({term("six", {.family = kIpv6Unicast})});
  EXPECT_FALSE(policy.judge(Prefix4{}, readFacts(route)).accept);
  EXPECT_TRUE(policy.judge(Prefix6{}, readFacts(route)).accept);
  EXPECT_FALSE(policy.dependsOnPrefix()) << "but on its family";
}

TEST(PolicyMatch, the_prefix) {
  const PrefixLists lists{
      {"ten", std::make_shared<const PrefixList>(PrefixListSettings{{Prefix4{0x0A000000, 8}, 8, 24}})}};
  const Policy policy({{term("ten", {.prefix_list = "ten"})}}, lists);
  EXPECT_TRUE(policy.dependsOnPrefix());
  const Bytes route = RouteParts{}.canonical();
  EXPECT_TRUE(policy.judge(Prefix4{0x0A010000, 16}, readFacts(route)).accept);
  EXPECT_FALSE(policy.judge(Prefix4{0x0A010000, 25}, readFacts(route)).accept);
  EXPECT_FALSE(policy.judge(Prefix6{}, readFacts(route)).accept);
}

TEST(PolicyMatch, all_of_it_must_hold) {
  const PrefixLists lists{{"any", std::make_shared<const PrefixList>(PrefixListSettings{{Prefix4{}, 0, 32}})},
                          {"none", std::make_shared<const PrefixList>(PrefixListSettings{})}};
  const MatchSettings all{.prefix_list = "any",
                          .all_of = communities({"64600:1"}),
                          .any_of = communities({"64600:1"}),
                          .as_path = "65010",
                          .origin_as = 65020,
                          .neighbor_as = 65010,
                          .path_length_min = 1,
                          .path_length_max = 3,
                          .origin = Origin::igp,
                          .family = kIpv4Unicast};
  const Bytes route = RouteParts{.communities = communities({"64600:1"})}.canonical();
  const auto accepts = [&](auto&& change) {
    MatchSettings match = all;
    change(match);
    return Policy({{term("all", match)}}, lists).judge(kSomePrefix, readFacts(route)).accept;
  };
  EXPECT_TRUE(accepts([](MatchSettings&) {}));
  EXPECT_FALSE(accepts([](MatchSettings& match) { match.prefix_list = "none"; }));
  EXPECT_FALSE(accepts([](MatchSettings& match) { match.all_of = communities({"1:1"}); }));
  EXPECT_FALSE(accepts([](MatchSettings& match) { match.any_of = communities({"1:1"}); }));
  EXPECT_FALSE(accepts([](MatchSettings& match) { match.as_path = "65030"; }));
  EXPECT_FALSE(accepts([](MatchSettings& match) { match.origin_as = 65010; }));
  EXPECT_FALSE(accepts([](MatchSettings& match) { match.neighbor_as = 65020; }));
  EXPECT_FALSE(accepts([](MatchSettings& match) { match.path_length_min = 3; }));
  EXPECT_FALSE(accepts([](MatchSettings& match) { match.path_length_max = 1; }));
  EXPECT_FALSE(accepts([](MatchSettings& match) { match.origin = Origin::egp; }));
  EXPECT_FALSE(accepts([](MatchSettings& match) { match.family = kIpv6Unicast; }));
}

TEST(PolicyVerdict, the_first_term_that_matches_decides) {
  const Policy policy =
      policyOf({term("other", {.neighbor_as = 1}), term("no", {}, {}, TermEnd::reject), term("yes", {})});
  EXPECT_EQ(judge(policy, RouteParts{}.canonical()), (Verdict{false, 0, 1}));
  EXPECT_EQ(judge(policy, RouteParts{.path = {1}}.canonical()), (Verdict{true, 1, 0}));
}

TEST(PolicyVerdict, what_no_term_decides_on_is_refused) {
  EXPECT_EQ(judge(policyOf({}), RouteParts{}.canonical()), Verdict{});
  EXPECT_EQ(judge(policyOf({term("next", {}, {.med = 1}, TermEnd::next)}), RouteParts{}.canonical()),
            (Verdict{false, 1, -1}));
}

TEST(PolicyVerdict, terms_that_say_next_are_in_it) {
  const Policy policy = policyOf({term("a", {}, {.med = 1}, TermEnd::next), term("b", {.neighbor_as = 1}),
                                  term("c", {}, {}, TermEnd::next), term("d", {.neighbor_as = 65010})});
  EXPECT_EQ(judge(policy, RouteParts{}.canonical()), (Verdict{true, 0b1101, 3}));
}

TEST(PolicyVerdict, every_one_of_the_most_terms_can_decide) {
  std::vector<TermSettings> terms;
  for (Asn asn = 1; asn <= kMaxTerms; ++asn) terms.push_back(term("one", {.neighbor_as = asn}, {.med = asn}));
  const Policy policy = policyOf(terms);
  for (Asn asn = 1; asn <= kMaxTerms; ++asn)
    EXPECT_EQ(judge(policy, RouteParts{.path = {asn}}.canonical()),
              (Verdict{true, std::uint64_t{1} << (asn - 1), static_cast<int>(asn - 1)}));
}

TEST(PolicyNext, communities_that_were_added_match) {
  const TermSettings asking = term("asking", {.all_of = communities({"64600:9"})});
  const TermSettings adding = term("adding", {.neighbor_as = 65010}, {.add = communities({"64600:9"})}, TermEnd::next);
  const Policy policy = policyOf({adding, asking});
  EXPECT_EQ(judge(policy, RouteParts{}.canonical()), (Verdict{true, 0b11, 1}));
  EXPECT_EQ(judge(policy, RouteParts{.path = {1}}.canonical()), Verdict{}) << "nothing was added";
  EXPECT_EQ(judge(policyOf({asking, adding}), RouteParts{}.canonical()), (Verdict{false, 0b10, -1})) << "too late";
}

TEST(PolicyNext, communities_that_were_removed_do_not) {
  const MatchSettings asking{.any_of = communities({"64600:1", "64600:1:1"})};
  const RouteParts route{.communities = communities({"64600:1", "64600:1:1"})};
  const auto accepts = [&](SetSettings set) {
    return judge(policyOf({term("set", {}, std::move(set), TermEnd::next), term("ask", asking)}), route.canonical())
        .accept;
  };
  EXPECT_TRUE(accepts({}));
  EXPECT_TRUE(accepts({.remove = communities({"64600:1"})}));
  EXPECT_FALSE(accepts({.remove = communities({"64600:1", "64600:1:1"})}));
  EXPECT_FALSE(accepts({.remove_all_communities = true}));
  EXPECT_TRUE(accepts({.remove_all_communities = true, .add = communities({"64600:1"})}));
  EXPECT_TRUE(accepts({.remove = communities({"64600:1", "64600:1:1"}), .add = communities({"64600:1"})}));
}

TEST(PolicyNext, the_last_of_several_terms_counts) {
  const auto add = term("add", {.origin = Origin::igp}, {.add = communities({"1:1"})}, TermEnd::next);
  const auto drop = term("drop", {.neighbor_as = 65010}, {.remove = communities({"1:1"})}, TermEnd::next);
  const auto ask = term("ask", {.all_of = communities({"1:1"})});
  const Policy dropping = policyOf({add, drop, ask}), adding = policyOf({drop, add, ask});
  EXPECT_FALSE(judge(dropping, RouteParts{}.canonical()).accept);
  EXPECT_TRUE(judge(dropping, RouteParts{.path = {1}}.canonical()).accept) << "drop did not match";
  EXPECT_TRUE(judge(adding, RouteParts{}.canonical()).accept);
  EXPECT_FALSE(judge(adding, RouteParts{.origin = Origin::egp}.canonical()).accept) << "add did not match";
}

TEST(PolicyNext, the_origin_that_was_set_matches) {
  const auto egp = term("egp", {.neighbor_as = 65010}, {.origin = Origin::egp}, TermEnd::next);
  const auto incomplete = term("incomplete", {.origin = Origin::egp}, {.origin = Origin::incomplete}, TermEnd::next);
  const Policy policy = policyOf({egp, incomplete, term("ask", {.origin = Origin::incomplete})});
  EXPECT_EQ(judge(policy, RouteParts{}.canonical()), (Verdict{true, 0b111, 2}));
  EXPECT_EQ(judge(policy, RouteParts{.path = {1}}.canonical()), Verdict{});
}

TEST(PolicyNext, the_path_is_the_one_that_came) {
  const auto longer = term("longer", {}, {.prepend = 5}, TermEnd::next);
  EXPECT_TRUE(judge(policyOf({longer, term("ask", {.path_length_max = 2})}), RouteParts{}.canonical()).accept);
  EXPECT_TRUE(judge(policyOf({longer, term("ask", {.as_path = "^65010_65020$"})}), RouteParts{}.canonical()).accept);
}

/// A memo holds what does not depend on the prefix only.
TEST(PolicyMemo, prefixes_of_the_same_attributes_are_judged_each_by_itself) {
  const PrefixLists lists{
      {"ten", std::make_shared<const PrefixList>(PrefixListSettings{{Prefix4{0x0A000000, 8}, 8, 24}})}};
  const Policy policy({{term("mark", {.prefix_list = "ten"}, {.add = communities({"1:1"})}, TermEnd::next),
                        term("path", {.all_of = communities({"1:1"}), .as_path = "65010"}),
                        term("six", {.as_path = "65020", .family = kIpv6Unicast}),
                        term("no", {.as_path = "65020"}, {}, TermEnd::reject)}},
                      lists);
  const Bytes route = RouteParts{}.canonical();
  const PathFacts facts = readFacts(route);
  Policy::Memo memo;
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(policy.judge(Prefix4{0x0A010000, 16}, facts, memo), (Verdict{true, 0b11, 1}));
    EXPECT_EQ(policy.judge(Prefix4{0x0B010000, 16}, facts, memo), (Verdict{false, 0, 3}));
    EXPECT_EQ(policy.judge(Prefix6{}, facts, memo), (Verdict{true, 0b100, 2}));
  }
}

TEST(Policies, are_found_by_name) {
  PolicyBook book;
  book.prefix_lists["ten"] = {{Prefix4{0x0A000000, 8}, 8, 24}};
  book.policies["customers"] = {{term("ten", {.prefix_list = "ten"})}};
  const Policies policies(book);
  const Bytes route = RouteParts{}.canonical();
  const auto verdict = [&](const char* name) { return policies.find(name)->judge(kSomePrefix, readFacts(route)); };
  EXPECT_EQ(verdict(kAcceptAll), (Verdict{true, 1, 0}));
  EXPECT_EQ(verdict(kDenyAll), Verdict{});
  EXPECT_EQ(verdict("customers"), Verdict{});
  EXPECT_EQ(policies.find("customers")->settings(), book.policies["customers"]);
  EXPECT_FALSE(policies.find(kAcceptAll)->changes(1));
  EXPECT_EQ(policies.find("Customers"), nullptr);
  EXPECT_EQ(policies.find(""), nullptr);
}

}  // namespace
}  // namespace poplink::host::bgp
