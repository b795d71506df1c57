// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "random_source.h"

namespace poplink::host::bgp {
namespace {

TEST(BgpNetRandom, no_two_hash_keys_have_a_half_in_common) {
  const HashKey one = randomHashKey(), other = randomHashKey();
  EXPECT_NE(one.first, other.first);
  EXPECT_NE(one.second, other.second);
  EXPECT_NE(one.first, one.second);
}

TEST(BgpNetRandom, numbers_are_below_1_and_each_source_has_its_own) {
  const Random one = randomNumbers(), other = randomNumbers();
  bool same = true;
  for (int i = 0; i < 100; ++i) {
    const double number = one();
    EXPECT_GE(number, 0);
    EXPECT_LT(number, 1);
    same = same && number == other();
  }
  EXPECT_FALSE(same);
}

}  // namespace
}  // namespace poplink::host::bgp
