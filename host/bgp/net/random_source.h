// SPDX-License-Identifier: Apache-2.0
// The chance that a speaker is given: pure code gets it handed in.
#pragma once

#include "../fsm/session_types.h"
#include "../rib/hash_key.h"

namespace poplink::host::bgp {

/// For jitter. They are no secret: 32 bits are behind all of them.
Random randomNumbers();
/// Another one each time, all of it from the kernel. Throws std::system_error: it has none.
HashKey randomHashKey();

}  // namespace poplink::host::bgp
