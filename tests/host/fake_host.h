// SPDX-License-Identifier: Apache-2.0
// A host with PCI devices of a test's making: a tree like sysfs, and a kernel that answers as vfio does.
#pragma once

#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <set>

#include "poplink/card_map.h"
#include "poplink/driver/pci_system.h"
#include "scratch.h"

namespace poplink::driver {

namespace fs = std::filesystem;

class FakeHost : public PciSystem {
 public:
  static constexpr std::uint64_t kSerial = 0x504C'0000'0000'0007;
  static constexpr std::size_t kBar = 1U << 20;
  static constexpr std::uint64_t kConfigAt = 2 * kBar;  ///< in a vfio device's file

  FakeHost() {
    sys = scratch_ / "sys";
    dev = scratch_ / "dev";
    lock = scratch_ / "lock";
    for (const std::string& path : {sys + "/bus/pci/devices", sys + "/kernel/security", dev + "/vfio", lock})
      fs::create_directories(path);
    write(dev + "/vfio/vfio", "");
    device_ = ::memfd_create("poplink-fake-vfio", MFD_CLOEXEC);
    EXPECT_EQ(::ftruncate(device_, kConfigAt + 4096), 0);
    fillRegisters(device_);
  }
  ~FakeHost() override { ::close(device_); }

