// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace poplink::host::bgp {

/// Since the pool was made.
struct TcpCounters {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;    ///< connections to us of somebody who may not
  std::uint64_t connected = 0;  ///< by connect()
  /// How often there was no descriptor (or memory) to accept somebody. They wait in the backlog, and it is tried again
  /// in a moment.
  std::uint64_t shortages = 0;
};

}  // namespace poplink::host::bgp
