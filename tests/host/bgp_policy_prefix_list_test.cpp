// SPDX-License-Identifier: Apache-2.0
// Prefix lists: the order of their ranges, the bounds of lengths, and a linear scan that says the same.
#include <gtest/gtest.h>

#include <random>

#include "bgp_policy_reference.h"
#include "prefix_list.h"

namespace poplink::host::bgp {
namespace {

constexpr Prefix4 kTen{0x0A000000, 8};

Prefix6 prefix6(std::initializer_list<std::uint8_t> octets, std::uint8_t length) {
  Prefix6 prefix;
  std::copy(octets.begin(), octets.end(), prefix.address.begin());
  prefix.length = length;
  return prefix;
}

TEST(Covers, a_prefix_and_its_parts) {
  EXPECT_TRUE(covers(kTen, kTen));
  EXPECT_TRUE(covers(kTen, Prefix4{0x0AFFFFFF, 32}));
  EXPECT_FALSE(covers(kTen, Prefix4{0x0B000000, 8}));
  EXPECT_FALSE(covers(kTen, Prefix4{0x0A000000, 7}));
  EXPECT_TRUE(covers(Prefix4{0, 0}, Prefix4{0xFFFFFFFF, 32}));
  EXPECT_TRUE(covers(Prefix4{0xFFFFFFFF, 32}, Prefix4{0xFFFFFFFF, 32}));
  const Prefix6 wide = prefix6({0x20, 0x01, 0x08}, 21);
  EXPECT_TRUE(covers(wide, prefix6({0x20, 0x01, 0x0f}, 24)));
  EXPECT_FALSE(covers(wide, prefix6({0x20, 0x01, 0x10}, 24)));
  EXPECT_FALSE(covers(wide, prefix6({0x20, 0x01, 0x08}, 20)));
  EXPECT_TRUE(covers(Prefix6{}, wide));
  Prefix6 host = wide;
  host.length = 128;
  EXPECT_TRUE(covers(host, host));
  EXPECT_TRUE(covers(wide, host));
  host.address[15] = 1;
  EXPECT_TRUE(covers(wide, host));
}

TEST(Covers, a_prefix_with_bits_behind_its_length_covers_not_even_itself) {
  for (const Prefix4& prefix : {Prefix4{0x0A000001, 8}, Prefix4{1, 0}, Prefix4{0xC0000281, 24}})
    EXPECT_FALSE(covers(prefix, prefix)) << toString(prefix);
  for (const Prefix6& prefix : {prefix6({0x20, 0x01}, 8), prefix6({0x21}, 7), prefix6({0x20, 0, 0, 0, 0, 1}, 16)})
    EXPECT_FALSE(covers(prefix, prefix)) << toString(prefix);
}

TEST(PrefixList, an_empty_one_has_nothing) {
  const PrefixList list({});
  EXPECT_FALSE(list.contains(Prefix4{}));
  EXPECT_FALSE(list.contains(Prefix6{}));
}

TEST(PrefixList, lengths_have_bounds) {
  const PrefixList list({{kTen, 16, 24}});
  EXPECT_FALSE(list.contains(kTen));
  EXPECT_FALSE(list.contains(Prefix4{0x0A010000, 15}));
  EXPECT_TRUE(list.contains(Prefix4{0x0A010000, 16}));
  EXPECT_TRUE(list.contains(Prefix4{0x0AFFFF00, 24}));
  EXPECT_FALSE(list.contains(Prefix4{0x0A010000, 25}));
  EXPECT_FALSE(list.contains(Prefix4{0x0B000000, 16}));
  EXPECT_FALSE(list.contains(Prefix6{{0x0A}, 16})) << "the other family";
}

TEST(PrefixList, the_longest_lengths_count) {
  const PrefixList list({{Prefix4{}, 0, 32}, {Prefix6{}, 0, 128}});
  EXPECT_TRUE(list.contains(Prefix4{}));
  EXPECT_TRUE(list.contains(Prefix4{0xFFFFFFFF, 32}));
  EXPECT_TRUE(list.contains(Prefix6{}));
  EXPECT_TRUE(list.contains(prefix6({0x20, 0x01}, 128)));
}

TEST(PrefixList, the_first_range_that_matches_decides) {
  const PrefixRange ten{kTen, 8, 24}, not_nine{Prefix4{0x0A090000, 16}, 16, 32, true};
  const Prefix4 nine{0x0A090000, 24};
  EXPECT_TRUE(PrefixList({ten, not_nine}).contains(nine));
  EXPECT_FALSE(PrefixList({not_nine, ten}).contains(nine));
  EXPECT_TRUE(PrefixList({not_nine, ten}).contains(Prefix4{0x0A080000, 24}));
  EXPECT_FALSE(PrefixList({not_nine}).contains(Prefix4{0x0A080000, 24})) << "what none matches";
}

TEST(PrefixList, the_same_prefix_may_be_there_for_other_lengths) {
  const PrefixList list({{kTen, 9, 10, true}, {kTen, 8, 12}, {kTen, 12, 14, true}});
  for (std::uint8_t length = 8; length <= 16; ++length)
    EXPECT_EQ(list.contains(Prefix4{0x0A000000, length}), length == 8 || length == 11 || length == 12) << +length;
}

// ---- a linear scan says the same ----

/// Few different bits, so that prefixes lie in each other and next to each other.
class Prefixes {
 public:
  explicit Prefixes(unsigned seed) : random_(seed) {}
  std::uint64_t below(std::uint64_t end) { return random_() % end; }

