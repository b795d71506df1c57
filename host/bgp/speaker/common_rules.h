// SPDX-License-Identifier: Apache-2.0
// What import and export have in common.
#pragma once

#include <array>

#include "../policy/policy_settings.h"
#include "../wire/attributes.h"
#include "../wire/open.h"

namespace poplink::host::bgp {

/// A community as it is in the attribute.
constexpr std::array<std::uint8_t, 4> octetsOf(Community community) {
  const std::uint32_t value = community.value;
  return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
          static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}
inline constexpr std::array<std::uint8_t, 4> kNoExportOctets = octetsOf(kNoExport),
                                             kNoAdvertiseOctets = octetsOf(kNoAdvertise),
                                             kNoExportSubconfedOctets = octetsOf(kNoExportSubconfed),
                                             kGracefulShutdownOctets = octetsOf(kGracefulShutdown);

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
