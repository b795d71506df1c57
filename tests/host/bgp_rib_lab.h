// SPDX-License-Identifier: Apache-2.0
// Sets of attributes and prefixes by number, for tests of the RIB and for the fuzzer; no test framework in here.
#pragma once

#include "attribute_store.h"
#include "bgp_hash_lab.h"
#include "octets.h"

namespace poplink::host::bgp {

using Bytes = std::vector<std::uint8_t>;

inline constexpr unsigned kLabSets = 96;
/// Sets from this one on fill a message so that no prefix has room.
inline constexpr unsigned kFirstLongSet = 92;

/// Canonical octets of one of kLabSets sets, which differ in all that the decision process looks at. COMMUNITIES says
/// which it is.
inline Bytes labSet(unsigned number) {
  Bytes octets{0x40, 1, 1, static_cast<std::uint8_t>(number % 2)};
  const std::size_t hops = 1 + number / 2 % 2;
  put(octets, Bytes{0x40, 2, static_cast<std::uint8_t>(2 + 4 * hops), 2, static_cast<std::uint8_t>(hops)});
  for (std::size_t hop = 0; hop < hops; ++hop) put32(octets, 64500 + number / 4 % 2);
  put(octets, Bytes{0x80, 4, 4});
  put32(octets, number / 8 % 3);
  put(octets, Bytes{0x40, 5, 4});
  put32(octets, 100 + number / 24 % 2);
  put(octets, Bytes{0xC0, 8, 4});
  put32(octets, number);
  if (number / 48 % 2 == 1) {
    put(octets, Bytes{0x80, 9, 4});
    put32(octets, 1 + number % 3);
    put(octets, Bytes{0x80, 10, 4});
    put32(octets, 1);
  }
  if (number < kFirstLongSet) return octets;
  put(octets, Bytes{0xF0, 99});
  put16(octets, 4040);
  octets.resize(octets.size() + 4040);
  return octets;
}

inline unsigned labSetOf(const AttributeStore& store, AttributesId id) {
  return read32(readFacts(store.canonical(id)).communities, 0);
}

inline NextHop labNextHop(unsigned number) {
  return {Ipv4{0xC000'0200 + number % 2}, {}};
}

template <class Prefix>
Prefix labPrefix(unsigned number);
template <>
inline Prefix4 labPrefix(unsigned number) {
  return {0x0A00'0000 + (number << 8), static_cast<std::uint8_t>(24 + number % 9)};
}
template <>
inline Prefix6 labPrefix(unsigned number) {
  Prefix6 prefix{{0x20, 0x01}, static_cast<std::uint8_t>(48 + number % 81)};
  prefix.address[4] = static_cast<std::uint8_t>(number >> 8);
  prefix.address[5] = static_cast<std::uint8_t>(number);
  return prefix;
}

}  // namespace poplink::host::bgp
