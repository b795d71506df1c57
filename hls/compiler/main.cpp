// SPDX-License-Identifier: Apache-2.0
// hlsc: a C++ kernel in, a SystemVerilog pipeline out.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "compile.h"
#include "emit.h"
#include "front/diagnostics.h"

namespace {

namespace fs = std::filesystem;

/// Leaves an unchanged file alone, so that what is built from it isn't built again.
void writeIfChanged(const fs::path& path, const std::string& text) {
  std::ifstream before(path, std::ios::binary);
  if (before && std::string(std::istreambuf_iterator<char>(before), {}) == text) return;
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

void applyLatency(const std::string& text, hlsc::CompileOptions& options) {
  const auto equals = text.find('=');
  const std::string digits = equals == std::string::npos ? text : text.substr(equals + 1);
  std::size_t used = 0;
  unsigned long cycles = 0;
  try {
    cycles = std::stoul(digits, &used);
  } catch (const std::exception&) {
  }
  if (digits.empty() || used != digits.size() || cycles < 1 || cycles > 64) {
    throw hlsc::CompileError("error: --lookup-latency " + text + ": cycles are a number from 1 to 64");
  }
  if (equals == std::string::npos)
    options.lookup_latency = static_cast<unsigned>(cycles);
  else
    options.table_latency[text.substr(0, equals)] = static_cast<unsigned>(cycles);
}

std::vector<hlsc::BodyReport> bodyReports(const hlsc::Compiled& compiled) {
  std::vector<hlsc::BodyReport> reports;
  reports.reserve(compiled.bodies.size());
  for (const hlsc::UpdateBody& body : compiled.bodies)
    reports.push_back({body.table, body.module.name, body.loop_ns, body.limit_ns});
  return reports;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"hlsc: compiles a C++ kernel to a free-running SystemVerilog pipeline (II = 1)"};
  hlsc::CompileOptions options;
  std::string source, family = "xcup";
  fs::path folder, proof;
  std::vector<std::string> latencies, includes, macros;
  app.add_option("--top", options.kernel, "Kernel function: void NAME(const In&, Out&)")->required();
  app.add_option("--family", family, "Delay model: xcup, xc7 or ecp5")->capture_default_str();
  app.add_option("--clock-ns", options.clock_ns, "Time per stage, nanoseconds")
      ->check(CLI::Range(0.5, 1000.0))
      ->capture_default_str();
  app.add_option("--lookup-latency", latencies,
                 "Cycles from key to entry: TABLE=N for one table whatever the source says, N for all that it says "
                 "nothing of (default 2; an update's are 3)");
  app.add_option("--update-ns", options.update_ns, "Time for an update's loop, nanoseconds (default: --clock-ns)")
      ->check(CLI::Range(0.5, 1000.0));
  app.add_option("-I", includes, "Folder of headers");
  app.add_option("-D", macros, "Macro");
  app.add_option("-o", folder, "Folder for NAME.sv, NAME_pkg.sv, NAME_rtl.h, NAME.json")->required();
  app.add_option("--proof", proof,
                 "Folder for NAME_{converted,optimized,pipelined}.sv: combinational, for equivalence");
  app.add_option("source", source, "C++ source")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    for (const std::string& text : latencies) applyLatency(text, options);
    options.delays.family = hlsc::familyNamed(family);
    for (const std::string& path : includes) options.clang_arguments.push_back("-I" + path);
    for (const std::string& macro : macros) options.clang_arguments.push_back("-D" + macro);
    const hlsc::Compiled compiled = hlsc::compile(source, options);
    for (const std::string& warning : compiled.warnings) std::cerr << source << ": warning: " << warning << "\n";
    char clock[32];
    std::snprintf(clock, sizeof clock, "%g", options.clock_ns);
    hlsc::EmitOptions emit{fs::path(source).filename().string(), "family " + family + ", clock " + clock + " ns",
                           options.delays, options.clock_ns};
    fs::create_directories(folder);
    writeIfChanged(folder / (options.kernel + ".sv"), emitVerilog(compiled.module, compiled.schedule, emit));
    writeIfChanged(folder / (options.kernel + "_pkg.sv"), emitPackage(compiled.module, compiled.schedule, emit));
    writeIfChanged(folder / (options.kernel + "_rtl.h"), emitHeader(compiled.module, compiled.schedule, emit));
    writeIfChanged(folder / (options.kernel + ".json"),
                   emitReport(compiled.module, compiled.schedule, emit, compiled.warnings, bodyReports(compiled)));
    for (const hlsc::UpdateBody& body : compiled.bodies)
      writeIfChanged(folder / (body.module.name + ".sv"), emitVerilog(body.module, body.schedule, emit));
    if (!proof.empty()) {
      fs::create_directories(proof);
      writeIfChanged(proof / (options.kernel + "_converted.sv"), emitNetlist(compiled.converted, emit.source));
      writeIfChanged(proof / (options.kernel + "_optimized.sv"), emitNetlist(compiled.module, emit.source));
      for (const hlsc::UpdateBody& body : compiled.bodies) {
        const std::string& name = body.module.name;
        writeIfChanged(proof / (name + "_converted.sv"), emitNetlist(body.converted, emit.source));
        writeIfChanged(proof / (name + "_optimized.sv"), emitNetlist(body.module, emit.source));
        writeIfChanged(proof / (name + "_pipelined.sv"), emitVerilog(body.module, body.schedule, emit));
      }
      emit.transparent = true;
      writeIfChanged(proof / (options.kernel + "_pipelined.sv"), emitVerilog(compiled.module, compiled.schedule, emit));
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  return 0;
}
