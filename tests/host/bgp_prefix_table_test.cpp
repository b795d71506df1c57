// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <random>

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
  PrefixTable<Prefix> table;
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
  PrefixTable<Prefix4> table;
  const PrefixId first = table.insert({0x0A00'0000, 8});
  table.insert({0x0A00'0000, 9});
  table.erase(first);
  EXPECT_EQ(table.find({0x0A00'0000, 8}), kNoPrefix);
  EXPECT_EQ(table.insert({0x0A00'0000, 10}), first);
  EXPECT_EQ(table.bound(), 2U);
}

/// Prefixes of a table come in rows; a hash that keeps rows together would make long probes of them.
TEST(PrefixTable, rows_of_prefixes_do_not_cluster) {
  for (const unsigned length : {8U, 16U, 24U, 32U}) {
    std::vector<unsigned> load(1024);
    for (std::uint32_t i = 0; i < 65'536; ++i)
      ++load[hashOf(Prefix4{i << (length == 8 ? 16 : 32 - length), static_cast<std::uint8_t>(length)}) % 1024];
    double chi2 = 0;
    for (const unsigned one : load) chi2 += (one - 64.0) * (one - 64.0) / 64.0;
    EXPECT_LT(chi2, 1023 + 6 * 45.2) << length;
  }
}

}  // namespace
}  // namespace poplink::host::bgp
