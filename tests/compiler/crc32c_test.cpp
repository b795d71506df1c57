// SPDX-License-Identifier: Apache-2.0
// A hash kernel's networks: the same natively, as the netlist before and after the passes, and as RTL; and small.
#include "kernels/crc32c.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "../support/kernel_bench.h"
#include "Vcrc32c.h"
#include "compile.h"
#include "crc32c_rtl.h"
#include "evaluate.h"
#include "optimize.h"

namespace crc32c {
namespace {

In randomInput(std::mt19937_64& random) {
  In in{};
  crc32c_rtl::forEachInput(in, [&](const char*, auto& member) { poplink::tests::randomise(member, random); });
  return in;
}

std::vector<hlsc::BitVector> outputBits(Out& out) {
  std::vector<hlsc::BitVector> all;
  crc32c_rtl::forEachOutput(out,
                            [&](const char*, auto& member) { poplink::tests::appendBits(member, all.emplace_back()); });
  return all;
}

TEST(Crc32c, netlist_equals_source_and_is_small) {
  hlsc::CompileOptions options;
  options.kernel = "crc32c";
  options.clang_arguments = {"-I" POPLINK_HLS_INCLUDE};
  const hlsc::Module raw = hlsc::translate(POPLINK_KERNELS "/crc32c.cpp", options);
  const hlsc::Module optimized = hlsc::optimize(raw);
  EXPECT_GT(raw.netlist.nodes().size(), 500U);
  EXPECT_LT(optimized.netlist.nodes().size(), 120U);
  const auto parities = std::count_if(optimized.netlist.nodes().begin(), optimized.netlist.nodes().end(),
                                      [](const hlsc::Node& node) { return node.kind == hlsc::Kind::parity; });
  EXPECT_EQ(parities, 2) << "the CRC in two halves, because one is deeper than the clock; crc ^ seed shares it";
  std::mt19937_64 random(1);
  for (int round = 0; round < 1000; ++round) {
    In in = randomInput(random);
    Out out{};
    crc32c(in, out);
    std::vector<hlsc::BitVector> inputs;
    crc32c_rtl::forEachInput(
        in, [&](const char*, auto& member) { poplink::tests::appendBits(member, inputs.emplace_back()); });
    ASSERT_EQ(hlsc::evaluate(raw, inputs, {}), outputBits(out)) << "raw, round " << round;
    ASSERT_EQ(hlsc::evaluate(optimized, inputs, {}), outputBits(out)) << "optimized, round " << round;
  }
}

struct Bench {
  using In = crc32c::In;
  using Out = crc32c::Out;
  using Dut = Vcrc32c;
  static constexpr unsigned kLatency = crc32c_rtl::kLatency;

  static In makeInput(std::mt19937_64& random) { return randomInput(random); }
  static Out native(const In& in) {
    Out out{};
    crc32c(in, out);
    return out;
  }
  static void drive(Dut& dut, const In& in) { crc32c_rtl::drive(dut, in); }
  static void sample(const Dut& dut, Out& out) { crc32c_rtl::sample(dut, out); }
  static bool compare(Out& want, Out& got) { return outputBits(want) == outputBits(got); }
  static void step(Dut&, std::mt19937_64&) {}
};

TEST(Crc32c, rtl_equals_source) {
  Vcrc32c dut;
  Bench bench;
  EXPECT_EQ(poplink::tests::runDifferential(bench, dut, 100'000, 5).packets, 100'000U);
}

}  // namespace
}  // namespace crc32c
