// SPDX-License-Identifier: Apache-2.0
#include "marker_responder.h"

#include <algorithm>

namespace poplink::host::lacp {

std::optional<MarkerPdu> MarkerResponder::receive(const MarkerPdu& pdu, TimePoint now) {
  if (pdu.response) return std::nullopt;
  if (sent_.front() && now < *sent_.front() + kFastPeriodicTime) return std::nullopt;
  std::rotate(sent_.begin(), sent_.begin() + 1, sent_.end());
  sent_.back() = now;
  MarkerPdu response = pdu;
  response.version = 1;
  response.response = true;
  return response;
}

}  // namespace poplink::host::lacp
