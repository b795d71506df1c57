// SPDX-License-Identifier: Apache-2.0
#include "compile.h"

#include <algorithm>

#include "front/convert.h"
#include "optimize.h"

namespace hlsc {

namespace {

/// Signs of a mistake: a lookup nobody reads, an output or key that never changes.
std::vector<std::string> suspicions(const Module& module) {
  std::vector<std::string> warnings;
  std::vector<bool> read(module.netlist.nodes().size(), false);
  const auto mark = [&](const Value& value) {
    for (const Bit& bit : value) {
      if (!bit.isConstant()) read[bit.node] = true;
    }
  };
  for (const Node& node : module.netlist.nodes()) {
    for (const Value& operand : node.operands) mark(operand);
  }
  for (const OutputPort& port : module.outputs) mark(port.value);
  for (const Lookup& lookup : module.lookups) {
    mark(lookup.key);
    mark({lookup.request});
  }
  for (const Lookup& lookup : module.lookups) {
    if (!read[lookup.response]) warnings.push_back("the answer of table '" + lookup.table + "' is never used");
    if (isConstant(lookup.key)) warnings.push_back("the key of table '" + lookup.table + "' is constant");
  }
  for (const OutputPort& port : module.outputs) {
    if (isConstant(port.value)) warnings.push_back("output '" + port.member + "' is constant");
  }
  return warnings;
}

}  // namespace

Module translate(const std::string& source, const CompileOptions& options) {
  Program program = parseSource(source, options.clang_arguments);
  wrapKernel(program, options.kernel);
  flattenProgram(program);
  checkProgram(program);
  for (const auto& [table, latency] : options.table_latency) {
    const bool known = std::any_of(program.tables.begin(), program.tables.end(),
                                   [&](const TableUse& use) { return use.table == table; });
    if (!known)
      throw CompileError("error: --lookup-latency names table '" + table + "', which the kernel does not look up");
  }
  Module module = convertProgram(program, options.kernel, [&](const std::string& table) {
    auto found = options.table_latency.find(table);
    return found == options.table_latency.end() ? options.lookup_latency : found->second;
  });
  verify(module);
  return module;
}

Compiled compile(const std::string& source, const CompileOptions& options) {
  Compiled compiled{translate(source, options), {}, {}, {}};
  compiled.module = optimize(compiled.converted, {options.delays, options.clock_ns});
  compiled.warnings = suspicions(compiled.module);
  compiled.schedule = schedule(compiled.module, options.delays, options.clock_ns);
  compiled.warnings.insert(compiled.warnings.end(), compiled.schedule.warnings.begin(),
                           compiled.schedule.warnings.end());
  return compiled;
}

}  // namespace hlsc
