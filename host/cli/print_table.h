// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace poplink::host {

/// To the standard output. Columns as wide as their widest cell, nothing behind the last; the first row is the head.
void printTable(const std::vector<std::vector<std::string>>& rows);

}  // namespace poplink::host
