// SPDX-License-Identifier: Apache-2.0
#include "route_refresh.h"

#include <array>

#include "message.h"

namespace poplink::host::bgp {

namespace {

constexpr std::size_t kBodyBytes = 4, kSubtypeAt = 2;

}  // namespace

std::variant<RouteRefresh, UnknownRefresh, Notification> decodeRouteRefresh(Octets body) {
  if (body.size() <= kSubtypeAt) return badMessageLength(kHeaderBytes + body.size());
  const std::uint8_t subtype = body[kSubtypeAt];
  if (subtype > static_cast<std::uint8_t>(RefreshSubtype::end)) return UnknownRefresh{subtype};
  if (body.size() != kBodyBytes) {
    if (subtype == 0) return badMessageLength(kHeaderBytes + body.size());
    return Notification{ErrorCode::route_refresh, subcode::kInvalidRouteRefreshLength,
                        encodeMessage(MessageType::route_refresh, body)};
  }
  return RouteRefresh{{static_cast<Afi>(read16(body, 0)), static_cast<Safi>(body[3])},
                      static_cast<RefreshSubtype>(subtype)};
}

std::vector<std::uint8_t> encode(const RouteRefresh& refresh) {
  const auto afi = static_cast<std::uint16_t>(refresh.family.afi);
  const std::array<std::uint8_t, kBodyBytes> body{static_cast<std::uint8_t>(afi >> 8), static_cast<std::uint8_t>(afi),
                                                  static_cast<std::uint8_t>(refresh.subtype),
                                                  static_cast<std::uint8_t>(refresh.family.safi)};
  return encodeMessage(MessageType::route_refresh, body);
}

}  // namespace poplink::host::bgp
