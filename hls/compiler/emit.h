// SPDX-License-Identifier: Apache-2.0
// What hlsc writes for a scheduled module. Equal modules give equal text.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "pieces.h"

namespace hlsc {

struct EmitOptions {
  std::string source;   ///< the kernel's file name, for the heads of the files
  std::string options;  ///< the options that shaped the result, for the heads
  DelayModel delays;
  double clock_ns = 2.6;
  bool transparent = false;  ///< registers and delay lines as wires, for proofs: the same text otherwise
};

/// NAME.sv: the pipeline, or a combinational module.
std::string emitVerilog(const Module& module, const Schedule& schedule, const EmitOptions& options);
/// The netlist with the pipeline's ports and without its emitter: one plain wire per node, for proofs.
std::string emitNetlist(const Module& module, const std::string& source);
/// NAME_pkg.sv: latency and widths as constants.
std::string emitPackage(const Module& module, const Schedule& schedule, const EmitOptions& options);
/// NAME_rtl.h: C++ templates between the kernel's structs and a Verilated model's ports.
std::string emitHeader(const Module& module, const Schedule& schedule, const EmitOptions& options);
/// What the report says of an update's body.
struct BodyReport {
  std::string table;
  std::string module;   ///< its name
  double loop_ns = 0;   ///< from the entry's register through body and forwarding back to it
  double limit_ns = 0;  ///< what that may take
};
/// NAME.json: the report.
std::string emitReport(const Module& module, const Schedule& schedule, const EmitOptions& options,
                       const std::vector<std::string>& warnings, const std::vector<BodyReport>& bodies = {});

}  // namespace hlsc
