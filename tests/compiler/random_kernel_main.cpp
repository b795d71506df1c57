// SPDX-License-Identifier: Apache-2.0
// One random kernel (random_kernel.py): native, and as the netlist before and after the passes, on random inputs; its
// state the same.
#define KERNEL_BODY
#include KERNEL_SOURCE

#include <cstdio>
#include <random>

#include "../support/kernel_values.h"
#include "compile.h"
#include "evaluate.h"
#include "hls_table.h"
#include "kernel_rtl.h"

namespace random_kernel {

#ifdef KERNEL_UPDATES
hls::UpdateTable<StateEntry, 4> state;

StateResult update_state(bits<4> index, const StateArgs& args) {
  return state.update(index, args, state_update);
}
#endif

}  // namespace random_kernel

namespace {

using hlsc::BitVector;
using random_kernel::In;
using random_kernel::Out;

constexpr int kRounds = 300;

/// A table in front of a body's netlist, like `state` in front of its source.
class NetlistState {
 public:
  explicit NetlistState(const hlsc::Module* body) : body_(body) {
    if (body != nullptr) entries_.assign(16, BitVector(body->inputs[0].width, false));
  }
  BitVector update(const BitVector& key) {
    std::size_t index = 0;
    for (std::size_t i = 0; i < 4; ++i) index |= static_cast<std::size_t>(key[i]) << i;
    const BitVector before = entries_[index];
    entries_[index] = hlsc::evaluate(*body_, {before, BitVector(key.begin() + 4, key.end())}, {})[0];
    return before;
  }
  const std::vector<BitVector>& entries() const { return entries_; }

 private:
  const hlsc::Module* body_;
  std::vector<BitVector> entries_;
};

bool agree(const hlsc::Module& module, const hlsc::Module* body, const char* what) {
  std::mt19937_64 random(1);
  NetlistState entries(body);
#ifdef KERNEL_UPDATES
  random_kernel::state = {};
#endif
  for (int round = 0; round < kRounds; ++round) {
    In in{};
    kernel_rtl::forEachInput(in, [&](const char*, auto& member) { poplink::tests::randomise(member, random); });
    Out out{};
    random_kernel::kernel(in, out);
    std::vector<BitVector> inputs, want;
    std::vector<const char*> names;
    kernel_rtl::forEachInput(
        in, [&](const char*, auto& member) { poplink::tests::appendBits(member, inputs.emplace_back()); });
    kernel_rtl::forEachOutput(out, [&](const char* name, auto& member) {
      poplink::tests::appendBits(member, want.emplace_back());
      names.push_back(name);
    });
    const std::vector<BitVector> got =
        hlsc::evaluate(module, inputs, [&](const std::string&, const BitVector& key) { return entries.update(key); });
    for (std::size_t i = 0; i < want.size(); ++i) {
      if (got[i] == want[i]) continue;
      std::printf("%s: output '%s' differs from the source in round %d\n", what, names[i], round);
      return false;
    }
  }
#ifdef KERNEL_UPDATES
  for (std::size_t i = 0; i < random_kernel::state.size(); ++i) {
    BitVector want;
    poplink::tests::appendBits(kernel_rtl::StatePort::pack(random_kernel::state[i]), want);
    if (entries.entries()[i] == want) continue;
    std::printf("%s: entry %zu differs from the source\n", what, i);
    return false;
  }
#endif
  return true;
}

}  // namespace

int main() {
  hlsc::CompileOptions options;
  options.kernel = "kernel";
  options.update_ns = 1000;
  options.clang_arguments = {"-I" POPLINK_HLS_INCLUDE, "-DKERNEL_BODY"};
  const hlsc::Compiled compiled = hlsc::compile(KERNEL_SOURCE, options);
  const hlsc::UpdateBody* body = compiled.bodies.empty() ? nullptr : compiled.bodies.data();
  return agree(compiled.converted, body == nullptr ? nullptr : &body->converted, "netlist as converted") &&
                 agree(compiled.module, body == nullptr ? nullptr : &body->module, "netlist behind the passes")
             ? 0
             : 1;
}
