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
    if (lookup.is_update) continue;  // one that only counts is as it should be
    if (!read[lookup.response]) warnings.push_back("the answer of table '" + lookup.table + "' is never used");
    if (isConstant(lookup.key)) warnings.push_back("the key of table '" + lookup.table + "' is constant");
  }
  for (const OutputPort& port : module.outputs) {
    if (isConstant(port.value)) warnings.push_back("output '" + port.member + "' is constant");
  }
  return warnings;
}

unsigned latencyOf(const TableUse& use, const CompileOptions& options) {
  const auto found = options.table_latency.find(use.table);
  if (found != options.table_latency.end()) {
    if (use.is_update && found->second < kUpdateLatency)
      throw CompileError("error: --lookup-latency " + use.table + "=" + std::to_string(found->second) +
                         ": an update is answered after at least " + std::to_string(kUpdateLatency) + " cycles");
    return found->second;
  }
  if (use.latency != 0) return use.latency;
  return use.is_update ? kUpdateLatency : options.lookup_latency;
}

/// One stage, whatever it takes; `loop_ns` tells.
UpdateBody translateBody(Program program, const TableUse& use, const CompileOptions& options) {
  wrapBody(program, use);
  flattenProgram(program);
  checkProgram(program);
  UpdateBody body{use.table,
                  use.body->getFilename().str() + ":" + std::to_string(use.body->getLine()),
                  convertProgram(program, options.kernel + "_" + use.table + "_update", {}),
                  {},
                  {},
                  0,
                  0};
  verify(body.converted);
  return body;
}

Module translateAll(const std::string& source, const CompileOptions& options, std::vector<UpdateBody>* bodies) {
  Program program = parseSource(source, options.clang_arguments);
  const Program untouched = bodies == nullptr ? Program{} : program.copy();
  wrapKernel(program, options.kernel);
  flattenProgram(program);
  checkProgram(program);
  for (const auto& [table, latency] : options.table_latency) {
    const bool known = std::any_of(program.tables.begin(), program.tables.end(),
                                   [&](const TableUse& use) { return use.table == table; });
    if (!known)
      throw CompileError("error: --lookup-latency names table '" + table + "', which the kernel does not look up");
  }
  Module module = convertProgram(program, options.kernel, [&](const TableUse& use) { return latencyOf(use, options); });
  verify(module);
  if (bodies == nullptr) return module;
  for (const TableUse& use : program.tables) {
    if (use.is_update) bodies->push_back(translateBody(untouched.copy(), use, options));
  }
  return module;
}

std::string nanoseconds(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f ns", value);
  return text;
}

/// The loop: out of the entry's register, through the body, past the choice of what comes next, and in again.
void finishBody(UpdateBody& body, const CompileOptions& options) {
  body.limit_ns = options.update_ns > 0 ? options.update_ns : options.clock_ns;
  const unsigned width = body.converted.inputs[0].width;
  const double forwarding = options.delays.operation(Kind::mux, width, width);
  body.module = optimize(body.converted, {options.delays, std::max(0.1, body.limit_ns - forwarding)});
  body.schedule = schedule(body.module, options.delays, 1e9);
  body.schedule.latency = 0;
  body.loop_ns = std::max(options.delays.registerOut(), body.schedule.longest_ns) + forwarding;
  if (body.loop_ns <= body.limit_ns) return;
  throw CompileError(body.place + ": error: the body of update_" + body.table + "() does not fit: its loop takes " +
                     nanoseconds(body.loop_ns) + " with registers and forwarding, at most " +
                     nanoseconds(body.limit_ns) +
                     " are allowed; compute before, in the kernel, what does not need the entry, compare beside the "
                     "addition, or allow more (--update-ns)");
}

}  // namespace

Module translate(const std::string& source, const CompileOptions& options) {
  return translateAll(source, options, nullptr);
}

Compiled compile(const std::string& source, const CompileOptions& options) {
  Compiled compiled;
  compiled.converted = translateAll(source, options, &compiled.bodies);
  for (UpdateBody& body : compiled.bodies) finishBody(body, options);
  compiled.module = optimize(compiled.converted, {options.delays, options.clock_ns});
  compiled.warnings = suspicions(compiled.module);
  compiled.schedule = schedule(compiled.module, options.delays, options.clock_ns);
  compiled.warnings.insert(compiled.warnings.end(), compiled.schedule.warnings.begin(),
                           compiled.schedule.warnings.end());
  return compiled;
}

}  // namespace hlsc
