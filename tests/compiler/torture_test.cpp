// SPDX-License-Identifier: Apache-2.0
// The torture kernel four ways: run natively, as the netlist before and after the passes, and as Verilated RTL.
#include "kernels/torture.h"

#include <gtest/gtest.h>

#include "../support/kernel_bench.h"
#include "Vtorture.h"
#include "compile.h"
#include "evaluate.h"
#include "optimize.h"
#include "torture_rtl.h"

namespace torture {

// Tables as functions of their key: every answer is defined, one in four entries is invalid.
FirstEntry lookup_first(bits<8> key) {
  return {key % 4 != 0, static_cast<bits<7>>(key * 29 + 3)};
}
SecondEntry lookup_second(bits<12> key) {
  return {static_cast<bits<11>>(static_cast<unsigned>(key) * 2654435761U >> 13)};
}

namespace {

using poplink::tests::AnswerLine;
using poplink::tests::appendBits;

In randomInput(std::mt19937_64& random) {
  In in{};
  torture_rtl::forEachInput(in, [&](const char*, auto& member) { poplink::tests::randomise(member, random); });
  if (random() % 2 == 0) in.wide_b = in.wide_a;
  return in;
}

template <class Struct>
std::vector<hlsc::BitVector> outputBits(Struct& out) {
  std::vector<hlsc::BitVector> all;
  torture_rtl::forEachOutput(out, [&](const char*, auto& member) { appendBits(member, all.emplace_back()); });
  return all;
}

hlsc::BitVector answer(const std::string& table, const hlsc::BitVector& key) {
  unsigned number = 0;
  for (std::size_t i = 0; i < key.size(); ++i) number |= static_cast<unsigned>(key[i]) << i;
  hlsc::BitVector bits;
  if (table == "first") {
    const FirstEntry entry = lookup_first(static_cast<hls::bits<8>>(number));
    appendBits(entry.valid, bits);
    appendBits(entry.next, bits);
  } else {
    appendBits(lookup_second(static_cast<hls::bits<12>>(number)).value, bits);
  }
  return bits;
}

TEST(Torture, netlist_equals_source_before_and_after_the_passes) {
  hlsc::CompileOptions options;
  options.kernel = "torture";
  options.clang_arguments = {"-I" POPLINK_HLS_INCLUDE};
  const hlsc::Module raw = hlsc::translate(POPLINK_TORTURE_SOURCE, options);
  const hlsc::Module optimized = hlsc::optimize(raw);
  EXPECT_LT(optimized.netlist.nodes().size(), raw.netlist.nodes().size());
  std::mt19937_64 random(1);
  for (int round = 0; round < 3000; ++round) {
    In in = randomInput(random);
    Out out{};
    torture(in, out);
    std::vector<hlsc::BitVector> inputs;
    torture_rtl::forEachInput(in, [&](const char*, auto& member) { appendBits(member, inputs.emplace_back()); });
    ASSERT_EQ(hlsc::evaluate(raw, inputs, answer), outputBits(out)) << "raw, round " << round;
    ASSERT_EQ(hlsc::evaluate(optimized, inputs, answer), outputBits(out)) << "optimized, round " << round;
  }
}

struct Bench {
  using In = torture::In;
  using Out = torture::Out;
  using Dut = Vtorture;
  static constexpr unsigned kLatency = torture_rtl::kLatency;

  static In makeInput(std::mt19937_64& random) { return randomInput(random); }
  static Out native(const In& in) {
    Out out{};
    torture(in, out);
    return out;
  }
  static void drive(Dut& dut, const In& in) { torture_rtl::drive(dut, in); }
  static void sample(const Dut& dut, Out& out) { torture_rtl::sample(dut, out); }
  static bool compare(Out& want, Out& got) { return outputBits(want) == outputBits(got); }
  void step(Dut& dut, std::mt19937_64& random) {
    first_.step(dut, [](auto key) { return torture_rtl::FirstPort::pack(lookup_first(key)); }, random);
    second_.step(dut, [](auto key) { return torture_rtl::SecondPort::pack(lookup_second(key)); }, random);
  }

 private:
  AnswerLine<torture_rtl::FirstPort> first_;
  AnswerLine<torture_rtl::SecondPort> second_;
};

TEST(Torture, rtl_equals_source_with_bubbles) {
  Vtorture dut;
  Bench bench;
  EXPECT_EQ(poplink::tests::runDifferential(bench, dut, 200'000, 3).packets, 200'000U);
}

}  // namespace
}  // namespace torture
