// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "poplink/driver/card.h"
#include "router.h"

namespace poplink::host::api {

/// What host/report tells of a card, and its registers to write (docs/api.md). Router and card outlive each other's
/// use: `card` is there as long as requests come. `root`: where /sys begins.
void cardRoutes(Router& router, driver::Card& card, const std::string& root = "");

}  // namespace poplink::host::api
