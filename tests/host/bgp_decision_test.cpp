// SPDX-License-Identifier: Apache-2.0
// The decision process: each step by itself, their order, and that the order of the routes never matters.
#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "decision.h"

namespace poplink::host::bgp {
namespace {

Candidate route(RouterId id) {
  Candidate one;
  one.router_id = id;
  one.peer = Ipv4{0xC0000200 + id};
  one.facts.neighbor_as = 64512 + id;
  one.facts.path_length = 2;
  one.facts.med = 100;
  one.facts.origin = Origin::egp;
  one.igp_metric = 10;
  return one;
}

struct Step {
  const char* clause;
  LostBy why;
  void (*worsen)(Candidate&);
};

class DecisionStep : public testing::TestWithParam<Step> {};

/// In the order of the standard: what is worse at one step loses by it, though it is better at all that follow.
const Step kSteps[] = {
    {"RFC 4271 9.1.1", LostBy::local_pref, [](Candidate& one) { one.facts.local_pref = 99; }},
    {"RFC 4271 9.1.2.2 a", LostBy::path_length, [](Candidate& one) { one.facts.path_length = 3; }},
    {"RFC 4271 9.1.2.2 b", LostBy::origin, [](Candidate& one) { one.facts.origin = Origin::incomplete; }},
    {"RFC 4271 9.1.2.2 c", LostBy::med, [](Candidate& one) { one.facts.med = 101; }},
    {"RFC 4271 9.1.2.2 d", LostBy::external, [](Candidate& one) { one.external = false; }},
    {"RFC 4271 9.1.2.2 e", LostBy::igp_metric, [](Candidate& one) { one.igp_metric = 11; }},
    {"RFC 4271 9.1.2.2 f", LostBy::router_id, [](Candidate& one) { one.router_id += 100; }},
    {"RFC 4456 9", LostBy::cluster_list, [](Candidate& one) { one.facts.clusters = 1; }},
    {"RFC 4271 9.1.2.2 g", LostBy::peer_address, [](Candidate& one) { one.peer = Ipv4{0xFFFFFFFF}; }},
};

void improve(Candidate& one, LostBy behind) {
  if (behind < LostBy::path_length) one.facts.path_length = 1;
  if (behind < LostBy::origin) one.facts.origin = Origin::igp;
  if (behind < LostBy::med) one.facts.med = 1;
  if (behind < LostBy::igp_metric) one.igp_metric = 1;
  if (behind < LostBy::router_id) one.router_id = 1;
  if (behind < LostBy::peer_address) one.peer = Ipv4{1};
}

TEST_P(DecisionStep, comes_before_all_that_follow) {
  Candidate good = route(5), bad = route(5);
  good.facts.clusters = GetParam().why < LostBy::cluster_list ? 1 : 0;
  GetParam().worsen(bad);
  improve(bad, GetParam().why);
  const DecisionSettings settings{.compare_med = true};
  for (const bool first : {true, false}) {
    const Candidate pair[] = {first ? bad : good, first ? good : bad};
    const Decision decision = decide(pair, settings);
    EXPECT_EQ(decision.best, first ? 1U : 0U);
    EXPECT_EQ(decision.lost[first ? 0 : 1], GetParam().why) << words(decision.lost[first ? 0 : 1]);
    EXPECT_EQ(decision.lost[decision.best], LostBy::nothing);
  }
}

INSTANTIATE_TEST_SUITE_P(Rfc4271, DecisionStep, testing::ValuesIn(kSteps), [](const auto& info) {
  std::string name = info.param.clause;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
});

TEST(Decision, a_route_by_itself_is_taken) {
  const Candidate one[] = {route(1)};
  const Decision decision = decide(one, {});
  EXPECT_EQ(decision.best, 0U);
  EXPECT_EQ(decision.taken, std::vector<std::size_t>{0});
}

TEST(Decision, meds_are_ignored_unless_compared) {
  Candidate pair[] = {route(2), route(1)};
  pair[0].facts.neighbor_as = pair[1].facts.neighbor_as;
  pair[0].facts.med = 1;
  EXPECT_EQ(decide(pair, {}).best, 1U);
  EXPECT_EQ(decide(pair, {.compare_med = true}).best, 0U);
}

/// The known trap: A beats B by MED, B beats C, C beats A. In pairs the winner depends on the order.
TEST(Decision, meds_compare_only_within_a_neighbor_as_and_in_no_order) {
  Candidate a = route(3), b = route(1), c = route(2);
  a.facts.neighbor_as = b.facts.neighbor_as = 64512;
  c.facts.neighbor_as = 64513;
  a.facts.med = 1;
  b.facts.med = 2;
  c.facts.med = 0;
  std::vector<Candidate> all = {a, b, c};
  std::vector<std::size_t> order = {0, 1, 2};
  do {
    const std::vector<Candidate> list = {all[order[0]], all[order[1]], all[order[2]]};
    const Decision decision = decide(list, {.compare_med = true});
    EXPECT_EQ(list[decision.best].router_id, 2U) << "b is out by a's MED, then c has the lower router id";
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(decide(all, {.always_compare_med = true}).best, 2U);
}

TEST(Decision, originator_takes_the_place_of_the_router_id) {
  Candidate pair[] = {route(1), route(2)};
  pair[0].facts.originator_id = 9;
  EXPECT_EQ(decide(pair, {}).best, 1U);
}

TEST(Decision, multipath_takes_what_differs_in_nothing_that_matters) {
  std::vector<Candidate> all = {route(4), route(3), route(2), route(1)};
  all[1].igp_metric = 11;
  const Decision decision = decide(all, {.multipath = 4});
  EXPECT_EQ(decision.taken, (std::vector<std::size_t>{3, 0, 2}));
  EXPECT_EQ(decision.lost,
            (std::vector<LostBy>{LostBy::nothing, LostBy::igp_metric, LostBy::nothing, LostBy::nothing}));
  EXPECT_EQ(decide(all, {.multipath = 2}).taken, (std::vector<std::size_t>{3, 0}));
}

TEST(Decision, the_order_of_the_routes_never_matters) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 3000; ++round) {
    std::vector<Candidate> all(2 + random() % 5);
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] = route(static_cast<RouterId>(1 + i));
      all[i].facts.local_pref = 100 + static_cast<std::uint32_t>(random() % 2);
      all[i].facts.path_length = static_cast<std::uint32_t>(random() % 2);
      all[i].facts.med = static_cast<std::uint32_t>(random() % 3);
      all[i].facts.neighbor_as = static_cast<Asn>(random() % 2);
      all[i].external = random() % 2 == 0;
      all[i].igp_metric = static_cast<std::uint32_t>(random() % 2);
    }
    const DecisionSettings settings{random() % 2 == 0, false, 1};
    const Decision before = decide(all, settings);
    const RouterId best = all[before.best].router_id;
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(before.lost[i] == LostBy::nothing, i == before.best);
    std::shuffle(all.begin(), all.end(), random);
    EXPECT_EQ(all[decide(all, settings).best].router_id, best) << round;
  }
}

}  // namespace
}  // namespace poplink::host::bgp
