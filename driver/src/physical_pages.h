// SPDX-License-Identifier: Apache-2.0
// Memory whose physical address is known, for hosts that do not translate a card's addresses.
#pragma once

#include <cstdint>
#include <span>

#include "poplink/driver/pci_system.h"

namespace poplink::driver {

class PhysicalPages {
 public:
  /// Zeroed, locked and physically in one piece: a single page, else huge pages. Throws DriverError when there is no
  /// such memory, or its address is not shown to us.
  PhysicalPages(const PciSystem& system, std::size_t bytes);
  ~PhysicalPages();
  PhysicalPages(const PhysicalPages&) = delete;
  PhysicalPages& operator=(const PhysicalPages&) = delete;

  std::span<std::uint8_t> bytes() const { return bytes_; }
  std::uint64_t physical() const { return physical_; }
  /// Whether it still is where it was.
  bool inPlace() const;

 private:
  void reserve(std::size_t size);

  std::string pagemap_;
  std::span<std::uint8_t> whole_, bytes_;
  std::uint64_t physical_ = 0;
};

}  // namespace poplink::driver
