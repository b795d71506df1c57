// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../model/region.h"
#include "poplink/driver/card.h"

namespace poplink::host {

/// The node's card, owned by this program until the value is gone. `purpose`: what a second client is told, e.g.
/// "poplink apply".
driver::Card openCard(const Node& node, const std::string& purpose);

}  // namespace poplink::host
