// SPDX-License-Identifier: Apache-2.0
// Prefixes and the addresses that they stand for.
#pragma once

#include "types.h"

namespace poplink::host::bgp {

namespace detail {

/// The first `bits` of an address.
constexpr std::array<Ipv6, 129> masks() {
  std::array<Ipv6, 129> all{};
  for (std::size_t bits = 0; bits <= 128; ++bits)
    for (std::size_t bit = 0; bit < bits; ++bit) all[bits][bit / 8] |= static_cast<std::uint8_t>(0x80 >> bit % 8);
  return all;
}
inline constexpr std::array<Ipv6, 129> kMasks = masks();

}  // namespace detail

/// The first `length` bits of an address, 0..32 or 0..128.
constexpr Prefix4 prefixOf(Ipv4 address, std::uint8_t length) {
  return {address & static_cast<Ipv4>(~std::uint64_t{0} << (32 - length)), length};
}
constexpr Prefix6 prefixOf(const Ipv6& address, std::uint8_t length) {
  Prefix6 prefix{{}, length};
  for (std::size_t i = 0; i < address.size(); ++i) prefix.address[i] = address[i] & detail::kMasks[length][i];
  return prefix;
}

/// Whether `inner` is `outer` or a part of it.
template <class Prefix>
constexpr bool covers(const Prefix& outer, const Prefix& inner) {
  return outer.length <= inner.length && prefixOf(inner.address, outer.length) == outer;
}

}  // namespace poplink::host::bgp
