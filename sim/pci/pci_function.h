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
  /// What is read of a write by the host's processors in the order of its bytes: the last one appears last.
  virtual bool writeMemory(std::uint64_t address, std::span<const std::uint8_t> from) = 0;
  /// An MSI-X message: the write that the host asked for by the vector's entry in the MSI-X table. It comes after all
  /// DMA before it.
  virtual void message(std::uint64_t address, std::uint32_t data) = 0;
};

struct PciBar {
  unsigned number;
  std::uint64_t bytes;  ///< a power of two
};

/// What a host has done with the registers, BAR 0, since the beginning.
struct RegisterAccesses {
  std::uint64_t reads = 0, writes = 0;
};

// PCI Local Bus 3.0, 6.1 and 6.2: what every host of a function has to know of its configuration space.
inline constexpr std::uint16_t kPciCommand = 0x04;
inline constexpr std::uint16_t kPciBar0 = 0x10;
inline constexpr std::uint32_t kPciMemorySpace = 0x02;  ///< of the command register: BARs answer
inline constexpr std::uint32_t kPciBusMaster = 0x04;    ///< of the command register: DMA and MSI-X

class PciFunction {
 public:
  virtual ~PciFunction() = default;

  /// Type 0 configuration space, 4096 bytes; size 1, 2 or 4. What is not there, or of another size, reads as 0 and
  /// ignores writes.
  virtual std::uint32_t configRead(std::uint16_t offset, unsigned size) = 0;
  virtual void configWrite(std::uint16_t offset, unsigned size, std::uint32_t value) = 0;

  virtual std::vector<PciBar> bars() const = 0;
  /// 32-bit accesses. False: refused (unsupported request), as all are without Memory Space Enable.
  virtual bool barRead(unsigned bar, std::uint64_t offset, std::uint32_t& value) = 0;
  virtual bool barWrite(unsigned bar, std::uint64_t offset, std::uint32_t value) = 0;

  /// As by the bus: the configuration is as after power-up, DMA and interrupts stop.
  virtual void reset() = 0;

  /// Before the first DMA or interrupt; null takes the host away.
  virtual void attach(PciHost* host) = 0;
};

}  // namespace poplink::sim
