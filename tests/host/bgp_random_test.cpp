// SPDX-License-Identifier: Apache-2.0
// Random events of all kinds, with what no machine may do looked for after each; then a peer that behaves.
#include <gtest/gtest.h>

#include <random>

#include "bgp_driver.h"

namespace poplink::host::bgp {
namespace {

TEST(SessionRandom, invariants_hold_and_a_good_peer_gets_its_session) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    std::mt19937_64 random(seed);
    SessionDriver driver;
    ASSERT_EQ(driver.happen(0, 0), "");
    for (int i = 0; i < 200; ++i) {
      // Stops and long silences are rare, or nothing would ever come up.
      const auto what = static_cast<std::uint8_t>(random() % 24);
      const auto detail = static_cast<std::uint8_t>(random());
      if ((what == 1 || what == 20 || what == 23) && random() % 4 != 0) continue;
      ASSERT_EQ(driver.happen(what, detail), "") << "seed " << seed << ", event " << int{what} << " " << int{detail};
    }
    ASSERT_EQ(driver.settle(), "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace poplink::host::bgp
