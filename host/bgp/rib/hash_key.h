// SPDX-License-Identifier: Apache-2.0
// Hashes for tables that peers fill. A peer that knew which prefixes or attributes share a slot could announce only
// those, and each look-up would walk past all of them: a load of n would cost n * n. So each hash depends on a key that
// is made when the program starts and never leaves it.
//
// This is mixing by multiplications, as fast hash tables have it, and no cryptographic MAC: whoever sees hashes could
// work out the key. But nobody does: no slot and no hash leaves the program, and nothing is in the order of slots. A
// collision shows in nothing but a look-up's time, by nanoseconds, and a peer sees only when a whole message has been
// worked on. Without the key it is not known which differences of two inputs cancel, so what a peer chooses collides
// about as often as random inputs do.
#pragma once

#include <cstdint>

namespace poplink::host::bgp {

/// 128 random bits. Small numbers are bad keys, {} is the worst.
struct HashKey {
  std::uint64_t first = 0, second = 0;
  friend bool operator==(const HashKey&, const HashKey&) = default;
};

/// All 128 bits of a product: the upper half depends on all of both factors, also on their upper bits. In a product
/// modulo 2^64 a change of the topmost bit changes the topmost bit, whatever the other factor is; that can be undone by
/// what is mixed in next, under every key.
struct WideProduct {
  std::uint64_t low = 0, high = 0;
  constexpr std::uint64_t folded() const { return low ^ high; }
};
constexpr WideProduct wideProduct(std::uint64_t one, std::uint64_t other) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(one) * other;
  return {static_cast<std::uint64_t>(product), static_cast<std::uint64_t>(product >> 64)};
}

/// 64 bits that depend on all of the words'. The second multiplication is needed: after one, numbers in a row stand at
/// equal distances, and for one key in some hundreds these distances put them in heaps.
constexpr std::uint64_t keyedHash(std::uint64_t one, std::uint64_t two, std::uint64_t three, const HashKey& key) {
  const WideProduct product = wideProduct(one ^ key.first, two ^ key.second);
  return wideProduct(product.low ^ key.first ^ three, product.high ^ key.second).folded();
}

}  // namespace poplink::host::bgp
