// SPDX-License-Identifier: Apache-2.0
// The driver's way to a PCI function in the same process.
#pragma once

#include <cstdio>

#include "../pci/pci_function.h"
#include "poplink/driver/error.h"
#include "poplink/driver/transport.h"

namespace poplink::sim {

class FunctionTransport : public driver::Transport {
 public:
  /// Enables the function, as a driver does first of all.
  explicit FunctionTransport(PciFunction& function) : function_(function) {
    function_.configWrite(kPciCommand, 2, kPciMemorySpace | kPciBusMaster);
  }

  std::vector<std::uint32_t> run(std::span<const driver::Access> accesses) override {
    std::vector<std::uint32_t> values;
    for (const driver::Access& access : accesses) {
      std::uint32_t value = access.value;
      const bool write = access.kind == driver::Access::Kind::write;
      const bool done =
          write ? function_.barWrite(0, access.address, value) : function_.barRead(0, access.address, value);
      if (!done) {
        char text[80];
        std::snprintf(text, sizeof text, "the card refused a %s at BAR0 + 0x%05x", write ? "write" : "read",
                      access.address);
        throw driver::DriverError(text);
      }
      if (!write) values.push_back(value);
    }
    return values;
  }
  std::string name() const override { return "this simulation"; }

 private:
  PciFunction& function_;
};

}  // namespace poplink::sim
