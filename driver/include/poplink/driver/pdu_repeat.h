// SPDX-License-Identifier: Apache-2.0
// The card sends a port's last PDU again while nobody sends a newer one, so that a LACP partner does not drop the port
// while this program starts again (docs/host-path.md, section 7; IEEE 802.1AX-2014 6.4.16). Cards with a register map
// before 2.5 cannot: Card::repeatsPdus(). All of it throws DriverError for a port above 15 and when the card refuses.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>

#include "poplink/driver/transport.h"

namespace poplink::driver {

/// Of card time, each less than 2^32 us, which is 71 minutes.
struct Repetition {
  std::chrono::microseconds wait;      ///< from the last sign of this program to the first repetition
  std::chrono::microseconds interval;  ///< from one repetition to the next, at least 1 us
  std::chrono::microseconds lifetime;  ///< from the last sign of this program to the end of all repetition
};

/// From now on the card repeats `frame`, which is 60 to 128 bytes without FCS, on `port`, as it is. Replaces what it
/// repeated there before, whole and at once. A port without link repeats nothing, and one whose link falls stops: see
/// repetition(). Throws DriverError, before anything is written, for a frame or a time out of range.
void repeatFrame(Transport& transport, unsigned port, std::span<const std::uint8_t> frame,
                 const Repetition& repetition);

/// A sign of this program: `wait` and `lifetime` begin anew. One register write. On a port that repeats nothing,
/// nothing happens: what has ended with the link or with its lifetime has to be given anew.
void refreshRepetition(Transport& transport, unsigned port);

void stopRepeating(Transport& transport, unsigned port);

struct RepetitionState {
  bool armed = false;      ///< the frame will be repeated
  std::uint32_t sent = 0;  ///< frames repeated on this port since the card's reset, modulo 2^32
  friend bool operator==(const RepetitionState&, const RepetitionState&) = default;
};
RepetitionState repetition(Transport& transport, unsigned port);

}  // namespace poplink::driver
