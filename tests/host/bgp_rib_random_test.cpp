// SPDX-License-Identifier: Apache-2.0
// Routes, policies and peers that come, change and go in any order; what peers hear is what they should know.
#include <gtest/gtest.h>

#include <random>

#include "bgp_rib_driver.h"

namespace poplink::host::bgp {
namespace {

template <class Prefix>
void anything(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  RibDriver<Prefix> driver(seed % 4 == 0 ? 4 : 48);
  for (int step = 0; step < 1200; ++step) {
    const auto what = static_cast<std::uint8_t>(random() % 32), who = static_cast<std::uint8_t>(random()),
               detail = static_cast<std::uint8_t>(random());
    ASSERT_EQ(driver.happen(what, who, detail), "")
        << "seed " << seed << ", step " << step << ": " << int{what} << " " << int{who} << " " << int{detail};
  }
  ASSERT_EQ(driver.settle(), "") << "seed " << seed;
}

TEST(RibRandom, peers_know_what_they_should_of_ipv4) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) anything<Prefix4>(seed);
}
TEST(RibRandom, peers_know_what_they_should_of_ipv6) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) anything<Prefix6>(seed);
}

}  // namespace
}  // namespace poplink::host::bgp
