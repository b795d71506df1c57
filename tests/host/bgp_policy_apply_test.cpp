// SPDX-License-Identifier: Apache-2.0
// What terms set, octet by octet.
#include <gmock/gmock.h>

#include "bgp_policy_lab.h"

namespace poplink::host::bgp {
namespace {

/// ORIGIN IGP, AS_PATH 65010 65020.
const char* const kPath = "40 02 0a 0202 0000fdf2 0000fdfc";

Bytes applied(const SetSettings& set, const Bytes& canonical, Asn own = 0) {
  const Policy policy = policyOf({term("one", {}, set)});
  EXPECT_EQ(policy.changes(1), set != SetSettings{});
  return policy.apply(canonical, 1, own);
}

Bytes routeOf(const char* behind_path) {
  return fromHex(std::string("40 01 01 00") + kPath + behind_path);
}

TEST(PolicyApply, nothing_said_changes_nothing) {
  const Bytes route = routeOf("80 04 04 00000005 c0 08 04 fc580001 e0 63 01 07");
  EXPECT_EQ(applied({}, route, 64600), route);
  EXPECT_FALSE(policyOf({term("one", {})}).changes(1));
}

TEST(PolicyApply, local_pref) {
  EXPECT_EQ(applied({.local_pref = 50}, routeOf("")), routeOf("40 05 04 00000032"));
  EXPECT_EQ(applied({.local_pref = 0xffffffff}, routeOf("40 05 04 00000032")), routeOf("40 05 04 ffffffff"));
}

TEST(PolicyApply, med) {
  EXPECT_EQ(applied({.med = 10}, routeOf("")), routeOf("80 04 04 0000000a"));
  EXPECT_EQ(applied({.med = 0}, routeOf("80 04 04 0000000a")), routeOf("80 04 04 00000000"));
  EXPECT_EQ(applied({.remove_med = true}, routeOf("80 04 04 0000000a")), routeOf(""));
  EXPECT_EQ(applied({.remove_med = true}, routeOf("")), routeOf(""));
}

TEST(PolicyApply, origin) {
  EXPECT_EQ(applied({.origin = Origin::incomplete}, routeOf("")), fromHex(std::string("40 01 01 02") + kPath));
}

TEST(PolicyApply, communities_are_added_behind_those_that_are_there) {
  EXPECT_EQ(applied({.add = communities({"64600:1", "no-export"})}, routeOf("c0 08 08 fc580009 fc580001")),
            routeOf("c0 08 0c fc580009 fc580001 ffffff01"));
  EXPECT_EQ(applied({.add = communities({"1:2", "1:1", "1:2"})}, routeOf("")), routeOf("c0 08 08 00010002 00010001"));
}

TEST(PolicyApply, communities_of_each_kind_have_their_attribute) {
  EXPECT_EQ(applied({.add = communities({"64600:1:2", "rt:64600:7", "64600:1"})}, routeOf("")),
            routeOf("c0 08 04 fc580001 c0 10 08 0002fc5800000007 c0 20 0c 0000fc58 00000001 00000002"));
}

TEST(PolicyApply, communities_are_removed_and_with_the_last_one_the_attribute) {
  const char* three = "c0 08 0c fc580001 fc580002 fc580001";
  EXPECT_EQ(applied({.remove = communities({"64600:1"})}, routeOf(three)), routeOf("c0 08 04 fc580002"));
  EXPECT_EQ(applied({.remove = communities({"64600:2", "64600:3"})}, routeOf(three)),
            routeOf("c0 08 08 fc580001 fc580001"));
  EXPECT_EQ(applied({.remove = communities({"64600:1", "64600:2"})}, routeOf(three)), routeOf(""));
  EXPECT_EQ(applied({.remove = communities({"rt:64600:7"})}, routeOf("c0 10 10 0002fc5800000007 0003fc5800000007")),
            routeOf("c0 10 08 0003fc5800000007"));
  EXPECT_EQ(applied({.remove = communities({"1:2:3"})}, routeOf("c0 20 0c 000000010000000200000003")), routeOf(""));
}

TEST(PolicyApply, all_communities_are_removed_before_some_are_added) {
  const Bytes route =
      routeOf("c0 08 04 fc580001 c0 10 08 0002fc5800000007 c0 20 0c 0000fc58 00000001 00000002 e0 63 01 07");
  EXPECT_EQ(applied({.remove_all_communities = true}, route), routeOf("e0 63 01 07"));
  EXPECT_EQ(applied({.remove_all_communities = true, .add = communities({"64600:1"})}, route),
            routeOf("c0 08 04 fc580001 e0 63 01 07"));
  EXPECT_EQ(applied({.remove = communities({"64600:1"}), .add = communities({"64600:1"})}, routeOf("")),
            routeOf("c0 08 04 fc580001"));
}

TEST(PolicyApply, partial_stays) {
  EXPECT_EQ(applied({.add = communities({"64600:2"})}, routeOf("e0 08 04 fc580001")),
            routeOf("e0 08 08 fc580001 fc580002"));
  EXPECT_EQ(applied({.local_pref = 1}, routeOf("e0 08 04 fc580001")), routeOf("40 05 04 00000001 e0 08 04 fc580001"));
}

TEST(PolicyApply, prepending_is_for_apply_or_for_the_caller) {
  const SetSettings twice{.prepend = 2};
  EXPECT_EQ(applied(twice, routeOf("")), routeOf(""));
  EXPECT_EQ(applied(twice, routeOf(""), 64600),
            fromHex("40 01 01 00 40 02 12 0204 0000fc58 0000fc58 0000fdf2 0000fdfc"));
  EXPECT_EQ(policyOf({term("one", {}, twice)}).prepend(1), 2);
  EXPECT_EQ(policyOf({term("one", {}, twice)}).prepend(0), 0);
}

TEST(PolicyApply, prepending_adds_up_to_255) {
  const Policy policy = policyOf({term("a", {}, {.prepend = 100}, TermEnd::next),
                                  term("b", {}, {.prepend = 100}, TermEnd::next), term("c", {}, {.prepend = 100})});
  EXPECT_EQ(policy.prepend(0b001), 100);
  EXPECT_EQ(policy.prepend(0b101), 200);
  EXPECT_EQ(policy.prepend(0b111), 255);
  EXPECT_EQ(readFacts(policy.apply(RouteParts{}.canonical(), 0b111, 64600)).path_length, 257u);
}

TEST(PolicyApply, later_terms_come_after_earlier_ones) {
  const Policy policy =
      policyOf({term("a", {}, {.local_pref = 1, .med = 1, .add = communities({"1:1", "1:2"}), .origin = Origin::egp}),
                term("b", {}, {.local_pref = 2, .remove_med = true, .remove = communities({"1:1"})}),
                term("c", {}, {.med = 3, .add = communities({"1:1"}), .origin = Origin::incomplete})});
  const Bytes route = RouteParts{}.canonical();
  const auto result = [&](std::uint64_t terms) { return policy.apply(route, terms, 0); };
  const auto expected = [](const RouteParts& parts) { return parts.canonical(); };
  EXPECT_EQ(result(0b011), expected({.communities = communities({"1:2"}), .origin = Origin::egp, .local_pref = 2}));
  EXPECT_EQ(
      result(0b101),
      expected({.communities = communities({"1:1", "1:2"}), .origin = Origin::incomplete, .med = 3, .local_pref = 1}));
  EXPECT_EQ(
      result(0b111),
      expected({.communities = communities({"1:2", "1:1"}), .origin = Origin::incomplete, .med = 3, .local_pref = 2}));
  EXPECT_EQ(result(0), route);
}

TEST(PolicyApply, each_thing_that_is_set_counts_as_a_change) {
  for (const SetSettings& set :
       {SetSettings{.local_pref = 0}, SetSettings{.med = 0}, SetSettings{.remove_med = true}, SetSettings{.prepend = 1},
        SetSettings{.remove = communities({"1:1"})}, SetSettings{.remove_all_communities = true},
        SetSettings{.add = communities({"1:1"})}, SetSettings{.origin = Origin::igp}}) {
    const Policy policy = policyOf({term("none", {}, {}, TermEnd::next), term("one", {}, set)});
    EXPECT_TRUE(policy.changes(0b10));
    EXPECT_TRUE(policy.changes(0b11));
    EXPECT_FALSE(policy.changes(0b01));
  }
}

TEST(PolicyApply, an_attribute_never_gets_longer_than_its_length_can_say) {
  std::vector<AnyCommunity> many(6000);
  for (std::uint32_t i = 0; i < many.size(); ++i) many[i] = LargeCommunity{1, 1, i};
  const Bytes changed = applied({.add = many}, RouteParts{}.canonical());
  const Octets list = readFacts(changed).large_communities;
  ASSERT_EQ(list.size(), 65532u);
  EXPECT_EQ(read32(list, 65528), 5460u);
}

}  // namespace
}  // namespace poplink::host::bgp
