// SPDX-License-Identifier: Apache-2.0
// Hashes of what peers choose: nobody without the key makes a long walk of a look-up, and tables as they are do not
// either.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "attribute_store.h"
#include "bgp_hash_lab.h"
#include "octets.h"
#include "prefix_table.h"

namespace poplink::host::bgp {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::vector<HashKey> keys(std::size_t count) {
  std::mt19937_64 random(1);
  std::vector<HashKey> made(count);
  for (HashKey& key : made) key = {random(), random()};
  return made;
}

Prefix6 prefix6(std::uint64_t high, std::uint64_t low, std::uint8_t length) {
  Prefix6 prefix{{}, length};
  for (unsigned octet = 0; octet < 8; ++octet) {
    prefix.address[octet] = static_cast<std::uint8_t>(high >> (56 - 8 * octet));
    prefix.address[8 + octet] = static_cast<std::uint8_t>(low >> (56 - 8 * octet));
  }
  return prefix;
}

/// A path, a MED and two communities.
Bytes set(std::uint32_t asn, std::uint32_t med, std::uint32_t community) {
  Bytes octets{0x40, 1, 1, 0, 0x40, 2, 10, 2, 2};
  put32(octets, 64512);
  put32(octets, asn);
  octets.insert(octets.end(), {0x80, 4, 4});
  put32(octets, med);
  octets.insert(octets.end(), {0xC0, 8, 8});
  put32(octets, 64512U << 16);
  put32(octets, community);
  return octets;
}

std::uint32_t hash(const Prefix4& prefix, const HashKey& key) {
  return static_cast<std::uint32_t>(hashOf(prefix, key));
}
std::uint32_t hash(const Prefix6& prefix, const HashKey& key) {
  return static_cast<std::uint32_t>(hashOf(prefix, key));
}
std::uint32_t hash(const Bytes& canonical, const HashKey& key) {
  return hashOf({Ipv4{0xC000'0201}, {}}, canonical, key);
}

template <class Value>
Probing probingOf(const std::vector<Value>& values, const HashKey& key) {
  std::vector<std::uint32_t> hashes;
  for (const Value& value : values) hashes.push_back(hash(value, key));
  return probing(hashes);
}

/// As random hashes have it: 1.5 slots in the mean, give or take what chance does, and no run beyond some dozens.
template <class Value>
void expectSpread(const std::vector<Value>& values, const std::string& which) {
  for (const HashKey& key : keys(50)) {
    const Probing found = probingOf(values, key);
    EXPECT_LT(found.mean, 1.75) << which << ", key " << key.first;
    EXPECT_LT(found.longest_run, 100U) << which << ", key " << key.first;
  }
}

// Sets made to collide.

/// So many of those that `make` has for numbers from 0 on, with the lowest `bits` of their hash under `key` all 0.
template <class Make>
auto colliding(std::size_t count, unsigned bits, const HashKey& key, Make make) {
  std::vector<decltype(make(0U))> found;
  for (std::uint32_t number = 0; found.size() < count; ++number) {
    const auto value = make(number);
    if ((hash(value, key) & ((1U << bits) - 1)) == 0) found.push_back(value);
  }
  return found;
}

template <class Value>
void expectSpreadUnderOtherKeys(const std::vector<Value>& values, const HashKey& key) {
  EXPECT_EQ(probingOf(values, key).longest_run, values.size()) << "whoever knows the key makes a list of the table";
  expectSpread(values, "other keys");
  for (const HashKey& near : {HashKey{key.first ^ 1, key.second}, HashKey{key.first, key.second ^ 1}}) {
    EXPECT_LT(probingOf(values, near).mean, 1.75) << "another bit is another key";
    EXPECT_LT(probingOf(values, near).longest_run, 100U);
  }
}

TEST(BgpHash, ipv4_prefixes_that_collide_under_one_key_do_not_under_another) {
  const auto make = [](std::uint32_t number) { return Prefix4{number, 32}; };
  expectSpreadUnderOtherKeys(colliding(2048, 16, kLabHashKey, make), kLabHashKey);
}

TEST(BgpHash, ipv6_prefixes_that_collide_under_one_key_do_not_under_another) {
  const auto make = [](std::uint32_t number) { return prefix6(0x2001'0DB8'0000'0000 | number, 0, 64); };
  expectSpreadUnderOtherKeys(colliding(2048, 14, kLabHashKey, make), kLabHashKey);
}

TEST(BgpHash, attributes_that_collide_under_one_key_do_not_under_another) {
  const auto make = [](std::uint32_t number) { return set(number / 1000, number % 1000, 0); };
  expectSpreadUnderOtherKeys(colliding(1024, 11, kLabHashKey, make), kLabHashKey);
}

// Differences that cancel without the key being known.

/// A difference may have the same hash under one key, by chance.
template <class Value>
bool sameUnderAll(const Value& one, const Value& other) {
  for (const HashKey& key : keys(3))
    if (hash(one, key) != hash(other, key)) return false;
  return true;
}

TEST(BgpHash, no_two_bits_and_no_length_of_a_prefix_cancel_each_other) {
  const auto flipped = [](Prefix6 prefix, unsigned bit) {
    prefix.address[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    return prefix;
  };
  const Prefix6 base = prefix6(0x2001'0DB8'0000'0000, 0, 128);
  for (unsigned one = 0; one < 128; ++one) {
    for (unsigned two = one; two < 128; ++two) {
      Prefix6 other = two == one ? flipped(base, one) : flipped(flipped(base, one), two);
      for (unsigned length = 0; length <= 128; ++length) {
        other.length = static_cast<std::uint8_t>(length);
        ASSERT_FALSE(sameUnderAll(base, other)) << one << ' ' << two << ' ' << length;
      }
    }
  }
}

TEST(BgpHash, lengths_of_one_address_are_different_prefixes) {
  for (const HashKey& key : keys(3)) {
    std::set<std::uint32_t> ipv4, ipv6;
    for (unsigned length = 0; length <= 32; ++length)
      ipv4.insert(hash(Prefix4{0, static_cast<std::uint8_t>(length)}, key));
    for (unsigned length = 0; length <= 128; ++length)
      ipv6.insert(hash(Prefix6{{}, static_cast<std::uint8_t>(length)}, key));
    EXPECT_EQ(ipv4.size(), 33U);
    EXPECT_EQ(ipv6.size(), 129U);
  }
}

/// What multiplications modulo 2^64 are known for: the topmost bit of a word goes where one or two bits of the next
/// word take it back, whatever the key.
TEST(BgpHash, a_topmost_bit_of_attributes_is_not_taken_back_by_the_next_word) {
  const Bytes base = set(64513, 100, 7);
  for (std::size_t word = 0; word + 16 <= base.size(); ++word) {
    Bytes other = base;
    other[word + 7] ^= 0x80;
    for (unsigned one = 0; one < 64; ++one) {
      for (unsigned two = one; two < 64; ++two) {
        Bytes changed = other;
        changed[word + 8 + one / 8] ^= static_cast<std::uint8_t>(1U << one % 8);
        if (two != one) changed[word + 8 + two / 8] ^= static_cast<std::uint8_t>(1U << two % 8);
        ASSERT_FALSE(sameUnderAll(base, changed)) << word << ' ' << one << ' ' << two;
      }
    }
  }
}

TEST(BgpHash, every_octet_and_the_length_of_attributes_count) {
  for (std::size_t length = 0; length <= 70; ++length) {
    const Bytes base(length, 0);
    for (std::size_t octet = 0; octet < length; ++octet) {
      Bytes other = base;
      other[octet] = 1;
      EXPECT_FALSE(sameUnderAll(base, other)) << octet << " of " << length;
    }
    EXPECT_FALSE(sameUnderAll(base, Bytes(length + 1, 0))) << length;
  }
}

TEST(BgpHash, next_hops_count_with_their_family_and_what_is_beside_them) {
  const Bytes octets = set(1, 2, 3);
  for (const HashKey& key : keys(3)) {
    std::set<std::uint32_t> hashes;
    for (const NextHop& next_hop :
         {NextHop{Ipv4{0}, {}}, NextHop{Ipv4{1}, {}}, NextHop{Ipv6{}, {}}, NextHop{Ipv6{1}, {}},
          NextHop{Ipv6{}, Ipv6{}}, NextHop{Ipv6{}, Ipv6{1}}, NextHop{Ipv6{1}, Ipv6{}}})
      hashes.insert(hashOf(next_hop, octets, key));
    EXPECT_EQ(hashes.size(), 7U);
  }
}

// Tables as they are: prefixes come in rows.

constexpr std::uint32_t kRow = 16'384;

TEST(BgpHash, rows_of_ipv4_prefixes_do_not_cluster) {
  for (const unsigned length : {16U, 20U, 24U, 32U}) {
    std::vector<Prefix4> row;
    for (std::uint32_t i = 0; i < kRow; ++i)
      row.push_back({0x0A00'0000U + (i << (32 - length)), static_cast<std::uint8_t>(length)});
    expectSpread(row, "/" + std::to_string(length));
  }
}

TEST(BgpHash, rows_of_ipv6_prefixes_do_not_cluster) {
  for (const unsigned length : {32U, 48U, 64U}) {
    std::vector<Prefix6> row;
    for (std::uint64_t i = 0; i < kRow; ++i)
      row.push_back(prefix6(0x2000'0000'0000'0000 + (i << (64 - length)), 0, static_cast<std::uint8_t>(length)));
    expectSpread(row, "/" + std::to_string(length));
  }
  for (const unsigned length : {96U, 128U}) {
    std::vector<Prefix6> row;
    for (std::uint64_t i = 0; i < kRow; ++i)
      row.push_back(prefix6(0x2001'0DB8'0000'0000, i << (128 - length), static_cast<std::uint8_t>(length)));
    expectSpread(row, "/" + std::to_string(length));
  }
}

TEST(BgpHash, prefixes_within_prefixes_do_not_cluster) {
  std::vector<Prefix4> nested;
  for (std::uint32_t network = 0; network < kRow / 16; ++network)
    for (std::uint8_t length = 17; length <= 32; ++length) nested.push_back({network << 16, length});
  expectSpread(nested, "nested");
}

TEST(BgpHash, rows_of_attributes_do_not_cluster) {
  std::vector<Bytes> by_asn, by_med, by_community;
  for (std::uint32_t i = 0; i < kRow; ++i) {
    by_asn.push_back(set(i, 0, 0));
    by_med.push_back(set(1, i, 0));
    by_community.push_back(set(1, 0, i));
  }
  expectSpread(by_asn, "AS numbers");
  expectSpread(by_med, "MEDs");
  expectSpread(by_community, "communities");
}

}  // namespace
}  // namespace poplink::host::bgp
