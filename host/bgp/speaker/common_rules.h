// SPDX-License-Identifier: Apache-2.0
// What import and export have in common.
#pragma once

#include <array>

#include "../wire/attributes.h"
#include "../wire/open.h"

namespace poplink::host::bgp {

/// Well-known communities (RFC 1997, 8326) as they are in the attribute.
using KnownCommunity = std::array<std::uint8_t, 4>;
inline constexpr KnownCommunity kNoExportOctets{0xFF, 0xFF, 0xFF, 0x01}, kNoAdvertiseOctets{0xFF, 0xFF, 0xFF, 0x02},
    kNoExportSubconfedOctets{0xFF, 0xFF, 0xFF, 0x03}, kGracefulShutdownOctets{0xFF, 0xFF, 0x00, 0x00};

// By our role in a session (RFC 9234):

/// The peer is a provider, a lateral peer or a route server: what it sends is for our customers only.
constexpr bool peerIsAbove(BgpRole ours) {
  return ours == BgpRole::customer || ours == BgpRole::peer || ours == BgpRole::route_server_client;
}
/// The peer is a customer, a lateral peer or a route server's client.
constexpr bool peerIsBelow(BgpRole ours) {
  return ours == BgpRole::provider || ours == BgpRole::peer || ours == BgpRole::route_server;
}

inline AttributeChange setTo(AttributeType type, std::uint32_t value) {
  AttributeChange change{type, std::vector<std::uint8_t>()};
  put32(*change.value, value);
  return change;
}

}  // namespace poplink::host::bgp
