// SPDX-License-Identifier: Apache-2.0
// A card on a bus has one owner among the host's programs.
#pragma once

#include <string>

#include "poplink/driver/descriptor.h"
#include "poplink/driver/pci_system.h"

namespace poplink::driver {

/// Held until destroyed, however the program ends.
class CardLock {
 public:
  /// `client`: who we are, for others. Throws DriverError when another program holds the card (named), or the lock
  /// cannot be had.
  CardLock(const PciSystem& system, const std::string& address, const std::string& client);
  ~CardLock();
  CardLock(const CardLock&) = delete;
  CardLock& operator=(const CardLock&) = delete;

  /// Who holds the card; empty: nobody, or we may not know. Does not disturb anybody.
  static std::string holder(const PciSystem& system, const std::string& address);

 private:
  Descriptor file_;
};

}  // namespace poplink::driver
