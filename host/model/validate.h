// SPDX-License-Identifier: Apache-2.0
// The product's rules: what parts of a region must be to each other.
#pragma once

#include "region.h"

namespace poplink::host {

/// Adds a problem for every broken rule.
void validate(const Region& region, Problems& problems);

}  // namespace poplink::host
