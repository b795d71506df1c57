// SPDX-License-Identifier: Apache-2.0
// What the region file says of LAGs: their ports, and the keys of LACP.
#pragma once

#include <optional>
#include <vector>

#include "region.h"
#include "yaml_reader.h"

namespace poplink::host {

/// The keys that LACP has in `map`, those of a LAG as those of the defaults: what stands there replaces what is in
/// `settings`. Problems name the key; a mode without LACP is refused by its name and with the reason. Does not finish
/// the map.
void readLacp(YamlMap& map, LacpSettings& settings, Problems& problems);

/// A list of ports, ascending. A problem for each that is named twice, for none, and for more than a LAG may have.
std::vector<PortId> readPorts(YamlMap& map, Problems& problems);

/// The key `lacp_system`, a MAC address as 02:00:00:00:00:01. A problem when it is anything else, a group address or
/// zero.
std::optional<MacAddress> readLacpSystem(YamlMap& map, Problems& problems);

}  // namespace poplink::host
