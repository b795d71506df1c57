// SPDX-License-Identifier: Apache-2.0
// What the daemon keeps over a restart, as a file.
#pragma once

#include <optional>
#include <string>

#include "lag_service.h"

namespace poplink::host {

/// JSON, with a version.
std::string encodeState(const LagSnapshots& lags);
/// Nothing, with the reason in `problem`: it is not what encodeState() of this version writes. Never throws for any
/// text.
std::optional<LagSnapshots> decodeState(const std::string& text, std::string& problem);

/// Replaces the file in one step; who reads meanwhile sees the file before or after. It survives this program, not a
/// loss of power: the card would not either. Throws std::system_error, the file is then as before.
void writeStateFile(const std::string& path, const std::string& text);
/// Nothing: there is no such file. Throws std::system_error when it cannot be read.
std::optional<std::string> readStateFile(const std::string& path);

}  // namespace poplink::host