  static void write(const std::string& file, const std::string& text) { std::ofstream(file) << text; }
  std::string device(const std::string& address) const { return sys + "/bus/pci/devices/" + address; }
  void set(const std::string& address, const std::string& attribute, const std::string& text) const {
    write(device(address) + "/" + attribute, text + "\n");
  }
  std::string get(const std::string& address, const std::string& attribute) const {
    std::ifstream in(device(address) + "/" + attribute);
    std::string line;
    std::getline(in, line);
    return line;
  }
  void link(const std::string& address, const std::string& name, const std::string& to) const {
    fs::remove(device(address) + "/" + name);
    fs::create_symlink(to, device(address) + "/" + name);
  }
  /// A card that works, with no driver.
  void addCard(const std::string& address, std::uint64_t serial = kSerial) const {
    addDevice(address, "0x10ee", "0x504c");
    const int bar = ::open((device(address) + "/resource0").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    EXPECT_EQ(::ftruncate(bar, kBar), 0);
    fillRegisters(bar, serial);
    ::close(bar);
  }
  void addDevice(const std::string& address, const std::string& vendor, const std::string& id) const {
    fs::create_directories(device(address));
    const std::pair<const char*, std::string> attributes[] = {{"vendor", vendor},
                                                              {"device", id},
                                                              {"class", "0x028000"},
                                                              {"revision", "0x01"},
                                                              {"subsystem_vendor", vendor},
                                                              {"subsystem_device", id},
                                                              {"irq", "11"},
                                                              {"numa_node", "1"},
                                                              {"enable", "1"},
                                                              {"current_link_speed", "8.0 GT/s PCIe"},
                                                              {"current_link_width", "8"},
                                                              {"max_link_speed", "16.0 GT/s PCIe"},
                                                              {"max_link_width", "16"}};
    for (const auto& [name, text] : attributes) set(address, name, text);
    std::string resources = "0x00000000fe000000 0x00000000fe0fffff 0x0000000000040200\n";
    for (int i = 1; i < 13; ++i) resources += "0x0000000000000000 0x0000000000000000 0x0000000000000000\n";
    write(device(address) + "/resource", resources);
    std::string config(256, '\0');
    config[0] = '\xEE', config[1] = '\x10', config[2] = '\x4C', config[3] = '\x50';
    config[4] = 2;     // memory space
    config[6] = 0x10;  // has capabilities: power management, then MSI-X
    config[0xA] = '\x80', config[0xB] = 2;
    config[0x13] = '\xFE';
    config[0x34] = 0x40;
    config[0x40] = 1, config[0x41] = 0x50;
    config[0x50] = 0x11;
    write(device(address) + "/config", config);
  }
  void bindVfio(const std::string& address, const std::string& group = "7") const {
    link(address, "driver", "../../../../bus/pci/drivers/vfio-pci");
    const std::string directory = sys + "/kernel/iommu_groups/" + group;
    fs::create_directories(directory + "/devices/" + address);
    link(address, "iommu_group", directory);
    write(dev + "/vfio/" + group, "");
  }
  static void put(int bar, std::uint32_t address, std::uint32_t value) {
    EXPECT_EQ(::pwrite(bar, &value, sizeof value, address), 4);
  }
  static void fillRegisters(int bar, std::uint64_t serial = kSerial) {
    put(bar, card_map::reg::kMagic, card_map::kMagicValue);
    put(bar, card_map::reg::kSerialLow, static_cast<std::uint32_t>(serial));
    put(bar, card_map::reg::kSerialHigh, static_cast<std::uint32_t>(serial >> 32));
  }
  /// What every access to the card gives from now on.
  void removeCard(const std::string& address) const {
    const std::vector<std::uint8_t> ones(kBar, 0xFF);
    const int bar = ::open((device(address) + "/resource0").c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(::pwrite(bar, ones.data(), ones.size(), 0), static_cast<ssize_t>(ones.size()));
    ::close(bar);
  }

  // ---- the kernel
  std::map<std::string, int> open_errors;  ///< by path
  int map_error = 0;
  struct {
    bool viable = true;
    std::map<unsigned long, int> errors;  ///< by request
    std::vector<vfio_iova_range> ranges = {{0, 0xFEDF'FFFF}, {0xFEF0'0000, 0x7F'FFFF'FFFF}};
    std::uint64_t page_sizes = 0x1000 | 0x20'0000;
    std::uint64_t bar_bytes = kBar;
    std::uint32_t vectors = 9;
  } vfio;
  mutable std::map<std::uint64_t, vfio_iommu_type1_dma_map> mapped;
  mutable std::vector<int> events;
  mutable int resets = 0;
  int deviceFile() const { return device_; }
  std::uint16_t command() const {
    std::uint16_t value = 0;
    EXPECT_EQ(::pread(device_, &value, 2, kConfigAt + 4), 2);
    return value;
  }

  int open(const std::string& path, int flags) const override {
    const auto error = open_errors.find(path);
    if (error == open_errors.end()) return PciSystem::open(path, flags);
    errno = error->second;
    return -1;
  }
  void* map(std::size_t bytes, int protection, int descriptor, std::uint64_t offset) const override {
    if (map_error == 0) return PciSystem::map(bytes, protection, descriptor, offset);
    errno = map_error;
    return MAP_FAILED;
  }
  int ioctl(int, unsigned long request, void* argument) const override {
    if (const auto error = vfio.errors.find(request); error != vfio.errors.end()) {
      errno = error->second;
      return -1;
    }
    switch (request) {
      case VFIO_GET_API_VERSION:
        return VFIO_API_VERSION;
      case VFIO_CHECK_EXTENSION:
        return reinterpret_cast<std::uintptr_t>(argument) == VFIO_TYPE1v2_IOMMU ? 1 : 0;
      case VFIO_GROUP_GET_STATUS:
        static_cast<vfio_group_status*>(argument)->flags = vfio.viable ? VFIO_GROUP_FLAGS_VIABLE : 0;
        return 0;
      case VFIO_GROUP_SET_CONTAINER:
      case VFIO_SET_IOMMU:
        return 0;
      case VFIO_IOMMU_GET_INFO:
        return iommuInfo(static_cast<vfio_iommu_type1_info*>(argument));
      case VFIO_GROUP_GET_DEVICE_FD:
        return ::fcntl(device_, F_DUPFD_CLOEXEC, 0);
      case VFIO_DEVICE_GET_REGION_INFO:
        return regionInfo(static_cast<vfio_region_info*>(argument));
      case VFIO_IOMMU_MAP_DMA:
        return mapMemory(*static_cast<const vfio_iommu_type1_dma_map*>(argument));
      case VFIO_IOMMU_UNMAP_DMA:
        return mapped.erase(static_cast<const vfio_iommu_type1_dma_unmap*>(argument)->iova) == 1 ? 0 : -1;
      case VFIO_DEVICE_GET_IRQ_INFO:
        static_cast<vfio_irq_info*>(argument)->flags = VFIO_IRQ_INFO_EVENTFD;
        static_cast<vfio_irq_info*>(argument)->count = vfio.vectors;
        return 0;
      case VFIO_DEVICE_SET_IRQS: {
        const auto* set = static_cast<const vfio_irq_set*>(argument);
        events.resize(set->count);
        std::memcpy(events.data(), set->data, set->count * sizeof(int));
        return 0;
      }
      case VFIO_DEVICE_RESET:
        ++resets;
        return 0;
      default:
        errno = ENOTTY;
        return -1;
    }
  }

 private:
  static int regionInfo(vfio_region_info* info, std::uint64_t bar_bytes) {
    const bool config = info->index == VFIO_PCI_CONFIG_REGION_INDEX;
    info->size = config ? 4096 : bar_bytes;
    info->offset = config ? kConfigAt : 0;
    info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE | (config ? 0 : VFIO_REGION_INFO_FLAG_MMAP);
    return 0;
  }
  int regionInfo(vfio_region_info* info) const { return regionInfo(info, vfio.bar_bytes); }
  /// As the kernel does: too little room gets the size alone.
  int iommuInfo(vfio_iommu_type1_info* info) const {
    constexpr std::size_t kFirst = sizeof(vfio_iommu_type1_info), kSecond = kFirst + 24;
    const std::size_t all = kSecond + 16 + vfio.ranges.size() * sizeof(vfio_iova_range);
    const std::size_t room = info->argsz;
    info->flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
    info->iova_pgsizes = vfio.page_sizes;
    info->argsz = static_cast<std::uint32_t>(all);
    info->cap_offset = 0;
    if (room < all) return 0;
    info->cap_offset = kFirst;
    auto* bytes = reinterpret_cast<std::uint8_t*>(info);
    const vfio_info_cap_header other{3, 1, kSecond}, ranges{VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, 1, 0};
    const auto count = static_cast<std::uint32_t>(vfio.ranges.size());
    std::memcpy(bytes + kFirst, &other, sizeof other);
    std::memcpy(bytes + kSecond, &ranges, sizeof ranges);
    std::memcpy(bytes + kSecond + sizeof ranges, &count, sizeof count);
    std::memcpy(bytes + kSecond + 16, vfio.ranges.data(), vfio.ranges.size() * sizeof(vfio_iova_range));
    return 0;
  }
  int mapMemory(const vfio_iommu_type1_dma_map& map) const {
    for (const auto& [iova, other] : mapped) {
      if (map.iova < iova + other.size && iova < map.iova + map.size) {
        errno = EEXIST;
        return -1;
      }
    }
    mapped[map.iova] = map;
    return 0;
  }

  sim::Scratch scratch_;
  int device_;
};

}  // namespace poplink::driver
