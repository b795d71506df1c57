// SPDX-License-Identifier: Apache-2.0
#include "connection.h"

#include <algorithm>

namespace poplink::host::bgp {

Duration jittered(Duration time, const Random& random) {
  const double part = 0.75 + 0.25 * std::clamp(random(), 0.0, 1.0);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double, Duration::period>(time) * part);
}

std::optional<TimePoint> Connection::deadline() const {
  std::optional<TimePoint> first;
  for (const auto& timer : {delay_open_timer, hold_timer, keepalive_timer, send_hold_timer, bfd_timer})
    if (timer && (!first || *timer < *first)) first = timer;
  return first;
}

void Connection::restartHold(TimePoint now) {
  hold_timer.reset();
  if (negotiated->hold != Duration{}) hold_timer = now + negotiated->hold;
}

void Connection::restartKeepalive(const Random& random, TimePoint now) {
  keepalive_timer.reset();
  if (negotiated->keepalive != Duration{}) keepalive_timer = now + jittered(negotiated->keepalive, random);
}

void Connection::restartSendHold(const SessionSettings& settings, TimePoint now) {
  send_hold_timer.reset();
  if (negotiated->hold == Duration{}) return;
  const Duration longest = std::max<Duration>(std::chrono::minutes(8), 2 * negotiated->hold);
  send_hold_timer = now + (settings.send_hold != Duration{} ? settings.send_hold : longest);
}

}  // namespace poplink::host::bgp
