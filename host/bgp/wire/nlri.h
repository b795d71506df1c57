// SPDX-License-Identifier: Apache-2.0
// Network Layer Reachability Information: prefixes one after another, each a length in bits and as many octets as it
// needs (RFC 4271 section 4.3, RFC 4760 section 5). A full table is a million of them, so nothing is copied or
// allocated: scanNlri() once says that they are whole, then forEachPrefix() needs no checks.
#pragma once

#include <algorithm>
#include <cstring>
#include <optional>

#include "octets.h"
#include "prefix.h"

namespace poplink::host::bgp {

/// Octets that `bits` of a prefix take.
constexpr std::size_t prefixBytes(std::size_t bits) {
  return (bits + 7) / 8;
}
/// The longest prefix, in bits: 32 or 128.
constexpr unsigned maxPrefixBits(Afi afi) {
  return afi == Afi::ipv4 ? 32 : 128;
}

struct NlriScan {
  std::size_t prefixes = 0;               ///< whole ones, up to the wrong one
  std::optional<std::size_t> wrong_at{};  ///< offset of the first that is too long or ends behind the field
};

/// RFC 7606 section 5.3: a length over `max_bits`, or more octets than are left, and nothing behind it can be read.
NlriScan scanNlri(Octets nlri, unsigned max_bits);

namespace detail {

// As many octets as the longest prefix has are copied, which costs less than to count them, and then those that are not
// its own are cleared; only at the end of the field there may not be so many.

inline void assign(Prefix4& to, std::uint8_t bits, Octets from) {
  std::array<std::uint8_t, 4> octets{};
  if (from.size() >= octets.size())
    std::memcpy(octets.data(), from.data(), octets.size());
  else
    std::copy_n(from.begin(), prefixBytes(bits), octets.begin());
  to = prefixOf(read32(octets, 0), bits);
}

inline void assign(Prefix6& to, std::uint8_t bits, Octets from) {
  Ipv6 octets{};
  if (from.size() >= octets.size())
    std::memcpy(octets.data(), from.data(), octets.size());
  else
    std::copy_n(from.begin(), prefixBytes(bits), octets.begin());
  to = prefixOf(octets, bits);
}

}  // namespace detail

/// Calls visit(prefix) with each Prefix4 or Prefix6, in their order. `nlri` is one that scanNlri() found nothing wrong
/// with, for 32 or 128 bits. Bits behind a prefix's length are whatever the sender likes (RFC 4271 section 4.3): here
/// they are 0.
template <class Prefix, class Visit>
void forEachPrefix(Octets nlri, Visit&& visit) {
  for (std::size_t at = 0; at < nlri.size();) {
    Prefix prefix;
    const std::uint8_t bits = nlri[at];
    detail::assign(prefix, bits, nlri.subspan(at + 1));
    visit(prefix);
    at += 1 + prefixBytes(bits);
  }
}

inline void putPrefix(std::vector<std::uint8_t>& to, const Prefix4& prefix) {
  to.push_back(prefix.length);
  for (std::size_t i = 0; i < prefixBytes(prefix.length); ++i)
    to.push_back(static_cast<std::uint8_t>(prefix.address >> (24 - 8 * i)));
}

inline void putPrefix(std::vector<std::uint8_t>& to, const Prefix6& prefix) {
  to.push_back(prefix.length);
  put(to, Octets(prefix.address).first(prefixBytes(prefix.length)));
}

}  // namespace poplink::host::bgp
