// SPDX-License-Identifier: Apache-2.0
// Hash tables as they should be: a key for tests, and what a table with linear probing makes of hashes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "hash_key.h"

namespace poplink::host::bgp {

inline constexpr HashKey kLabHashKey{0x243F'6A88'85A3'08D3, 0x1319'8A2E'0370'7344};

struct Probing {
  double mean = 0;              ///< slots that a look-up of what is there sees
  std::size_t longest_run = 0;  ///< of slots that are taken, one after another: more than any look-up sees
};

/// Of a table that has twice as many slots as there are hashes, rounded up to a power of two.
inline Probing probing(const std::vector<std::uint32_t>& hashes) {
  std::size_t slots = 1;
  while (slots < 2 * hashes.size()) slots *= 2;
  std::vector<bool> taken(slots);
  std::size_t seen = 0;
  for (const std::uint32_t hash : hashes) {
    std::size_t at = hash & (slots - 1);
    for (++seen; taken[at]; ++seen) at = (at + 1) & (slots - 1);
    taken[at] = true;
  }
  Probing found{static_cast<double>(seen) / static_cast<double>(hashes.size()), 0};
  std::size_t run = 0;
  for (std::size_t at = 0; at < 2 * slots; ++at) {  // twice around: a run may begin at the end
    run = taken[at & (slots - 1)] ? run + 1 : 0;
    found.longest_run = std::max(found.longest_run, run);
  }
  return found;
}

}  // namespace poplink::host::bgp
