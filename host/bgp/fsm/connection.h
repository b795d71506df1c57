// SPDX-License-Identifier: Apache-2.0
// One TCP connection to a peer, as the session machine keeps it: its state and its timers. A peer has two of them while
// they collide (RFC 4271 section 6.8).
#pragma once

#include "session_types.h"

namespace poplink::host::bgp {

/// Between 0.75 and 1 times `time` (RFC 4271 section 10), so that sessions do not march in step.
Duration jittered(Duration time, const Random& random);

struct Connection {
  ConnectionId id{};
  bool outgoing = false;
  State state{};      ///< Connect (outgoing) or Active (incoming) until OPEN is sent, else OpenSent and later
  TimePoint begun;    ///< when TCP was there
  bool held = false;  ///< no OPEN is sent as long as the other connection is in OpenConfirm or Established
  std::optional<Negotiated> negotiated;  ///< from OpenConfirm on
  std::optional<TimePoint> established;  ///< since when
  bool keepalive_owed = false;   ///< strict BFD: the KEEPALIVE that confirms the peer's OPEN has not been sent yet
  bool keepalive_heard = false;  ///< and the peer's has come meanwhile

  std::optional<TimePoint> delay_open_timer;
  std::optional<TimePoint> hold_timer;
  std::optional<TimePoint> keepalive_timer;
  std::optional<TimePoint> send_hold_timer;
  std::optional<TimePoint> bfd_timer;  ///< strict BFD: patience in OpenConfirm

  /// Of all its timers.
  std::optional<TimePoint> deadline() const;
  /// HoldTimer after a message of the peer; none if the session never expires.
  void restartHold(TimePoint now);
  void restartKeepalive(const Random& random, TimePoint now);
  /// SendHoldTimer (RFC 9687 section 4): none where there is no hold time.
  void restartSendHold(const SessionSettings& settings, TimePoint now);
};

}  // namespace poplink::host::bgp
