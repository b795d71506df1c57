// SPDX-License-Identifier: Apache-2.0
// The rules of LAGs: which ports may be one, and who may use them.
#pragma once

#include "region.h"

namespace poplink::host {

/// Adds a problem for every broken rule. Of ports that a service names, existence and use are not checked here.
void validateLags(const Region& region, Problems& problems);

}  // namespace poplink::host
