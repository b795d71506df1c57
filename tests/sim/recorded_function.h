// SPDX-License-Identifier: Apache-2.0
// A function that remembers what is done to it, for tests of those who offer one.
#pragma once

#include <array>
#include <cstring>
#include <map>

#include "pci_function.h"

namespace poplink::sim {

/// BAR0 of 1 MiB whose registers remember, but for those from kRefused on; BAR2 of 4 KiB; configuration that remembers
/// everything written. Like hardware, it has the memory space that its command register says.
class RecordedFunction : public PciFunction {
 public:
  static constexpr std::uint64_t kBarBytes = 1U << 20, kRefused = 0x1000;

  RecordedFunction() { reset(); }
  std::uint32_t configRead(std::uint16_t offset, unsigned size) override {
    std::uint32_t value = 0;
    std::memcpy(&value, config.data() + offset, size);
    return value;
  }
  void configWrite(std::uint16_t offset, unsigned size, std::uint32_t value) override {
    std::memcpy(config.data() + offset, &value, size);
  }
  std::vector<PciBar> bars() const override { return {{0, kBarBytes}, {2, 4096}}; }
  bool barRead(unsigned bar, std::uint64_t offset, std::uint32_t& value) override {
    if (bar == 0 && offset >= kRefused) return false;
    value = registers[{bar, offset}];
    ++accesses;
    return true;
  }
  bool barWrite(unsigned bar, std::uint64_t offset, std::uint32_t value) override {
    if (bar == 0 && offset >= kRefused) return false;
    registers[{bar, offset}] = value;
    ++accesses;
    return true;
  }
  void reset() override {
    config = {};
    configWrite(0, 4, 0x504C'10EE);
    ++resets;
  }
  void attach(PciHost* to) override { host = to; }

  std::array<std::uint8_t, 4096> config{};
  std::map<std::pair<unsigned, std::uint64_t>, std::uint32_t> registers;
  PciHost* host = nullptr;
  int resets = 0, accesses = 0;
};

}  // namespace poplink::sim
