// SPDX-License-Identifier: Apache-2.0
// One random kernel (random_kernel.py): native, and as the netlist before and after the passes, on random inputs.
#define KERNEL_BODY
#include KERNEL_SOURCE

#include <cstdio>
#include <random>

#include "../support/kernel_values.h"
#include "compile.h"
#include "evaluate.h"
#include "kernel_rtl.h"
#include "optimize.h"

namespace {

using random_kernel::In;
using random_kernel::Out;

constexpr int kRounds = 300;

bool agree(const hlsc::Module& module, const char* what) {
  std::mt19937_64 random(1);
  for (int round = 0; round < kRounds; ++round) {
    In in{};
    kernel_rtl::forEachInput(in, [&](const char*, auto& member) { poplink::tests::randomise(member, random); });
    Out out{};
    random_kernel::kernel(in, out);
    std::vector<hlsc::BitVector> inputs, want;
    std::vector<const char*> names;
    kernel_rtl::forEachInput(
        in, [&](const char*, auto& member) { poplink::tests::appendBits(member, inputs.emplace_back()); });
    kernel_rtl::forEachOutput(out, [&](const char* name, auto& member) {
      poplink::tests::appendBits(member, want.emplace_back());
      names.push_back(name);
    });
    const std::vector<hlsc::BitVector> got = hlsc::evaluate(module, inputs, {});
    for (std::size_t i = 0; i < want.size(); ++i) {
      if (got[i] == want[i]) continue;
      std::printf("%s: output '%s' differs from the source in round %d\n", what, names[i], round);
      return false;
    }
  }
  return true;
}

}  // namespace

int main() {
  hlsc::CompileOptions options;
  options.kernel = "kernel";
  options.clang_arguments = {"-I" POPLINK_HLS_INCLUDE, "-DKERNEL_BODY"};
  const hlsc::Module raw = hlsc::translate(KERNEL_SOURCE, options);
  const hlsc::Module optimized = hlsc::optimize(raw);
  return agree(raw, "netlist as converted") && agree(optimized, "netlist behind the passes") ? 0 : 1;
}
