// SPDX-License-Identifier: Apache-2.0
// Keys of TCP sessions (RFC 2385). They are in files of their own, and in no message.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "../../config/yaml_reader.h"

namespace poplink::host::bgp {

/// The first line of the file that `key` names as file:PATH, below `folder` unless PATH is absolute; empty: `none`.
/// Nothing without the key, and after a problem, which never says what the file holds.
std::optional<std::string> optionalKey(YamlMap& map, const std::string& key, const std::filesystem::path& folder,
                                       Problems& problems);

}  // namespace poplink::host::bgp
