// SPDX-License-Identifier: Apache-2.0
// Files to model. Reading checks each value by itself; what values must be to each other is in validate.h.
#pragma once

#include <string>

#include "region.h"

namespace poplink::host {

/// The region file. Throws ConfigError with every problem found, broken product rules included.
Region readRegion(const std::string& file);

/// The node file: {site, card, transport: sim, socket}, {site, card, transport: pci, address or serial, iova} or {site,
/// transport: none} without a card; each with api and state. Throws ConfigError.
Node readNode(const std::string& file);

}  // namespace poplink::host
