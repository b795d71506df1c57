// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "bgp_hash_lab.h"
#include "prefix_table.h"

namespace poplink::host::bgp {
namespace {

Prefix4 random4(std::mt19937_64& random) {
  const auto length = static_cast<std::uint8_t>(random() % 33);
  const std::uint32_t mask = length == 0 ? 0 : 0xFFFF'FFFFU << (32 - length);
  return {static_cast<std::uint32_t>(random()) & mask & 0xFF03'0007, length};
}

Prefix6 random6(std::mt19937_64& random) {
  Prefix6 prefix;
  prefix.address[0] = static_cast<std::uint8_t>(random());
  prefix.address[15] = static_cast<std::uint8_t>(random() % 4);
  prefix.length = static_cast<std::uint8_t>(random() % 129);
  return prefix;
}

template <class Prefix, class Random>
void likeAMap(Random make) {
  std::mt19937_64 random(1);
  PrefixTable<Prefix> table(kLabHashKey);
  std::map<Prefix, PrefixId> map;
  for (int step = 0; step < 200'000; ++step) {
    const Prefix prefix = make(random);
    const auto known = map.find(prefix);
    EXPECT_EQ(table.find(prefix), known == map.end() ? kNoPrefix : known->second);
    if (random() % 5 < (step / 20'000 % 2 == 0 ? 3U : 2U)) {
      const PrefixId id = table.insert(prefix);
      if (known != map.end()) {
        ASSERT_EQ(id, known->second);
      } else {
        if (step < 2000) {
          for (const auto& [other, number] : map) ASSERT_NE(number, id);
        }
        map.emplace(prefix, id);
      }
      ASSERT_EQ(table.prefix(id), prefix);
      ASSERT_LT(id, table.bound());
    } else if (known != map.end()) {
      table.erase(known->second);
      map.erase(known);
    }
    ASSERT_EQ(table.size(), map.size());
  }
  for (const auto& [prefix, id] : map) EXPECT_EQ(table.find(prefix), id);
}

TEST(PrefixTable, ipv4_is_like_a_map) {
  likeAMap<Prefix4>(random4);
}

TEST(PrefixTable, ipv6_is_like_a_map) {
  likeAMap<Prefix6>(random6);
}

TEST(PrefixTable, numbers_are_used_again) {
  PrefixTable<Prefix4> table(kLabHashKey);
  const PrefixId first = table.insert({0x0A00'0000, 8});
  table.insert({0x0A00'0000, 9});
  table.erase(first);
  EXPECT_EQ(table.find({0x0A00'0000, 8}), kNoPrefix);
  EXPECT_EQ(table.insert({0x0A00'0000, 10}), first);
  EXPECT_EQ(table.bound(), 2U);
}

/// A prefix by which it is seen with which key hashes are asked for.
struct Watched {
  unsigned number = 0;
  friend bool operator==(const Watched&, const Watched&) = default;
};
std::vector<HashKey> asked;
std::uint64_t hashOf(const Watched& prefix, const HashKey& key) {
  asked.push_back(key);
  return prefix.number;
}

TEST(PrefixTable, every_hash_depends_on_its_key) {
  asked.clear();
  PrefixTable<Watched> table(kLabHashKey);
  for (unsigned number = 0; number < 100; ++number) table.insert({number});
  EXPECT_EQ(asked, std::vector<HashKey>(100, kLabHashKey));
  asked.clear();
  EXPECT_EQ(table.find({7}), 7U);
  table.prefetch({7});
  table.erase(7);
  EXPECT_EQ(asked, std::vector<HashKey>(3, kLabHashKey));
}

}  // namespace
}  // namespace poplink::host::bgp
