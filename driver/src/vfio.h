// SPDX-License-Identifier: Apache-2.0
// A card by vfio-pci (linux/vfio.h): its registers, memory for it behind the IOMMU, its interrupts.
#pragma once

#include <memory>
#include <string>

#include "card_lock.h"
#include "poplink/driver/pci_cards.h"

namespace poplink::driver {

/// The card at `address`, which vfio-pci is bound to. Throws DriverError.
std::unique_ptr<Transport> openVfioCard(const std::shared_ptr<const PciSystem>& system, const std::string& address,
                                        const PciOptions& options, std::unique_ptr<CardLock> lock);

}  // namespace poplink::driver
