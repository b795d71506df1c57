// SPDX-License-Identifier: Apache-2.0
// From a LAG of the region file to the settings of its LACP machines, and the addresses that a card has in LACP.
#pragma once

#include <cstdint>
#include <vector>

#include "../lacp/group.h"
#include "../model/region.h"
#include "tables.h"

namespace poplink::host {

/// Its key is 1 + the number of its link, so it stays when ports come and go above the lowest. `system`: the card's,
/// unless the site names another (`lacp_system`).
lacp::GroupSettings groupSettings(const Lag& lag, const Site& site, const MacAddress& system);

/// Of its ports, in their order. The number of a port in LACP is 1 + its number on the card: 0 is none.
std::vector<lacp::PortSettings> portSettings(const Lag& lag, const Site& site);

/// Of a card: 02, which makes it local (IEEE 802), the low 32 bits of its serial number, 00. A card without one has 0
/// as serial number, as simulated ones may: then seedOf() takes its place.
MacAddress systemAddress(const Region& region, const Node& node, std::uint64_t card_serial);

/// Source of the PDUs of a port: the system's, with 1 + the number of the port as last byte.
MacAddress portAddress(const MacAddress& system, PortId port);

}  // namespace poplink::host
