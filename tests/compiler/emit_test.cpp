// SPDX-License-Identifier: Apache-2.0
// Text that the emitters write: equal for equal input, named after the source, clean for every reader.
#include "emit.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "compile.h"
#include "names.h"

namespace hlsc {
namespace {

Compiled compileKernel(const std::string& name, double clock_ns = 2.6, unsigned latency = 2) {
  CompileOptions options;
  options.kernel = name;
  options.clock_ns = clock_ns;
  options.lookup_latency = latency;
  options.clang_arguments = {"-I" POPLINK_HLS_INCLUDE};
  return compile(std::string(POPLINK_KERNELS "/") + name + ".cpp", options);
}

TEST(Emit, same_source_gives_the_same_bytes) {
  const EmitOptions options{"torture.cpp", "", {}, 2.6};
  const Compiled first = compileKernel("torture"), second = compileKernel("torture");
  EXPECT_EQ(emitVerilog(first.module, first.schedule, options), emitVerilog(second.module, second.schedule, options));
  EXPECT_EQ(emitHeader(first.module, first.schedule, options), emitHeader(second.module, second.schedule, options));
  EXPECT_EQ(emitPackage(first.module, first.schedule, options), emitPackage(second.module, second.schedule, options));
  EXPECT_EQ(emitReport(first.module, first.schedule, options, first.warnings),
            emitReport(second.module, second.schedule, options, second.warnings));
}

TEST(Emit, smallest_kernel_is_one_register) {
  const Compiled compiled = compileKernel("copy");
  const std::string text = emitVerilog(compiled.module, compiled.schedule, {"copy.cpp", "", {}, 2.6});
  EXPECT_EQ(compiled.schedule.latency, 1U);
  EXPECT_NE(text.find("in_value_s1 <= in_value;"), std::string::npos) << text;
  EXPECT_NE(text.find("assign out_value = in_value_s1;"), std::string::npos) << text;
}

std::vector<std::string> wires(const std::string& text) {
  std::vector<std::string> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("  wire ", 0) == 0 && line.find("_q = {") == std::string::npos) found.push_back(line);
  }
  return found;
}

TEST(Emit, view_for_proofs_is_the_pipeline_without_registers) {
  const Compiled compiled = compileKernel("torture");
  EmitOptions options{"torture.cpp", "", {}, 2.6};
  const std::string pipeline = emitVerilog(compiled.module, compiled.schedule, options);
  options.transparent = true;
  const std::string view = emitVerilog(compiled.module, compiled.schedule, options);
  EXPECT_EQ(wires(view), wires(pipeline));
  EXPECT_EQ(view.find("posedge"), std::string::npos);
}

TEST(Emit, long_switches_and_first_matches_cost_few_stages) {
  EXPECT_LE(compileKernel("switch30").schedule.latency, 2U);
  EXPECT_LE(compileKernel("torture").schedule.latency, 15U);
}

TEST(Emit, carries_source_names_and_lines) {
  const Compiled compiled = compileKernel("torture");
  const std::string text = emitVerilog(compiled.module, compiled.schedule, {"torture.cpp", "", {}, 2.6});
  EXPECT_NE(text.find("// torture.cpp:"), std::string::npos);
  EXPECT_NE(text.find(" sum = "), std::string::npos);
}

TEST(Emit, report_tells_tables_with_packed_fields) {
  const Compiled compiled = compileKernel("torture", 2.6, 3);
  const auto report =
      nlohmann::json::parse(emitReport(compiled.module, compiled.schedule, {"torture.cpp", "", {}, 2.6}, {}));
  EXPECT_EQ(report["latency"], compiled.schedule.latency);
  ASSERT_EQ(report["tables"].size(), 2U);
  EXPECT_EQ(report["tables"][0]["name"], "first");
  EXPECT_EQ(report["tables"][0]["latency"], 3);
  EXPECT_EQ(report["tables"][0]["fields"][1], (nlohmann::json{{"name", "next"}, {"offset", 1}, {"width", 7}}));
}

std::map<std::string, unsigned> latencies(CompileOptions options) {
  options.kernel = "latency";
  options.clang_arguments = {"-I" POPLINK_HLS_INCLUDE};
  std::map<std::string, unsigned> found;
  for (const Lookup& lookup : translate(POPLINK_KERNELS "/latency.cpp", options).lookups)
    found[lookup.table] = lookup.latency;
  return found;
}

