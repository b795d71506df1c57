// SPDX-License-Identifier: Apache-2.0
// The whole way from a kernel's source to a scheduled netlist.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "schedule.h"

namespace hlsc {

struct CompileOptions {
  std::string kernel;
  DelayModel delays;
  double clock_ns = 2.6;
  unsigned lookup_latency = 2;  ///< where neither the source (HLS_LATENCY) nor table_latency says another
  double update_ns = 0;         ///< what the loop of an update may take; 0: a clock
  std::map<std::string, unsigned> table_latency;  ///< stronger than what the source says
  std::vector<std::string> clang_arguments;       ///< -I and -D
};

/// What an update makes of a table's entry; stands in rtl/core/update_ram.sv.
struct UpdateBody {
  std::string table;
  std::string place;  ///< `file:line` of the function
  Module converted;   ///< before any pass
  Module module;
  Schedule schedule;
  double loop_ns = 0;   ///< from the entry's register through body and forwarding back to it
  double limit_ns = 0;  ///< what that may take
};

struct Compiled {
  Module converted;  ///< before any pass
  Module module;
  Schedule schedule;
  std::vector<std::string> warnings;
  std::vector<UpdateBody> bodies;
};

/// The netlist as converted, before any pass. Throws CompileError (front/diagnostics.h) with `file:line: error: ...`
/// lines.
Module translate(const std::string& source, const CompileOptions& options);

/// translate, optimize, schedule; the same for the bodies of updates. Throws CompileError when a body does not fit.
Compiled compile(const std::string& source, const CompileOptions& options);

}  // namespace hlsc
