// SPDX-License-Identifier: Apache-2.0
// The Marker Responder (IEEE 802.1AX-2014 6.5.4): returns what a Marker PDU asked, so that a partner that moves a flow
// to another member knows when the old one is empty.
#pragma once

#include <array>
#include <optional>

#include "pdu.h"

namespace poplink::host::lacp {

/// Responses in any second: slow protocols are meant for a few frames, and a flood of markers must not be returned as
/// one. Whoever is refused asks again.
inline constexpr std::size_t kMaxMarkerResponses = 5;

class MarkerResponder {
 public:
  /// The response to `pdu`; none to a response, or beyond the rate.
  std::optional<MarkerPdu> receive(const MarkerPdu& pdu, TimePoint now);
  friend bool operator==(const MarkerResponder&, const MarkerResponder&) = default;

 private:
  std::array<std::optional<TimePoint>, kMaxMarkerResponses> sent_;  ///< the last ones, oldest first
};

}  // namespace poplink::host::lacp
