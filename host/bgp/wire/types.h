// SPDX-License-Identifier: Apache-2.0
// Numbers and addresses of BGP-4. Values, in host byte order unless they are octets.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <type_traits>
#include <variant>

namespace poplink::host::bgp {

using Asn = std::uint32_t;              ///< four octets (RFC 6793); 0 is none (RFC 7607)
using RouterId = std::uint32_t;         ///< BGP Identifier (RFC 6286): any number but 0
inline constexpr Asn kAsTrans = 23456;  ///< stands for an AS number that does not fit in two octets

using Ipv4 = std::uint32_t;
using Ipv6 = std::array<std::uint8_t, 16>;
/// A peer's address, or a next hop.
using Address = std::variant<Ipv4, Ipv6>;
std::string toString(const Address& address);

/// Address Family Identifiers and Subsequent ones (RFC 4760) that are spoken here.
enum class Afi : std::uint16_t { ipv4 = 1, ipv6 = 2 };
enum class Safi : std::uint8_t { unicast = 1 };
struct Family {
  Afi afi = Afi::ipv4;
  Safi safi = Safi::unicast;
  friend auto operator<=>(const Family&, const Family&) = default;
};
inline constexpr Family kIpv4Unicast{Afi::ipv4, Safi::unicast};
inline constexpr Family kIpv6Unicast{Afi::ipv6, Safi::unicast};
std::string toString(Family family);

/// Bits behind `length` are 0.
struct Prefix4 {
  Ipv4 address = 0;
  std::uint8_t length = 0;  ///< 0..32
  friend auto operator<=>(const Prefix4&, const Prefix4&) = default;
};
struct Prefix6 {
  Ipv6 address{};
  std::uint8_t length = 0;  ///< 0..128
  friend auto operator<=>(const Prefix6&, const Prefix6&) = default;
};
/// Of the prefixes of a table.
template <class Prefix>
inline constexpr Family kFamilyOf = std::is_same_v<Prefix, Prefix4> ? kIpv4Unicast : kIpv6Unicast;
std::string toString(const Prefix4& prefix);
std::string toString(const Prefix6& prefix);

}  // namespace poplink::host::bgp
