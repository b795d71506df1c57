// SPDX-License-Identifier: Apache-2.0
// The card as its host's bus sees it. What implements this can sit behind a socket, in a virtual machine, or in a test.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace poplink::sim {

/// What a function may ask of its host.
class PciHost {
 public:
  virtual ~PciHost() = default;
  /// DMA. False when the host has no memory there: an unsupported request.
  virtual bool readMemory(std::uint64_t address, std::span<std::uint8_t> into) = 0;
  virtual bool writeMemory(std::uint64_t address, std::span<const std::uint8_t> from) = 0;
  /// MSI-X message of a vector.
  virtual void interrupt(unsigned vector) = 0;
};

struct PciBar {
  unsigned number;
  std::uint64_t bytes;  ///< a power of two
};

class PciFunction {
 public:
  virtual ~PciFunction() = default;

  /// Type 0 configuration space, 4096 bytes; size 1, 2 or 4. What is not there, or of another size, reads as 0 and
  /// ignores writes.
  virtual std::uint32_t configRead(std::uint16_t offset, unsigned size) = 0;
  virtual void configWrite(std::uint16_t offset, unsigned size, std::uint32_t value) = 0;

  virtual std::vector<PciBar> bars() const = 0;
  /// 32-bit accesses. False: refused (unsupported request).
  virtual bool barRead(unsigned bar, std::uint64_t offset, std::uint32_t& value) = 0;
  virtual bool barWrite(unsigned bar, std::uint64_t offset, std::uint32_t value) = 0;

  /// Before the first DMA or interrupt; null takes the host away.
  virtual void attach(PciHost* host) = 0;
};

}  // namespace poplink::sim
