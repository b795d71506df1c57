// SPDX-License-Identifier: Apache-2.0
#include "poplink/driver/pci_cards.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "card_lock.h"
#include "mmio.h"
#include "pci_sysfs.h"
#include "poplink/card_map.h"
#include "poplink/driver/error.h"
#include "poplink/driver/pci_config.h"
#include "vfio.h"

namespace poplink::driver {

namespace {

[[noreturn]] void refuse(const std::string& address, const std::string& why) {
  throw DriverError("the card at " + address + " " + why);
}

/// Memory space of a device that no driver has enabled, until destroyed.
class Enabled {
 public:
  Enabled(const PciSysfs& device, const std::string& address) : device_(device) {
    if (device_.text("enable") == "0") {
      enabled_ = device_.write("enable", "1");
      if (!enabled_) refuse(address, "is disabled and cannot be enabled: " + std::string(std::strerror(errno)));
    }
    if ((device_.command() & pci::kMemorySpace) != 0) return;
    const std::string power = device_.text("power_state");
    disable();
    refuse(address, "has its memory space disabled" + (power.empty() ? "" : " (power state " + power + ")"));
  }
  ~Enabled() { disable(); }
  Enabled(const Enabled&) = delete;
  Enabled& operator=(const Enabled&) = delete;

 private:
  void disable() {
    if (enabled_) device_.write("enable", "0");
    enabled_ = false;
  }
  PciSysfs device_;
  bool enabled_ = false;
};

Descriptor openResource(const PciSystem& system, const PciSysfs& device, const std::string& address,
                        const std::string& refused) {
  const std::string path = device.path("resource0");
  Descriptor file(system.open(path, O_RDWR));
  if (!file && errno == ENOENT) refuse(address, "has no memory BAR 0");
  if (!file && (errno == EACCES || errno == EPERM))
    throw DriverError("the registers of the card at " + address + " cannot be mapped: " + refused);
  if (!file) refuse(address, "cannot be opened: " + path + ": " + std::strerror(errno));
  struct stat status{};
  if (::fstat(file.get(), &status) != 0 || static_cast<std::uint64_t>(status.st_size) < Mmio::kBytes)
    refuse(address, "has a BAR 0 of only " + std::to_string(status.st_size) + " bytes");
  return file;
}

/// Registers by the resource file of sysfs.
class SysfsTransport : public Transport {
 public:
  SysfsTransport(const PciSystem& system, const PciSysfs& device, const std::string& address,
                 std::unique_ptr<CardLock> lock, const std::string& refused)
      : lock_(std::move(lock)),
        device_(device),
        name_(address),
        enabled_(device, address),
        registers_(system, address, openResource(system, device, address, refused).get(), 0, refused) {}

  std::vector<std::uint32_t> run(std::span<const Access> accesses) override { return registers_.run(accesses); }
  std::string name() const override { return name_; }
  std::unique_ptr<DmaMemory> allocate(std::size_t) override {
    refuse(name_, "is reached by its registers only: it cannot share memory (bind vfio-pci)");
  }
  void reset() override {
    if (!device_.write("reset", "1")) refuse(name_, "cannot be reset: " + std::string(std::strerror(errno)));
  }

 private:
  std::unique_ptr<CardLock> lock_;
  PciSysfs device_;
  std::string name_;
  Enabled enabled_;
  Mmio registers_;
};

std::string hex(std::uint64_t serial) {
  char text[20];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(serial));
  return text;
}

std::uint64_t serialOf(Transport& card) {
  namespace reg = card_map::reg;
  const Access reads[] = {Access::read(reg::kMagic), Access::read(reg::kSerialLow), Access::read(reg::kSerialHigh)};
  const std::vector<std::uint32_t> words = card.run(reads);
  return words[0] == card_map::kMagicValue ? words[1] | static_cast<std::uint64_t>(words[2]) << 32 : 0;
}

}  // namespace

std::unique_ptr<Transport> openPciCard(const std::string& address, const std::string& client, const PciOptions& options,
                                       const std::shared_ptr<const PciSystem>& system) {
  const auto full = pciAddress(address);
  if (!full) throw DriverError("'" + address + "' is no PCI address, as 0000:03:00.0");
  const PciSysfs device(*system, *full);
  if (!device.exists()) throw DriverError("there is no PCI device at " + *full);
  const auto vendor = device.number("vendor"), id = device.number("device");
  if (vendor != pci::kVendor || id != pci::kDevice) {
    char text[64];
    std::snprintf(text, sizeof text, "%04x:%04x", static_cast<unsigned>(vendor.value_or(0)),
                  static_cast<unsigned>(id.value_or(0)));
    throw DriverError("the device at " + *full + " (" + text + ") is no poplink card");
  }
  const std::string driver = device.target("driver");
  // These kernel drivers leave a card's registers to user space.
  if (!driver.empty() && driver != "vfio-pci" && driver != "pci-stub" && driver != "uio_pci_generic")
    refuse(*full, "is held by the kernel's driver " + driver + ": unbind it, best bind vfio-pci");
  auto lock = std::make_unique<CardLock>(*system, *full, client);
  if (driver == "vfio-pci") return openVfioCard(system, *full, options, std::move(lock));
  const std::string level = lockdown(*system);
  const std::string refused = level.empty() ? "no permission (run as root, or bind vfio-pci)"
                                            : "the kernel's lockdown (" + level + ") forbids it: bind vfio-pci";
  return std::make_unique<SysfsTransport>(*system, device, *full, std::move(lock), refused);
}

std::unique_ptr<Transport> openPciCardBySerial(std::uint64_t serial, const std::string& client,
                                               const PciOptions& options,
                                               const std::shared_ptr<const PciSystem>& system) {
  const std::vector<PciCard> cards = listPciCards(*system);
  std::string unknown;
  for (const PciCard& card : cards) {
    if (card.serial == serial) return openPciCard(card.address, client, options, system);
  }
  for (const PciCard& card : cards) {
    if (card.serial) continue;
    try {
      auto transport = openPciCard(card.address, client, options, system);
      if (serialOf(*transport) == serial) return transport;
    } catch (const DriverError& error) {
      unknown += std::string("; ") + error.what();
    }
  }
  throw DriverError("there is no card with serial number " + hex(serial) + " among " + std::to_string(cards.size()) +
                    " of this host" + unknown);
}

}  // namespace poplink::driver
