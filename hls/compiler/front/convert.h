// SPDX-License-Identifier: Apache-2.0
// From flat IR to the netlist: instructions to nodes, branches to muxes (gated SSA).
#pragma once

#include <functional>

#include "../module.h"
#include "program.h"

namespace hlsc {

/// Cycles from key to answer, by table.
using TableLatency = std::function<unsigned(const std::string& table)>;

/// Throws CompileError for what the netlist has no operation for.
Module convertProgram(const Program& program, const std::string& name, const TableLatency& latency);

}  // namespace hlsc
