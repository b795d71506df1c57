// SPDX-License-Identifier: Apache-2.0
// SystemVerilog names for nodes: the source's where it gave one, unique, and never a keyword or a name the emitter
// makes itself.
#pragma once

#include <string>
#include <vector>

#include "module.h"

namespace hlsc {

/// By node: `in_<path>` and `lk_<table>_resp` for sources, the variable's name, or `n<number>`.
std::vector<std::string> nodeNames(const Module& module);

}  // namespace hlsc
