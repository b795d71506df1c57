// SPDX-License-Identifier: Apache-2.0
// Link-local protocols: 01:80:C2:00:00:00-0F never leaves the link (IEEE 802.1Q-2022 clause 8.6.3), whatever the
// service.
#pragma once

#include "parse.h"

namespace poplink::kernels {

/// The reason to keep a frame on its link, or Drop::none. `type` is the 16 bits behind the addresses, tags not skipped:
/// these protocols are never tagged, and a tagged frame to such an address stays out all the same.
inline Drop linkLocal(bits<48> destination, bits<16> type) {
  if (static_cast<bits<44>>(destination >> 4) != 0x0180'C200'000) return Drop::none;
  if (type == 0x8808) return Drop::pause;
  if (type == 0x8809) return Drop::slow_protocol;
  if (type == 0x88CC) return Drop::lldp;
  if (static_cast<bits<4>>(destination) == 0) return Drop::stp;
  return Drop::link_local_other;
}

/// FCoE (0x8906), FIP (0x8914), TRILL (0x22F3) and its IS-IS (0x22F4) assume a fabric that the service is not.
inline bool isUnsupported(bits<16> ethertype) {
  return ethertype == 0x8906 || ethertype == 0x8914 || ethertype == 0x22F3 || ethertype == 0x22F4;
}

}  // namespace poplink::kernels
