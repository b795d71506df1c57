// SPDX-License-Identifier: Apache-2.0
// A captured frame as a record of `GET /v1/capture` (docs/api.md).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "message.h"
#include "poplink/driver/rings.h"

namespace poplink::host::api {

/// `time_us`: since 1970, of the card's decision.
Json captureRecord(const driver::HostFrame& frame, std::uint64_t time_us);

/// A record read back, to be moved only: the frame's bytes are this record's.
struct CaptureRecord {
  driver::HostFrame frame;  ///< with `us` since 1970; its bytes are those below
  std::vector<std::uint8_t> bytes;
};

/// Nothing: it is none (an Ethernet header is missing, a number is of no card), or tells of lost frames only.
std::optional<CaptureRecord> captureRecordOf(const Json& json);

}  // namespace poplink::host::api
