// SPDX-License-Identifier: Apache-2.0
// Addresses and communities as they stand in speaker files.
#pragma once

#include "speaker_settings.h"

namespace poplink::host::bgp {

constexpr Ipv4 ipv4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return a << 24 | b << 16 | c << 8 | d;
}
/// 2001:db8:GROUP::LAST
constexpr Ipv6 ipv6(std::uint16_t group, std::uint8_t last) {
  return {
      0x20, 0x01, 0x0d, 0xb8, static_cast<std::uint8_t>(group >> 8), static_cast<std::uint8_t>(group), 0, 0, 0, 0, 0, 0,
      0,    0,    0,    last};
}
inline ExtendedCommunity extended(const std::array<std::uint8_t, 8>& octets) {
  return {octets};
}

}  // namespace poplink::host::bgp
