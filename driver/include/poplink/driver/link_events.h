// SPDX-License-Identifier: Apache-2.0
// Which ports' links have changed, also when they have changed back (docs/host-path.md, section 4).
#pragma once

#include <bitset>

#include "poplink/driver/transport.h"

namespace poplink::driver {

/// Vector of Transport::vectors() that fires when a port has changed, once for every takeLinkEvents().
inline constexpr unsigned kEventVector = 8;

/// Ports whose link, module, fault or loss of light has changed since the last call, at the first call since the card's
/// reset. They are cleared and the vector is armed again, in this order, and a change that comes meanwhile is in this
/// answer or in the next one: look at the ports behind the call, not before. Rings that stopped with an error are
/// cleared too, else the vector would fire for them again and again; Ring::check() tells of them.
std::bitset<16> takeLinkEvents(Transport& transport);

}  // namespace poplink::driver
