// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <systemc>

namespace poplink::sim {

/// A SystemC kernel that has simulated nothing yet, for as long as the scope. The library knows one global kernel, and
/// that one elaborates only once; with this a program can run several tests.
class FreshKernel {
 public:
  FreshKernel() : previous_(sc_core::sc_curr_simcontext), kernel_(std::make_unique<sc_core::sc_simcontext>()) {
    sc_core::sc_curr_simcontext = kernel_.get();
  }
  ~FreshKernel() { sc_core::sc_curr_simcontext = previous_; }
  FreshKernel(const FreshKernel&) = delete;
  FreshKernel& operator=(const FreshKernel&) = delete;

 private:
  sc_core::sc_simcontext* previous_;
  std::unique_ptr<sc_core::sc_simcontext> kernel_;
};

}  // namespace poplink::sim
