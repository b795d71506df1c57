// SPDX-License-Identifier: Apache-2.0
// Bucket allocation: exact shares, fewest changes, stand-ins by weight; properties over random groups.
#include "buckets.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace poplink::host {
namespace {

std::map<Member, std::size_t> count(const std::vector<Bucket>& buckets, Member Bucket::* place) {
  std::map<Member, std::size_t> counts;
  for (const Bucket& bucket : buckets) ++counts[bucket.*place];
  return counts;
}

Weights randomWeights(std::mt19937_64& random, std::size_t members) {
  Weights weights;
  while (weights.size() < members)
    weights[static_cast<Member>(random() % 16)] = static_cast<std::uint32_t>(1 + random() % 40);
  return weights;
}

std::uint64_t sumOf(const Weights& weights) {
  std::uint64_t sum = 0;
  for (const auto& [member, weight] : weights) sum += weight;
  return sum;
}

TEST(Split, is_exact_and_ties_go_to_the_lower_member) {
  EXPECT_EQ(split(64, {{1, 1}, {2, 1}}), (std::map<Member, std::size_t>{{1, 32}, {2, 32}}));
  EXPECT_EQ(split(64, {{1, 10}, {2, 1}}), (std::map<Member, std::size_t>{{1, 58}, {2, 6}}));
  EXPECT_EQ(split(64, {{3, 1}, {5, 1}, {7, 1}}), (std::map<Member, std::size_t>{{3, 22}, {5, 21}, {7, 21}}));
  EXPECT_THROW(split(64, {}), std::invalid_argument);
  EXPECT_THROW(split(64, {{1, 0}}), std::invalid_argument);
}

TEST(Split, every_share_is_its_quota_rounded_up_or_down) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    const Weights weights = randomWeights(random, 1 + random() % 16);
    const std::size_t total = std::size_t{64} << random() % 7;
    std::size_t sum = 0;
    for (const auto& [member, share] : split(total, weights)) {
      const std::uint64_t exact = total * weights.at(member);
      EXPECT_GE(share, exact / sumOf(weights));
      EXPECT_LE(share, (exact + sumOf(weights) - 1) / sumOf(weights));
      sum += share;
    }
    EXPECT_EQ(sum, total);
  }
}

TEST(Allocate, gives_exact_shares_and_changes_as_little_as_possible) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 500; ++round) {
    const std::size_t size = std::size_t{64} << random() % 5;
    const std::vector<Bucket> before = allocate(size, randomWeights(random, 1 + random() % 16));
    const Weights weights = randomWeights(random, 1 + random() % 16);
    const std::vector<Bucket> after = allocate(size, weights, before);
    const auto want = split(size, weights);
    for (const auto& [member, share] : count(after, &Bucket::first)) EXPECT_EQ(share, want.at(member));
    // What must change: everything a member had beyond its new share.
    std::size_t must = 0, changed = 0;
    for (const auto& [member, had] : count(before, &Bucket::first)) {
      const auto found = want.find(member);
      const std::size_t keeps = found == want.end() ? 0 : found->second;
      must += had > keeps ? had - keeps : 0;
    }
    for (std::size_t i = 0; i < size; ++i) changed += before[i].first != after[i].first;
    EXPECT_EQ(changed, must);
  }
}

TEST(Allocate, of_the_same_weights_again_changes_nothing) {
  const Weights weights = {{0, 10}, {3, 10}, {6, 1}};
  const std::vector<Bucket> table = allocate(256, weights);
  EXPECT_EQ(allocate(256, weights, table), table);
  EXPECT_EQ(allocate(256, weights), table);
  EXPECT_THROW(allocate(512, weights, table), std::invalid_argument);
}

TEST(Allocate, stand_ins_are_others_and_spread_a_dead_members_share_by_weight) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 300; ++round) {
    const Weights weights = randomWeights(random, 3 + random() % 14);
    const std::vector<Bucket> table = allocate(1024, weights);
    for (const auto& [dead, weight] : weights) {
      std::map<Member, std::size_t> takes_over;
      std::size_t had = 0;
      for (const Bucket& bucket : table) {
        ASSERT_NE(bucket.first, bucket.second);
        ASSERT_NE(bucket.first, bucket.third);
        ASSERT_NE(bucket.second, bucket.third);
        if (bucket.first != dead) continue;
        ++takes_over[bucket.second];
        ++had;
      }
      for (const auto& [member, share] : weights) {
        if (member == dead) continue;
        const double exact = static_cast<double>(had) * share / static_cast<double>(sumOf(weights) - weight);
        EXPECT_LT(std::abs(static_cast<double>(takes_over[member]) - exact), 1.0);
      }
    }
  }
}

TEST(Allocate, one_or_two_members_stand_in_for_themselves) {
  for (const Bucket& bucket : allocate(64, {{4, 1}})) EXPECT_EQ(bucket, (Bucket{4, 4, 4}));
  for (const Bucket& bucket : allocate(64, {{4, 1}, {5, 1}})) {
    EXPECT_EQ(bucket.second, bucket.first == 4 ? 5 : 4);
    EXPECT_EQ(bucket.third, bucket.first);
  }
}

TEST(Allocate, neighbours_get_different_members) {
  const std::vector<Bucket> table = allocate(64, {{1, 1}, {2, 1}, {3, 1}, {4, 1}});
  for (std::size_t i = 1; i < table.size(); ++i) EXPECT_NE(table[i].first, table[i - 1].first);
}

}  // namespace
}  // namespace poplink::host
