// SPDX-License-Identifier: Apache-2.0
// Cards on the host's PCI buses: who is there, and how to open one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "poplink/driver/pci_system.h"
#include "poplink/driver/transport.h"

namespace poplink::driver {

/// What is known of a card without owning it.
struct PciCard {
  std::string address;  ///< "0000:03:00.0"
  std::uint16_t vendor = 0, device = 0, subsystem_vendor = 0, subsystem = 0;
  std::uint32_t device_class = 0;  ///< 24 bits: class, subclass, interface
  std::uint8_t revision = 0;
  std::vector<unsigned> capabilities;  ///< ids of the standard ones that could be read
  std::uint64_t bar0_bytes = 0;        ///< 0: none, or none of memory
  std::string link_speed;              ///< "8.0 GT/s PCIe"; empty: not known
  unsigned link_width = 0;             ///< lanes; 0: not known
  std::string max_link_speed;
  unsigned max_link_width = 0;
  std::optional<int> numa_node;
  std::optional<unsigned> iommu_group;
  std::string driver;                   ///< empty: none is bound
  std::optional<std::uint64_t> serial;  ///< where the registers can be read without taking the card over
  std::string owner;                    ///< the program that holds it; empty: nobody, or it cannot be known
};

/// All poplink cards, by address. Throws DriverError when the host does not show its PCI devices.
std::vector<PciCard> listPciCards(const PciSystem& system = PciSystem());

/// The address in full: "03:00.0" is in domain 0. Nothing: it is no PCI address.
std::optional<std::string> pciAddress(const std::string& text);

struct PciOptions {
  /// Bus addresses of shared memory are the physical ones: for a host whose IOMMU does not translate for this card, and
  /// for no other, because they say nothing about what else the card may reach.
  bool physical_addresses = false;
};

/// Takes the card over until the transport is destroyed: by vfio-pci where that is bound (registers, memory,
/// interrupts), else by the resource file of sysfs (registers only). `client`: who we are, for a second one to read.
/// Throws DriverError when there is no such card, it is held by another driver or program (named), or the host does not
/// let us; the text says what helps.
std::unique_ptr<Transport> openPciCard(const std::string& address, const std::string& client,
                                       const PciOptions& options = {},
                                       const std::shared_ptr<const PciSystem>& system = std::make_shared<PciSystem>());

/// The same by the card's serial number. Cards that cannot be asked otherwise and that nobody holds are opened for it.
std::unique_ptr<Transport> openPciCardBySerial(
    std::uint64_t serial, const std::string& client, const PciOptions& options = {},
    const std::shared_ptr<const PciSystem>& system = std::make_shared<PciSystem>());

}  // namespace poplink::driver
