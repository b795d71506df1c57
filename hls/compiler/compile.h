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
  unsigned lookup_latency = 2;
  std::map<std::string, unsigned> table_latency;  ///< differs from lookup_latency
  std::vector<std::string> clang_arguments;       ///< -I and -D
};

struct Compiled {
  Module converted;  ///< before any pass
  Module module;
  Schedule schedule;
  std::vector<std::string> warnings;
};

/// The netlist as converted, before any pass. Throws CompileError (front/diagnostics.h) with `file:line: error: ...`
/// lines.
Module translate(const std::string& source, const CompileOptions& options);

/// translate, optimize, schedule.
Compiled compile(const std::string& source, const CompileOptions& options);

}  // namespace hlsc
