// SPDX-License-Identifier: Apache-2.0
// Runs a Verilated kernel beside the same source run natively: random inputs with bubbles, table answers at their
// latency and noise between them, every output member compared.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <optional>
#include <random>

#include "kernel_values.h"

namespace poplink::tests {

/// Answers of one table under way: shift register of `Latency` cycles, noise where nothing was asked.
template <class Port>
class AnswerLine {
 public:
  /// After the clock edge that showed the key; `answer` maps a key to a packed entry.
  template <class Dut, class Answer, class Random>
  void step(Dut& dut, Answer&& answer, Random& random) {
    typename Port::Packed noise{};
    randomise(noise, random);
    for (unsigned i = Port::kLatency; i-- > 1;) line_[i] = line_[i - 1];
    line_[0] = pending_.has_value() ? answer(*pending_) : noise;
    Port::respond(dut, line_[Port::kLatency - 1]);
    pending_.reset();
    if (Port::requested(dut)) pending_ = Port::key(dut);
  }

 private:
  std::optional<hls::bits<Port::kKeyWidth>> pending_;
  std::array<typename Port::Packed, Port::kLatency> line_{};
};

struct BenchCounts {
  std::uint64_t packets = 0;
  std::uint64_t cycles = 0;
};

/// `Kernel` supplies: In, Out, Dut; static makeInput(random) -> In; native(In) -> Out; static step(dut, random) for its
/// tables; visitOutputs(out, visit); drive, sample; kLatency. Stops at the first mismatch.
template <class Kernel>
BenchCounts runDifferential(Kernel& kernel, typename Kernel::Dut& dut, std::uint64_t packets, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  struct Expected {
    std::uint64_t due;
    typename Kernel::Out out;
  };
  std::deque<Expected> expected;
  BenchCounts counts;
  const auto clock = [&] {
    dut.clk = 1;
    dut.eval();
    dut.clk = 0;
    dut.eval();
    ++counts.cycles;
  };
  dut.clk = 0;
  dut.in_valid = 0;
  dut.rst = 1;
  for (int i = 0; i < 3; ++i) clock();
  dut.rst = 0;
  counts.cycles = 0;
  while (counts.packets < packets || !expected.empty()) {
    // Bubbles come in stretches: full load, half load and nearly idle.
    const std::uint64_t phase = (counts.cycles >> 10) % 4;
    const bool send = counts.packets < packets && (phase < 2 || (phase == 2 ? random() % 2 == 0 : random() % 16 == 0));
    typename Kernel::In in = kernel.makeInput(random);
    kernel.drive(dut, in);
    dut.in_valid = send;
    if (send) {
      expected.push_back({counts.cycles + Kernel::kLatency, kernel.native(in)});
      ++counts.packets;
    }
    clock();
    kernel.step(dut, random);
    dut.eval();
    const bool due = !expected.empty() && expected.front().due == counts.cycles;
    if (static_cast<bool>(dut.out_valid) != due) {
      ADD_FAILURE() << "out_valid is " << int{dut.out_valid} << " in cycle " << counts.cycles;
      return counts;
    }
    if (!due) continue;
    typename Kernel::Out got{};
    kernel.sample(dut, got);
    if (!kernel.compare(expected.front().out, got)) {
      ADD_FAILURE() << "packet " << counts.packets - expected.size() << " of seed " << seed << " differs";
      return counts;
    }
    expected.pop_front();
  }
  return counts;
}

}  // namespace poplink::tests
