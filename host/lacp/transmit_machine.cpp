// SPDX-License-Identifier: Apache-2.0
#include "transmit_machine.h"

#include <algorithm>

namespace poplink::host::lacp {

std::optional<Lacpdu> TransmitMachine::run(PortVariables& port, PeriodicState periodic, TimePoint now) {
  if (!port.lacp_enabled || periodic == PeriodicState::NO_PERIODIC) port.ntt = false;
  const std::optional<TimePoint> allowed = deadline(port);
  if (!allowed || now < *allowed) return std::nullopt;
  port.ntt = false;
  std::rotate(sent_.begin(), sent_.begin() + 1, sent_.end());
  sent_.back() = now;
  return Lacpdu{1, port.actor, port.partner, 0};
}

std::optional<TimePoint> TransmitMachine::deadline(const PortVariables& port) const {
  if (!port.ntt) return std::nullopt;
  return sent_.front() ? *sent_.front() + kFastPeriodicTime : TimePoint::min();
}

}  // namespace poplink::host::lacp
