// SPDX-License-Identifier: Apache-2.0
// Where octets that have come are put: one place for all connections, for each is done with it before the next.
#pragma once

#include <array>
#include <cstdint>

namespace poplink::host::bgp {

struct ReadRoom {
  /// So much is read of one connection before others have their turn.
  std::array<std::uint8_t, std::size_t{64} << 10> octets;
  bool used = false;  ///< somebody is being told of what is in there
};

}  // namespace poplink::host::bgp
