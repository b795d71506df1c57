// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "attribute_store.h"
#include "bgp_hash_lab.h"

namespace poplink::host::bgp {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// ORIGIN, AS_PATH of one segment, MED.
Bytes canonical(std::vector<Asn> path, std::uint32_t med) {
  Bytes octets = {0x40,
                  1,
                  1,
                  0,
                  0x40,
                  2,
                  static_cast<std::uint8_t>(2 + 4 * path.size()),
                  2,
                  static_cast<std::uint8_t>(path.size())};
  const auto add32 = [&](std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) octets.push_back(static_cast<std::uint8_t>(value >> shift));
  };
  for (const Asn asn : path) add32(asn);
  octets.insert(octets.end(), {0x80, 4, 4});
  add32(med);
  return octets;
}

TEST(AttributeStore, the_same_set_is_one) {
  AttributeStore store(kLabHashKey);
  const Bytes octets = canonical({64512, 64513}, 7);
  const NextHop here{Ipv4{0xC0000201}, {}}, there{Ipv4{0xC0000202}, {}};
  const AttributesId id = store.intern(here, octets);
  EXPECT_EQ(store.intern(here, Bytes(octets)), id);
  const AttributesId other = store.intern(there, octets);
  EXPECT_NE(other, id);
  EXPECT_NE(store.intern(here, canonical({64512, 64513}, 8)), id);
  EXPECT_EQ(store.size(), 3U);
  EXPECT_EQ(Bytes(store.canonical(id).begin(), store.canonical(id).end()), octets);
  EXPECT_EQ(store.nextHop(other), there);
}

TEST(AttributeStore, next_hops_differ_by_family_and_by_what_is_beside_them) {
  AttributeStore store(kLabHashKey);
  const Bytes octets = canonical({1}, 0);
  const Ipv6 one{0x20, 1}, local{0xFE, 0x80};
  const AttributesId ids[] = {store.intern({Ipv4{0}, {}}, octets), store.intern({Ipv6{}, {}}, octets),
                              store.intern({one, {}}, octets), store.intern({one, local}, octets),
                              store.intern({one, Ipv6{}}, octets)};
  EXPECT_EQ(std::set<AttributesId>(std::begin(ids), std::end(ids)).size(), std::size(ids));
}

TEST(AttributeStore, facts_are_those_of_the_octets) {
  AttributeStore store(kLabHashKey);
  const DecisionFacts& facts = store.facts(store.intern({Ipv4{1}, {}}, canonical({64512, 64513, 64514}, 9)));
  EXPECT_EQ(facts.path_length, 3U);
  EXPECT_EQ(facts.neighbor_as, 64512U);
  EXPECT_EQ(facts.med, 9U);
  EXPECT_EQ(facts.local_pref, 100U);
  EXPECT_EQ(facts.origin, Origin::igp);
}

TEST(AttributeStore, what_nobody_holds_is_gone_and_its_number_serves_again) {
  AttributeStore store(kLabHashKey);
  const AttributesId id = store.intern({Ipv4{1}, {}}, canonical({1}, 0));
  store.hold(id);
  store.release(id);
  EXPECT_EQ(store.size(), 1U);
  store.release(id);
  EXPECT_EQ(store.size(), 0U);
  EXPECT_EQ(store.intern({Ipv4{2}, {}}, canonical({2}, 0)), id);
}

TEST(AttributeStore, is_like_a_counted_map) {
  std::mt19937_64 random(1);
  AttributeStore store(kLabHashKey);
  std::map<Bytes, std::pair<AttributesId, unsigned>> map;
  for (int step = 0; step < 100'000; ++step) {
    const Bytes octets = canonical({static_cast<Asn>(random() % 40), static_cast<Asn>(random() % 40)}, random() % 3);
    const auto known = map.find(octets);
    if (random() % 5 < (step / 10'000 % 2 == 0 ? 3U : 2U)) {
      const AttributesId id = store.intern({Ipv4{1}, {}}, octets);
      if (known == map.end()) {
        map.emplace(octets, std::pair(id, 1U));
      } else {
        ASSERT_EQ(id, known->second.first);
        ++known->second.second;
      }
    } else if (known != map.end()) {
      store.release(known->second.first);
      if (--known->second.second == 0) map.erase(known);
    }
    ASSERT_EQ(store.size(), map.size());
  }
  for (const auto& [octets, entry] : map) {
    const Octets kept = store.canonical(entry.first);
    EXPECT_TRUE(std::equal(kept.begin(), kept.end(), octets.begin(), octets.end()));
  }
}

}  // namespace
}  // namespace poplink::host::bgp
