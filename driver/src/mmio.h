// SPDX-License-Identifier: Apache-2.0
// BAR0 of a card on a bus, in this program's address space.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "poplink/driver/pci_system.h"
#include "poplink/driver/transport.h"

namespace poplink::driver {

class Mmio {
 public:
  static constexpr std::size_t kBytes = 1U << 20;

  /// `name` of the card, for messages. BAR0 is at `offset` of the descriptor, which may be closed afterwards. Throws
  /// DriverError; `refused` says what it means that this is not permitted.
  Mmio(const PciSystem& system, std::string name, int descriptor, std::uint64_t offset, const std::string& refused);
  ~Mmio();
  Mmio(const Mmio&) = delete;
  Mmio& operator=(const Mmio&) = delete;

  /// As Transport::run. A card that is gone answers all ones; reads that give that are told from registers that hold
  /// it.
  std::vector<std::uint32_t> run(std::span<const Access> accesses);

 private:
  std::uint32_t read(std::uint32_t address) const;

  std::string name_;
  volatile std::uint32_t* registers_ = nullptr;
};

}  // namespace poplink::driver
