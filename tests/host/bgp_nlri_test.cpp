// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <random>

#include "bgp_octets.h"
#include "nlri.h"

namespace poplink::host::bgp {
namespace {

template <class Prefix>
std::vector<Prefix> prefixes(const Bytes& nlri) {
  std::vector<Prefix> all;
  forEachPrefix<Prefix>(nlri, [&all](const Prefix& prefix) { all.push_back(prefix); });
  return all;
}

Ipv6 doc(std::uint8_t last) {
  return {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last};
}

TEST(BgpNlri, golden_bytes_of_ipv4) {
  const Bytes nlri = fromHex("00  08 0a  16 c0a804  18 c00002  20 c0000201");
  EXPECT_EQ(scanNlri(nlri, 32).prefixes, 5u);
  EXPECT_EQ(scanNlri(nlri, 32).wrong_at, std::nullopt);
  const std::vector<Prefix4> expected{{0, 0}, {0x0a000000, 8}, {0xc0a80400, 22}, {0xc0000200, 24}, {0xc0000201, 32}};
  EXPECT_EQ(prefixes<Prefix4>(nlri), expected);
  Bytes again;
  for (const Prefix4& prefix : expected) putPrefix(again, prefix);
  EXPECT_EQ(again, nlri);
}

TEST(BgpNlri, golden_bytes_of_ipv6) {
  const Bytes nlri = fromHex("00  20 20010db8  3f 20010db800000000  80 20010db8000000000000000000000001");
  EXPECT_EQ(scanNlri(nlri, 128).prefixes, 4u);
  const std::vector<Prefix6> expected{{{}, 0}, {doc(0), 32}, {doc(0), 63}, {doc(1), 128}};
  EXPECT_EQ(prefixes<Prefix6>(nlri), expected);
  Bytes again;
  for (const Prefix6& prefix : expected) putPrefix(again, prefix);
  EXPECT_EQ(again, nlri);
}

/// RFC 4271 4.3: "the value of trailing bits is irrelevant".
TEST(BgpNlri, bits_behind_the_length_are_dropped) {
  EXPECT_EQ(prefixes<Prefix4>(fromHex("01 ff  09 ffff  1f ffffffff")),
            (std::vector<Prefix4>{{0x80000000, 1}, {0xff800000, 9}, {0xfffffffe, 31}}));
  const Prefix6 odd = prefixes<Prefix6>(fromHex("21 20010db8ff"))[0];
  EXPECT_EQ(toString(odd), "2001:db8:8000::/33");
}

TEST(BgpNlri, what_is_wrong_is_found_at_its_place) {
  const auto wrong = [](const char* hex, unsigned bits) { return scanNlri(fromHex(hex), bits).wrong_at; };
  EXPECT_EQ(wrong("", 32), std::nullopt);
  EXPECT_EQ(wrong("21 0000000000", 32), 0u);
  EXPECT_EQ(wrong("08 0a 21 0000000000", 32), 2u);
  EXPECT_EQ(wrong("08", 32), 0u);
  EXPECT_EQ(wrong("00 00 09 0a", 32), 2u);
  EXPECT_EQ(wrong("08 0a 18 0a00", 32), 2u);
  EXPECT_EQ(wrong("81 0000000000000000000000000000000000", 128), 0u);
  EXPECT_EQ(wrong("ff", 128), 0u);
  EXPECT_EQ(wrong("21 0000000000", 128), std::nullopt);
  EXPECT_EQ(scanNlri(fromHex("08 0a 08 0b 21"), 32).prefixes, 2u);
}

TEST(BgpNlri, random_prefixes_survive) {
  std::mt19937 random(7);
  for (unsigned round = 0; round < 500; ++round) {
    std::vector<Prefix4> four;
    std::vector<Prefix6> six;
    Bytes octets4, octets6;
    for (unsigned i = 0; i < 40; ++i) {
      const auto length4 = static_cast<std::uint8_t>(random() % 33),
                 length6 = static_cast<std::uint8_t>(random() % 129);
      const std::uint64_t mask = ~std::uint64_t{0} << (32 - length4);
      four.push_back({static_cast<Ipv4>(random() & mask), length4});
      Prefix6 prefix{{}, length6};
      for (unsigned bit = 0; bit < length6; ++bit)
        if (random() % 2 != 0) prefix.address[bit / 8] |= static_cast<std::uint8_t>(0x80 >> bit % 8);
      six.push_back(prefix);
      putPrefix(octets4, four.back());
      putPrefix(octets6, six.back());
    }
    ASSERT_EQ(scanNlri(octets4, 32).prefixes, 40u);
    ASSERT_EQ(scanNlri(octets6, 128).prefixes, 40u);
    EXPECT_EQ(prefixes<Prefix4>(octets4), four);
    EXPECT_EQ(prefixes<Prefix6>(octets6), six);
  }
}

}  // namespace
}  // namespace poplink::host::bgp
