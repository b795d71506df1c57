// SPDX-License-Identifier: Apache-2.0
// Adj-RIBs-In and Loc-RIB: single cases, then anything in any order beside a model.
#include <gtest/gtest.h>

#include <random>

#include "bgp_route_lab.h"

namespace poplink::host::bgp {
namespace {

using Lab = RouteLab<Prefix4>;

// Of labSet(): what a test wants of it. Sets 0 and 7 are refused by import policy 0, sets 1 and 8 changed.
constexpr unsigned kPlain = 2;       ///< two hops, LOCAL_PREF 100
constexpr unsigned kPreferred = 26;  ///< the same, LOCAL_PREF 101
constexpr unsigned kRefused = 7;

PeerIndex bestPeer(Lab& lab, unsigned prefix) {
  const PrefixId id = lab.table().find(labPrefix<Prefix4>(prefix));
  return id == kNoPrefix ? kNoPeer : lab.table().best(id).peer;
}

TEST(RouteTable, the_best_route_is_in_front_whoever_comes_first) {
  for (const bool better_first : {true, false}) {
    Lab lab;
    lab.put(better_first ? 1 : 2, 0, better_first ? kPreferred : kPlain);
    lab.put(better_first ? 2 : 1, 0, better_first ? kPlain : kPreferred);
    EXPECT_EQ(bestPeer(lab, 0), 1);
    EXPECT_EQ(lab.check(), "");
    lab.put(1, 0, kPlain);
    EXPECT_EQ(bestPeer(lab, 0), 2) << "by router id, now that their attributes are the same";
    lab.withdraw(2, 0);
    EXPECT_EQ(bestPeer(lab, 0), 1);
    lab.withdraw(1, 0);
    lab.withdraw(1, 0);
    EXPECT_EQ(bestPeer(lab, 0), kNoPeer);
    EXPECT_EQ(lab.check(), "");
    EXPECT_EQ(lab.table().prefixes(), 0U);
    EXPECT_EQ(lab.close(), "");
  }
}

TEST(RouteTable, a_refused_route_is_kept_and_never_taken) {
  Lab lab;
  lab.put(1, 0, kRefused);
  EXPECT_EQ(bestPeer(lab, 0), kNoPeer);
  EXPECT_EQ(lab.table().routes(1).paths, 1U);
  EXPECT_EQ(lab.table().routes(1).eligible, 0U);
  lab.put(2, 0, kPlain);
  lab.put(3, 0, kRefused);
  EXPECT_EQ(bestPeer(lab, 0), 2);
  lab.put(2, 0, kRefused);
  EXPECT_EQ(bestPeer(lab, 0), kNoPeer);
  EXPECT_EQ(lab.check(), "");
}

TEST(RouteTable, where_meds_compare_within_an_as_a_withdrawn_route_that_was_not_best_can_change_the_best) {
  // a's MED takes b out, then c is best for its router id; without a, b is.
  const std::vector<PathSource> sources = {{true, 0, 3, Ipv4{1}}, {true, 0, 1, Ipv4{2}}, {true, 0, 2, Ipv4{3}}};
  AttributeStore store(kLabHashKey);
  const auto set = [&](Asn neighbor, std::uint8_t med) {
    Bytes octets{0x40, 1, 1, 0, 0x40, 2, 6, 2, 1};
    put32(octets, neighbor);
    put(octets, Bytes{0x80, 4, 4, 0, 0, 0, med});
    const AttributesId id = store.intern(labNextHop(0), octets);
    store.hold(id);
    return Imported{id, id, Ineligible::none};
  };
  RouteTable<Prefix4> table(store, sources, kLabHashKey);
  table.configure({.compare_med = true});
  const auto prefix = labPrefix<Prefix4>(0);
  table.put(table.locate(0, prefix), 0, set(64512, 1), 0);
  table.put(table.locate(1, prefix), 1, set(64512, 2), 0);
  table.put(table.locate(2, prefix), 2, set(64513, 0), 0);
  EXPECT_EQ(table.best(table.find(prefix)).peer, 2);
  table.withdraw(0, prefix);
  EXPECT_EQ(table.best(table.find(prefix)).peer, 1);
  EXPECT_EQ(table.routes(1).best, 1U);
  EXPECT_EQ(table.routes(2).best, 0U);
}

TEST(RouteTable, a_peer_that_comes_back_during_a_sweep_keeps_its_new_routes) {
  Lab lab;
  for (unsigned prefix = 0; prefix < 100; ++prefix) lab.put(1, prefix, kPlain);
  lab.age(1);
  lab.sweep(1);
  lab.walk(30);
  EXPECT_FALSE(lab.table().swept(1));
  for (unsigned prefix = 0; prefix < 100; prefix += 2) lab.put(1, prefix, kPlain);
  lab.walkAll(7);
  EXPECT_TRUE(lab.table().swept(1));
  EXPECT_EQ(lab.table().routes(1).paths, 50U);
  EXPECT_EQ(lab.check(), "");
}

TEST(RouteTable, a_sweep_sees_all_old_routes_though_the_table_grows) {
  Lab lab;
  for (unsigned prefix = 0; prefix < 100; ++prefix) lab.put(1, prefix, kPlain);
  lab.reimport(1, 0);
  lab.walk(50);  // the next walk begins in the middle
  lab.walkAll(7);
  lab.walk(1);
  lab.reimport(1, 0);
  lab.walk(30);
  lab.age(1);
  lab.sweep(1);
  for (unsigned prefix = 100; prefix < 200; ++prefix) lab.put(2, prefix, kPlain);
  lab.walkAll(7);
  EXPECT_EQ(lab.table().routes(1).paths, 0U);
  EXPECT_EQ(lab.check(), "");
}

/// RFC 4724 section 4.2: a session that restarts a second time. What was stale before goes, what it said since stays.
TEST(RouteTable, routes_that_got_old_since_the_sweep_began_stay) {
  Lab lab;
  for (unsigned prefix = 0; prefix < 100; ++prefix) lab.put(1, prefix, kPlain);
  lab.age(1);
  for (unsigned prefix = 0; prefix < 100; prefix += 2) lab.put(1, prefix, kPlain);
  lab.sweep(1);
  lab.walk(10);
  lab.age(1);
  lab.walkAll(7);
  EXPECT_EQ(lab.table().routes(1).paths, 50U);
  EXPECT_EQ(lab.check(), "");
  lab.sweep(1);
  lab.walkAll(7);
  EXPECT_EQ(lab.table().routes(1).paths, 0U);
  EXPECT_EQ(lab.check(), "");
}

/// Generations begin anew in here, wherever in their row the three kinds of routes are.
template <class Prefix>
void manyRises(unsigned before) {
  RouteLab<Prefix> lab;
  const auto rise = [&](unsigned times) {
    for (; times != 0; --times) lab.age(1);
  };
  for (unsigned prefix = 0; prefix < 40; ++prefix) lab.put(1, prefix, kPlain);
  lab.put(2, 0, kPlain);
  rise(before);
  for (unsigned prefix = 20; prefix < 40; ++prefix) lab.put(1, prefix, kPlain);
  lab.sweep(1);
  lab.walk(5);  // 15 are doomed yet
  rise(1);
  for (unsigned prefix = 30; prefix < 40; ++prefix) lab.put(1, prefix, kPlain);
  rise(kLastGeneration + 1U - before);
  for (unsigned prefix = 35; prefix < 40; ++prefix) lab.put(1, prefix, kPlain);
  ASSERT_EQ(lab.check(), "");
  lab.walkAll(7);
  EXPECT_EQ(lab.table().routes(1).paths, 20U);
  ASSERT_EQ(lab.check(), "");
  lab.sweep(1);
  lab.walkAll(7);
  EXPECT_EQ(lab.table().routes(1).paths, 5U);
  EXPECT_EQ(lab.table().routes(2).paths, 1U);
  EXPECT_EQ(lab.check(), "");
}

TEST(RouteTable, thousands_of_rises_without_a_sweep_make_no_old_route_new) {
  for (const unsigned before : std::initializer_list<unsigned>{1, 255, 256, kLastGeneration - 1, kLastGeneration}) {
    SCOPED_TRACE(before);
    manyRises<Prefix4>(before);
    manyRises<Prefix6>(before);
  }
}

TEST(RouteTable, a_route_said_between_two_rises_is_as_old_as_the_others_however_many_there_are) {
  Lab lab;
  for (unsigned rise = 0; rise < kLastGeneration + 10; ++rise) {
    lab.put(1, rise % 50, kPlain);
    lab.age(1);
    if (rise % 100 == 0) {
      ASSERT_EQ(lab.check(), "") << rise;
    }
  }
  lab.put(1, 7, kPlain);
  lab.sweep(1);
  lab.walkAll(7);
  EXPECT_EQ(lab.table().routes(1).paths, 1U);
  EXPECT_EQ(lab.check(), "");
}

TEST(RouteTable, another_policy_refuses_what_was_taken_and_takes_what_was_refused) {
  Lab lab;
  lab.put(1, 0, kRefused);
  lab.put(1, 1, kPlain);
  lab.put(2, 1, kPlain);
  lab.age(1);
  lab.reimport(1, 5);  // refuses kPlain
  lab.walkAll(1);
  EXPECT_EQ(bestPeer(lab, 0), 1);
  EXPECT_EQ(bestPeer(lab, 1), 2);
  EXPECT_EQ(lab.check(), "") << "they are as old as they were";
}

TEST(RouteTable, a_number_serves_again_when_the_prefix_is_gone) {
  Lab lab;
  lab.put(1, 0, kPlain);
  const PrefixId id = lab.table().find(labPrefix<Prefix4>(0));
  lab.withdraw(1, 0);
  lab.put(1, 1, kPlain);
  EXPECT_EQ(lab.table().find(labPrefix<Prefix4>(1)), id);
}

TEST(RouteTable, a_prefix_located_and_left_is_gone_unless_it_has_routes) {
  Lab lab;
  lab.locateAndLeave(1, 0);
  EXPECT_EQ(lab.table().prefixes(), 0U);
  lab.put(1, 0, kPlain);
  lab.locateAndLeave(2, 0);
  EXPECT_EQ(lab.table().prefixes(), 1U);
  EXPECT_EQ(lab.check(), "");
}

TEST(RouteTable, a_table_that_goes_with_routes_in_it_leaves_no_set_behind) {
  Lab lab;
  for (unsigned set = 0; set < kLabSets; ++set) lab.put(set % 5, set / 2, set);
  EXPECT_EQ(lab.close(), "");
}

template <class Prefix>
void anything(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  RouteLab<Prefix> lab;
  unsigned space = 3;
  for (unsigned step = 0; step < 3000; ++step) {
    const auto peer = static_cast<PeerIndex>(random() % lab.kPeers);
    const auto prefix = static_cast<unsigned>(random() % space);
    // Half of the sets differ in neighbor AS and MED only, or MEDs would rarely matter.
    const auto number = static_cast<unsigned>(random() % 2 == 0 ? random() % kLabSets : 4 * (random() % 6));
    const auto what = random() % 40;
    if (what < 15) lab.put(peer, prefix, number);
    if (what >= 15 && what < 27) lab.withdraw(peer, prefix);
    if (what == 27) lab.age(peer);
    if (what == 28) lab.sweep(peer);
    if (what == 29) lab.reimport(peer, number);
    if (what == 30) lab.configure({number % 2 == 0, number % 3 == 0, 1 + number % 4});
    if (what == 31) lab.moveSource(peer, number % 2);
    if (what == 32) lab.locateAndLeave(peer, prefix);
    if (what == 33 && seed % 2 == 0) space = 10 + step / 20;
    if (what >= 34) lab.walk(random() % 12);
    ASSERT_EQ(lab.check(), "") << "seed " << seed << ", step " << step;
  }
  lab.walkAll(5);
  ASSERT_EQ(lab.check(), "") << "seed " << seed;
  ASSERT_EQ(lab.close(), "") << "seed " << seed;
}

TEST(RouteTable, is_like_its_model_whatever_happens_with_ipv4) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) anything<Prefix4>(seed);
}
TEST(RouteTable, is_like_its_model_whatever_happens_with_ipv6) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) anything<Prefix6>(seed);
}

}  // namespace
}  // namespace poplink::host::bgp
