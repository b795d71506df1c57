// SPDX-License-Identifier: Apache-2.0
// The netlist run as a program: what every pass and the emitted RTL are checked against.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "module.h"

namespace hlsc {

using BitVector = std::vector<bool>;  ///< least significant bit first

/// Answers a lookup: table name and key in, packed entry out.
using TableModel = std::function<BitVector(const std::string& table, const BitVector& key)>;

/// Outputs in the module's order, for inputs in the module's order. X bits read as zero. A lookup that is not requested
/// answers ones.
std::vector<BitVector> evaluate(const Module& module, const std::vector<BitVector>& inputs, const TableModel& tables);

}  // namespace hlsc