  Prefix4 next4() {
    const auto length = static_cast<std::uint8_t>(below(33));
    const auto bits = static_cast<Ipv4>(random_() & random_() & random_());
    return {bits & static_cast<Ipv4>(~std::uint64_t{0} << (32 - length)), length};
  }
  Prefix6 next6() {
    Prefix6 prefix;
    prefix.length = static_cast<std::uint8_t>(below(129));
    for (unsigned bit = 0; bit < prefix.length; ++bit)
      if (below(10) == 0) prefix.address[bit / 8] |= static_cast<std::uint8_t>(0x80 >> bit % 8);
    return prefix;
  }
  template <class Prefix>
  PrefixRange range(const Prefix& prefix, unsigned longest) {
    PrefixRange range{prefix};
    range.from_bits = static_cast<std::uint8_t>(prefix.length + below(longest + 1 - prefix.length));
    range.to_bits = static_cast<std::uint8_t>(range.from_bits + below(longest + 1 - range.from_bits));
    range.deny = below(3) == 0;
    return range;
  }
  PrefixRange range() { return below(2) == 0 ? range(next4(), 32) : range(next6(), 128); }

 private:
  std::mt19937_64 random_;
};

void compare(const PrefixListSettings& ranges, Prefixes& prefixes, int questions) {
  const PrefixList list(ranges);
  for (int i = 0; i < questions; ++i) {
    const Prefix4 prefix4 = prefixes.next4();
    ASSERT_EQ(list.contains(prefix4), permits(ranges, prefix4)) << toString(prefix4) << " in " << ranges.size();
    const Prefix6 prefix6 = prefixes.next6();
    ASSERT_EQ(list.contains(prefix6), permits(ranges, prefix6)) << toString(prefix6) << " in " << ranges.size();
  }
}

TEST(PrefixListRandom, says_what_a_linear_scan_says) {
  Prefixes prefixes(1);
  for (int round = 0; round < 400; ++round) {
    PrefixListSettings ranges(prefixes.below(40));
    for (PrefixRange& range : ranges) range = prefixes.range();
    compare(ranges, prefixes, 50);
  }
}

TEST(PrefixListRandom, so_do_long_ones) {
  Prefixes prefixes(2);
  PrefixListSettings ranges(20000);
  for (PrefixRange& range : ranges) range = prefixes.range();
  compare(ranges, prefixes, 1000);
}

TEST(PrefixListRandom, each_range_of_a_list_without_overlap_is_found) {
  PrefixListSettings ranges;
  for (Ipv4 i = 0; i < 50000; ++i)
    ranges.push_back({Prefix4{i << 9, 24}, 24, static_cast<std::uint8_t>(24 + i % 3), i % 7 == 0});
  const PrefixList list(ranges);
  for (Ipv4 i = 0; i < 50000; ++i) {
    ASSERT_EQ(list.contains(Prefix4{i << 9, 24}), i % 7 != 0) << i;
    ASSERT_EQ(list.contains(Prefix4{i << 9, 26}), i % 7 != 0 && i % 3 == 2) << i;
    ASSERT_FALSE(list.contains(Prefix4{(i << 9) + 256, 24})) << i;
  }
}

TEST(PrefixListRandom, every_length_may_lie_in_the_next) {
  PrefixListSettings ranges;
  for (std::uint8_t length = 0; length <= 128; ++length)
    ranges.push_back({Prefix6{{}, length}, length, 128, length % 2 == 0});
  std::reverse(ranges.begin(), ranges.end());
  const PrefixList list(ranges);
  for (std::uint8_t length = 0; length <= 128; ++length)
    EXPECT_EQ(list.contains(Prefix6{{}, length}), length % 2 == 1) << +length;
  EXPECT_FALSE(list.contains(prefix6({0x80}, 128))) << "::/0 denies it";
  EXPECT_TRUE(list.contains(prefix6({0x40}, 128))) << "::/1 permits it";
}

}  // namespace
}  // namespace poplink::host::bgp
