// SPDX-License-Identifier: Apache-2.0
// The speaker file's `prefix_lists` and `policies`. Each value is checked by itself here; what values must be to each
// other is in problems().
#pragma once

#include "../../config/yaml_reader.h"
#include "../policy/policy_settings.h"

namespace poplink::host::bgp {

/// Both keys of the file; either may be missing.
PolicyBook readPolicyBook(YamlMap& file, Problems& problems);

/// Communities, each once; one at least if the key is there.
std::vector<AnyCommunity> readCommunities(YamlMap& map, const std::string& key, Problems& problems);

}  // namespace poplink::host::bgp