TEST(Latency, source_says_it_for_a_table) {
  using Map = std::map<std::string, unsigned>;
  EXPECT_EQ(latencies({}), (Map{{"near", 1}, {"usual", 2}, {"far", 7}, {"count", 5}}));
  CompileOptions options;
  options.lookup_latency = 4;
  EXPECT_EQ(latencies(options), (Map{{"near", 1}, {"usual", 4}, {"far", 7}, {"count", 5}})) << "weaker than the source";
  options.table_latency = {{"far", 3}, {"count", 4}};
  EXPECT_EQ(latencies(options), (Map{{"near", 1}, {"usual", 4}, {"far", 3}, {"count", 4}})) << "stronger";
  options.table_latency = {{"count", 2}};
  EXPECT_THROW(latencies(options), std::exception);
}

TEST(Emit, update_has_ports_body_and_a_place_in_the_report) {
  CompileOptions options;
  options.kernel = "police";
  options.update_ns = 3.5;
  options.clang_arguments = {"-I" POPLINK_HLS_INCLUDE};
  const Compiled compiled = compile(POPLINK_KERNELS "/police.cpp", options);
  const EmitOptions emit{"police.cpp", "", {}, 2.6};
  const std::string pipeline = emitVerilog(compiled.module, compiled.schedule, emit);
  for (const char* port : {"output logic up_count_req_valid", "output logic [9:0] up_count_index",
                           "output logic [13:0] up_count_args", "input  wire logic [131:0] up_count_resp"}) {
    EXPECT_NE(pipeline.find(port), std::string::npos) << port;
  }
  ASSERT_EQ(compiled.bodies.size(), 2U);
  const std::string body = emitVerilog(compiled.bodies[0].module, compiled.bodies[0].schedule, emit);
  EXPECT_NE(body.find("module police_count_update"), std::string::npos);
  EXPECT_EQ(body.find("clk"), std::string::npos);
  EXPECT_EQ(compiled.warnings, std::vector<std::string>{});  // that nobody reads a counter is no surprise
  const auto report = nlohmann::json::parse(
      emitReport(compiled.module, compiled.schedule, emit, {}, {{"count", "police_count_update", 2.5, 2.6}}));
  EXPECT_EQ(report["tables"].size(), 0U);
  ASSERT_EQ(report["updates"].size(), 2U);
  EXPECT_EQ(report["updates"][0]["body"], "police_count_update");
  EXPECT_EQ(report["updates"][0]["index_width"], 10);
  EXPECT_EQ(report["updates"][0]["latency"], kUpdateLatency);
  EXPECT_EQ(report["updates"][0]["args"][0], (nlohmann::json{{"name", "bytes"}, {"offset", 0}, {"width", 14}}));
}

TEST(Emit, counters_of_64_bits_fit_a_clock) {
  CompileOptions options;
  options.kernel = "police";
  options.update_ns = 3.5;
  options.clang_arguments = {"-I" POPLINK_HLS_INCLUDE};
  const Compiled compiled = compile(POPLINK_KERNELS "/police.cpp", options);
  EXPECT_LE(compiled.bodies[0].loop_ns, options.clock_ns);
}

TEST(Names, avoid_keywords_and_the_emitters_own_forms) {
  Module module;
  const Value a = module.netlist.addInput(8, {}), b = module.netlist.addInput(8, {});
  module.inputs = {{"a", "a", 8, a[0].node}, {"b", "b", 8, b[0].node}};
  const char* wishes[] = {"logic", "x_s3", "in_a", "n7", "fine", "fine"};
  for (unsigned i = 0; i < std::size(wishes); ++i) {
    module.netlist.nameValue(module.netlist.add(a, concatenate(slice(b, i, 8 - i), slice(b, 0, i))), wishes[i]);
  }
  const std::vector<std::string> names = nodeNames(module);
  EXPECT_EQ(std::vector<std::string>(names.begin() + 2, names.end()),
            (std::vector<std::string>{"logic_v", "x_s3_v", "in_a_v", "n7_v", "fine", "fine_v2"}));
}

}  // namespace
}  // namespace hlsc
