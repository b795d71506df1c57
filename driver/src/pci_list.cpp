// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <filesystem>

#include "card_lock.h"
#include "pci_sysfs.h"
#include "poplink/card_map.h"
#include "poplink/driver/error.h"
#include "poplink/driver/pci_cards.h"
#include "poplink/driver/pci_config.h"

extern "C" {
#include <pci/pci.h>
}

namespace poplink::driver {

namespace {

constexpr std::size_t kIdentityBytes = 4096;  // the page of BAR0 with magic and serial number

__attribute__((noreturn, format(printf, 1, 2))) void fail(char* format, ...) {
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  throw DriverError(std::string("the PCI devices of this host cannot be listed: ") + text);
}

void ignore(char*, ...) {}

/// The card's serial number by its resource file, read only: where no driver keeps the registers and their memory space
/// is enabled. Reading these registers has no effect on the card or its owner.
std::optional<std::uint64_t> readSerial(const PciSystem& system, const PciSysfs& device) {
  if ((device.command() & pci::kMemorySpace) == 0) return std::nullopt;
  const Descriptor file(system.open(device.path("resource0"), O_RDONLY));
  if (!file) return std::nullopt;
  void* mapped = system.map(kIdentityBytes, PROT_READ, file.get(), 0);
  if (mapped == MAP_FAILED) return std::nullopt;
  const auto* registers = static_cast<const volatile std::uint32_t*>(mapped);
  std::optional<std::uint64_t> serial;
  if (registers[card_map::reg::kMagic / 4] == card_map::kMagicValue) {
    const std::uint64_t low = registers[card_map::reg::kSerialLow / 4];
    serial = low | static_cast<std::uint64_t>(registers[card_map::reg::kSerialHigh / 4]) << 32;
  }
  ::munmap(mapped, kIdentityBytes);
  return serial;
}

PciCard describe(const PciSystem& system, pci_dev* device) {
  char address[32];
  std::snprintf(address, sizeof address, "%04x:%02x:%02x.%x", static_cast<unsigned>(device->domain), device->bus,
                device->dev, device->func);
  const PciSysfs sysfs(system, address);
  pci_fill_info(device, PCI_FILL_IDENT | PCI_FILL_BASES | PCI_FILL_SIZES | PCI_FILL_CLASS | PCI_FILL_CLASS_EXT |
                            PCI_FILL_SUBSYS | PCI_FILL_CAPS | PCI_FILL_IO_FLAGS | PCI_FILL_NUMA_NODE);
  PciCard card;
  card.address = address;
  card.vendor = device->vendor_id;
  card.device = device->device_id;
  card.subsystem_vendor = device->subsys_vendor_id;
  card.subsystem = device->subsys_id;
  card.device_class = static_cast<std::uint32_t>(device->device_class) << 8 | device->prog_if;
  card.revision = device->rev_id;
  for (const pci_cap* one = device->first_cap; one != nullptr; one = one->next) {
    if (one->type == PCI_CAP_NORMAL) card.capabilities.push_back(one->id);
  }
  std::sort(card.capabilities.begin(), card.capabilities.end());
  const bool memory = (device->base_addr[0] & PCI_BASE_ADDRESS_SPACE_IO) == 0;
  if (memory) card.bar0_bytes = device->size[0];
  card.link_speed = sysfs.text("current_link_speed");
  card.link_width = static_cast<unsigned>(sysfs.number("current_link_width").value_or(0));
  card.max_link_speed = sysfs.text("max_link_speed");
  card.max_link_width = static_cast<unsigned>(sysfs.number("max_link_width").value_or(0));
  if (device->numa_node >= 0) card.numa_node = device->numa_node;
  card.iommu_group = sysfs.iommuGroup();
  card.driver = sysfs.target("driver");
  card.serial = readSerial(system, sysfs);
  card.owner = CardLock::holder(system, address);
  return card;
}

}  // namespace

std::vector<PciCard> listPciCards(const PciSystem& system) {
  const std::string bus = system.sys + "/bus/pci";
  std::error_code ignored;
  if (!std::filesystem::is_directory(bus + "/devices", ignored))
    throw DriverError("this host shows no PCI devices: there is no " + bus + "/devices");
  const std::unique_ptr<pci_access, decltype(&pci_cleanup)> access(pci_alloc(), pci_cleanup);
  access->method = PCI_ACCESS_SYS_BUS_PCI;
  access->error = fail;
  access->warning = access->debug = ignore;
  std::string parameter = "sysfs.path", path = bus;
  pci_set_param(access.get(), parameter.data(), path.data());
  pci_init(access.get());
  pci_scan_bus(access.get());
  std::vector<PciCard> cards;
  for (pci_dev* device = access->devices; device != nullptr; device = device->next) {
    pci_fill_info(device, PCI_FILL_IDENT);
    if (device->vendor_id == pci::kVendor && device->device_id == pci::kDevice)
      cards.push_back(describe(system, device));
  }
  std::sort(cards.begin(), cards.end(), [](const auto& a, const auto& b) { return a.address < b.address; });
  return cards;
}

std::optional<std::string> pciAddress(const std::string& text) {
  unsigned domain = 0, bus = 0, device = 0, function = 0;
  int end = -1;
  const bool whole = std::count(text.begin(), text.end(), ':') == 2;
  const int fields = whole ? std::sscanf(text.c_str(), "%8x:%2x:%2x.%1x%n", &domain, &bus, &device, &function, &end)
                           : std::sscanf(text.c_str(), "%2x:%2x.%1x%n", &bus, &device, &function, &end);
  if (fields != (whole ? 4 : 3) || end != static_cast<int>(text.size()) || device > 0x1F || function > 7)
    return std::nullopt;
  if (text.find_first_not_of("0123456789abcdefABCDEF:.") != std::string::npos) return std::nullopt;
  char address[32];
  std::snprintf(address, sizeof address, "%04x:%02x:%02x.%x", domain, bus, device, function);
  return address;
}

}  // namespace poplink::driver
