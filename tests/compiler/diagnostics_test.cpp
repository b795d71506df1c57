// SPDX-License-Identifier: Apache-2.0
// Each kernel in bad/ says in lines "// expect TEXT" what the compiler must answer, in this order, and may say with
// "// errors N" that it answers with so many errors and no more.
#include "front/diagnostics.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "compile.h"

namespace hlsc {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> badKernels() {
  std::vector<std::string> names;
  for (const auto& file : fs::directory_iterator(POPLINK_BAD_KERNELS)) {
    if (file.path().extension() == ".cpp") names.push_back(file.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// What follows `// WORD ` at the start of a line.
std::vector<std::string> comments(const fs::path& source, const std::string& word) {
  const std::string start = "// " + word + " ";
  std::vector<std::string> found;
  std::ifstream file(source);
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(start, 0) == 0) found.push_back(line.substr(start.size()));
  }
  return found;
}

std::size_t countErrors(const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = text.find("error: "); at != std::string::npos; at = text.find("error: ", at + 1)) ++count;
  return count;
}

CompileOptions kernelOptions() {
  CompileOptions options;
  options.kernel = "kernel";
  options.clang_arguments = {"-I" POPLINK_HLS_INCLUDE};
  return options;
}

class BadKernel : public ::testing::TestWithParam<std::string> {};

TEST_P(BadKernel, is_refused_with_place_and_rule) {
  const fs::path source = fs::path(POPLINK_BAD_KERNELS) / (GetParam() + ".cpp");
  const std::vector<std::string> wants = comments(source, "expect"), errors = comments(source, "errors");
  ASSERT_FALSE(wants.empty());
  try {
    compile(source.string(), kernelOptions());
    FAIL() << "compiled";
  } catch (const CompileError& error) {
    const std::string text = error.what();
    std::size_t from = 0;  // the lines come in this order
    for (const std::string& want : wants) {
      from = text.find(want, from);
      ASSERT_NE(from, std::string::npos) << want << "\nis not told, or not in its order:\n" << text;
    }
    EXPECT_GE(countErrors(text), 1U) << text;
    if (!errors.empty()) EXPECT_EQ(std::to_string(countErrors(text)), errors[0]) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(kernels, BadKernel, ::testing::ValuesIn(badKernels()),
                         [](const auto& info) { return info.param; });

TEST(Diagnostics, there_are_enough_bad_kernels) {
  EXPECT_GE(badKernels().size(), 25U);
}

TEST(Diagnostics, missing_source_is_named) {
  EXPECT_THROW(compile("/nowhere/kernel.cpp", kernelOptions()), CompileError);
}

TEST(Diagnostics, latency_of_an_unknown_table_is_refused) {
  CompileOptions options;
  options.kernel = "copy";
  options.clang_arguments = {"-I" POPLINK_HLS_INCLUDE};
  options.table_latency["nothing"] = 3;
  EXPECT_THROW(compile(POPLINK_KERNELS "/copy.cpp", options), CompileError);
}

TEST(Diagnostics, unused_answers_and_constant_outputs_are_reported) {
  CompileOptions options;
  options.kernel = "suspicious";
  options.clang_arguments = {"-I" POPLINK_HLS_INCLUDE};
  const Compiled compiled = compile(POPLINK_KERNELS "/suspicious.cpp", options);
  EXPECT_EQ(compiled.warnings,
            (std::vector<std::string>{"the answer of table 't' is never used", "output 'fixed' is constant"}));
}

}  // namespace
}  // namespace hlsc
