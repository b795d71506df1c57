// SPDX-License-Identifier: Apache-2.0
// Which frames the card copies to the ring of class digests (docs/host-path.md, section 5).
#pragma once

#include <bitset>
#include <optional>

#include "poplink/driver/transport.h"

namespace poplink::driver {

/// Frames that meet all of it. What the card keeps for the host goes to the ring of its class and is not copied.
struct Capture {
  std::bitset<17> ports;     ///< ingress ports; 16: the host's own frames
  std::bitset<64> outcomes;  ///< 0: forwarded; else drop reasons
  std::optional<unsigned> service;
};

/// Frames that the ingress buffer undoes (bad, runt, oversize, overflow) never exist as frames inside the card.
constexpr bool canCapture(unsigned reason) {
  return reason < 32 || reason > 35;
}

void startCapture(Transport& transport, const Capture& capture);
void stopCapture(Transport& transport);

/// From now on a frame that is forwarded comes as a copy, too, when its source address is new on its port, of these
/// ports (none: of no port): another one than its slot saw last, or not seen for 268 s. None that is new is missed, but
/// some come again, because addresses share 16384 slots.
void learnAddresses(Transport& transport, std::bitset<16> ports);

/// Card time, in microseconds.
std::uint64_t cardTime(Transport& transport);

}  // namespace poplink::driver
