// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../capture/capture_hub.h"
#include "router.h"

namespace poplink::host::api {

/// `GET /v1/capture`: a stream of frames (docs/api.md). `now_us`: microseconds since 1970, asked for when a client
/// comes; from then on the card's time counts. Hub and card are there as long as requests come.
void captureRoutes(Router& router, CaptureHub& hub, driver::Transport& card, std::function<std::uint64_t()> now_us);

}  // namespace poplink::host::api
