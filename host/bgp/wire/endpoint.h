// SPDX-License-Identifier: Apache-2.0
// One end of a TCP connection.
#pragma once

#include "types.h"

namespace poplink::host::bgp {

inline constexpr std::uint16_t kBgpPort = 179;

struct Endpoint {
  Address address{};
  std::uint16_t port = kBgpPort;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

/// "192.0.2.1 port 179"
inline std::string toString(const Endpoint& endpoint) {
  return toString(endpoint.address) + " port " + std::to_string(endpoint.port);
}

}  // namespace poplink::host::bgp
