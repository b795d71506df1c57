// SPDX-License-Identifier: Apache-2.0
// ROUTE-REFRESH (RFC 2918), with the marks of RFC 7313 around what it brings.
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "notification.h"
#include "types.h"

namespace poplink::host::bgp {

/// Message Subtype (RFC 7313 section 3.2); what RFC 2918 calls Reserved.
enum class RefreshSubtype : std::uint8_t { request = 0, begin = 1, end = 2 };

struct RouteRefresh {
  Family family{};  ///< any numbers, also such that are not spoken here
  RefreshSubtype subtype = RefreshSubtype::request;
  friend auto operator<=>(const RouteRefresh&, const RouteRefresh&) = default;
};

/// A subtype that nobody knows yet: such a message MUST be ignored (RFC 7313 section 5).
struct UnknownRefresh {
  std::uint8_t subtype = 0;
  friend auto operator<=>(const UnknownRefresh&, const UnknownRefresh&) = default;
};

/// Message body behind the header. A length other than 4 is a ROUTE-REFRESH Message Error for the marks, with the whole
/// message as data (RFC 7313 section 5), and a Bad Message Length for a request: outbound route filters (RFC 5291) are
/// not offered, so nothing may follow.
std::variant<RouteRefresh, UnknownRefresh, Notification> decodeRouteRefresh(std::span<const std::uint8_t> body);
/// The whole message with its header.
std::vector<std::uint8_t> encode(const RouteRefresh& refresh);

}  // namespace poplink::host::bgp
