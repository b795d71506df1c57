// SPDX-License-Identifier: Apache-2.0
// Routes that begin here.
#pragma once

#include "../wire/update.h"
#include "speaker_settings.h"

namespace poplink::host::bgp {

/// ORIGIN IGP and an empty AS_PATH, then what the operator wants.
std::vector<std::uint8_t> canonicalAttributes(const OriginatedRoute& route);
/// 0.0.0.0, of either family: this speaker itself.
NextHop nextHopOf(const OriginatedRoute& route);

}  // namespace poplink::host::bgp
