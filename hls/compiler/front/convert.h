// SPDX-License-Identifier: Apache-2.0
// From flat IR to the netlist: instructions to nodes, branches to muxes (gated SSA).
#pragma once

#include <functional>

#include "../module.h"
#include "program.h"

namespace hlsc {

/// Cycles from key to answer.
using TableLatency = std::function<unsigned(const TableUse& table)>;

/// Throws CompileError for what the netlist has no operation for.
Module convertProgram(const Program& program, const std::string& name, const TableLatency& latency);

}  // namespace hlsc
