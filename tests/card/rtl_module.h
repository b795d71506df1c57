// SPDX-License-Identifier: Apache-2.0
// One RTL module by itself: its clock, its reset, and wide ports as bytes. Comes up with random registers.
#pragma once

#include <verilated.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <vector>

namespace poplink::tests {

using Bytes = std::vector<std::uint8_t>;

template <class Dut>
class RtlModule {
 public:
  RtlModule() : context_(std::make_unique<VerilatedContext>()) {
    context_->randReset(2);
    context_->randSeed(1);
    dut_ = std::make_unique<Dut>(context_.get());
  }
  ~RtlModule() { dut_->final(); }
  RtlModule(const RtlModule&) = delete;
  RtlModule& operator=(const RtlModule&) = delete;

  Dut* operator->() { return dut_.get(); }

  void reset() {
    dut_->clk = 0;
    dut_->rst = 1;
    dut_->eval();
    for (int i = 0; i < 4; ++i) clock();
    dut_->rst = 0;
  }
  /// Outputs that depend on inputs alone follow.
  void settle() { dut_->eval(); }
  void clock() {
    dut_->clk = 1;
    dut_->eval();
    dut_->clk = 0;
    dut_->eval();
  }

 private:
  std::unique_ptr<VerilatedContext> context_;
  std::unique_ptr<Dut> dut_;
};

template <class Port>
void putBytes(Port& port, std::span<const std::uint8_t> bytes) {
  std::memcpy(port.data(), bytes.data(), bytes.size());
}

template <class Port>
Bytes getBytes(const Port& port, std::size_t count) {
  Bytes bytes(count);
  std::memcpy(bytes.data(), port.data(), count);
  return bytes;
}

inline Bytes randomBytes(std::mt19937_64& random, std::size_t count) {
  Bytes bytes(count);
  std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<std::uint8_t>(random()); });
  return bytes;
}

}  // namespace poplink::tests
