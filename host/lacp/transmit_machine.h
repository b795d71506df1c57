// SPDX-License-Identifier: Apache-2.0
// The Transmit machine (IEEE 802.1AX-2014 6.4.16): a PDU when one is needed, and never more than three in any second.
#pragma once

#include <array>
#include <optional>

#include "pdu.h"
#include "periodic_machine.h"

namespace poplink::host::lacp {

class TransmitMachine {
 public:
  /// The PDU to send now, if one is needed and allowed; NTT is then cleared. In NO_PERIODIC or with LACP disabled NTT
  /// is cleared without one.
  std::optional<Lacpdu> run(PortVariables& port, PeriodicState periodic, TimePoint now);
  /// When a PDU that is needed may be sent: none if none is needed.
  std::optional<TimePoint> deadline(const PortVariables& port) const;
  /// Another program has sent until just now: one PDU is allowed at once.
  void resume(TimePoint now) { sent_ = {std::nullopt, now, now}; }
  friend bool operator==(const TransmitMachine&, const TransmitMachine&) = default;

 private:
  std::array<std::optional<TimePoint>, kMaxTransmit> sent_;  ///< the last ones, oldest first
};

}  // namespace poplink::host::lacp
