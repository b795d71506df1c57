// SPDX-License-Identifier: Apache-2.0
#include "vfio.h"

#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <optional>

#include "iova_space.h"
#include "mmio.h"
#include "pci_sysfs.h"
#include "physical_pages.h"
#include "poplink/driver/descriptor.h"
#include "poplink/driver/error.h"
#include "poplink/driver/pages.h"
#include "poplink/driver/pci_config.h"

namespace poplink::driver {

namespace fs = std::filesystem;

namespace {

/// The process that has `file` open, as "program (process 12)"; empty: it cannot be known.
std::string userOf(const PciSystem& system, const std::string& file) {
  std::error_code error;
  for (const auto& process : fs::directory_iterator(system.proc, error)) {
    const std::string id = process.path().filename().string();
    if (id.find_first_not_of("0123456789") != std::string::npos) continue;
    std::error_code denied;
    for (fs::directory_iterator one(process.path() / "fd", denied), end; !denied && one != end; one.increment(denied)) {
      std::error_code closed;
      if (fs::read_symlink(one->path(), closed) != file) continue;
      const std::string program = fs::read_symlink(process.path() / "exe", closed).filename().string();
      return (program.empty() ? "a program" : program) + " (process " + id + ")";
    }
  }
  return "";
}

/// Devices of an IOMMU group that drivers of the kernel hold: "0000:03:00.1 by e1000e".
std::string hindering(const PciSystem& system, const std::string& address) {
  std::string list;
  std::error_code error;
  const std::string group = PciSysfs(system, address).path("iommu_group") + "/devices";
  for (const auto& device : fs::directory_iterator(group, error)) {
    const std::string other = device.path().filename().string();
    const std::string driver = PciSysfs(system, other).target("driver");
    if (driver.empty() || driver == "vfio-pci" || driver == "pci-stub" || driver == "pcieport") continue;
    list.append(list.empty() ? "" : ", ").append(other).append(" by ").append(driver);
  }
  return list;
}

/// Everything open of a card. Memory outlives it where its owner forgot the order: the kernel keeps what is mapped.
class VfioDevice {
 public:
  VfioDevice(std::shared_ptr<const PciSystem> system, const std::string& address)
      : system_(std::move(system)), address_(address) {
    const auto number = PciSysfs(*system_, address).iommuGroup();
    if (!number) {
      refuse(
          "has no IOMMU group: enable the host's IOMMU (kernel parameter intel_iommu=on or amd_iommu=on), or unbind "
          "vfio-pci to reach the registers only");
    }
    container_ = Descriptor(system_->open(system_->dev + "/vfio/vfio", O_RDWR));
    if (!container_) refuse(system_->dev + "/vfio/vfio: " + std::strerror(errno) + " (is vfio-pci loaded?)");
    if (call(container_, VFIO_GET_API_VERSION) != VFIO_API_VERSION ||
        call(container_, VFIO_CHECK_EXTENSION, reinterpret_cast<void*>(VFIO_TYPE1v2_IOMMU)) <= 0) {
      refuse("is behind a vfio without the type 1 IOMMU, version 2 (is vfio_iommu_type1 loaded?)");
    }
    openGroup(std::to_string(*number));
    iommuInfo();
    openDevice();
  }

  [[noreturn]] void refuse(const std::string& why) const { throw DriverError("the card at " + address_ + " " + why); }

  const std::string& address() const { return address_; }
  const PciSystem& system() const { return *system_; }
  IovaSpace& addresses() { return *addresses_; }
  /// Up to what the IOMMU maps.
  std::size_t wholeUnits(std::size_t bytes) const { return (wholePages(bytes) + page_ - 1) & ~(page_ - 1); }

  Mmio mapRegisters() const {
    vfio_region_info region{};
    region.argsz = sizeof region;
    region.index = VFIO_PCI_BAR0_REGION_INDEX;
    if (call(device_, VFIO_DEVICE_GET_REGION_INFO, &region) != 0 || region.size == 0) refuse("has no memory BAR 0");
    if (region.size < Mmio::kBytes) refuse("has a BAR 0 of only " + std::to_string(region.size) + " bytes");
    if ((region.flags & VFIO_REGION_INFO_FLAG_MMAP) == 0) refuse("has a BAR 0 that vfio does not map");
    return {*system_, address_, device_.get(), region.offset, "not permitted"};
  }

  /// Sets bits of the command register.
  void enable(std::uint32_t bits) {
    std::uint16_t command = 0;
    if (::pread(device_.get(), &command, sizeof command, configAt(pci::kCommand)) != sizeof command)
      refuse("does not show its configuration space");
    if ((command & bits) == bits) return;
    command = static_cast<std::uint16_t>(command | bits);
    if (::pwrite(device_.get(), &command, sizeof command, configAt(pci::kCommand)) != sizeof command)
      refuse("cannot be enabled: " + std::string(std::strerror(errno)));
  }

  void mapMemory(std::span<std::uint8_t> bytes, std::uint64_t iova) {
    vfio_iommu_type1_dma_map map{};
    map.argsz = sizeof map;
    map.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
    map.vaddr = reinterpret_cast<std::uintptr_t>(bytes.data());
    map.iova = iova;
    map.size = bytes.size();
    if (call(container_, VFIO_IOMMU_MAP_DMA, &map) == 0) return;
    const std::string hint = errno == ENOMEM ? " (more locked memory than the limit, ulimit -l, allows?)" : "";
    refuse("cannot share " + std::to_string(bytes.size()) + " bytes: " + std::strerror(errno) + hint);
  }
  /// Where the memory is anyway.
  void mapPhysical(const PhysicalPages& pages) {
    const std::uint64_t first = pages.physical(), last = first + pages.bytes().size() - 1;
    const auto holds = [&](const IovaRange& range) { return range.first <= first && last <= range.last; };
    if (std::none_of(ranges_.begin(), ranges_.end(), holds))
      refuse("cannot be given memory at its physical address: the IOMMU reserves it");
    mapMemory(pages.bytes(), first);
    if (pages.inPlace()) return;  // and from now on the kernel leaves it there
    unmapMemory(first, pages.bytes().size());
    refuse("cannot share memory: the kernel has just moved it, try again");
  }
  bool unmapMemory(std::uint64_t iova, std::size_t bytes) {
    vfio_iommu_type1_dma_unmap unmap{};
    unmap.argsz = sizeof unmap;
    unmap.iova = iova;
    unmap.size = bytes;
    return call(container_, VFIO_IOMMU_UNMAP_DMA, &unmap) == 0;
  }

  unsigned vectorCount() const {
    vfio_irq_info info{};
    info.argsz = sizeof info;
    info.index = VFIO_PCI_MSIX_IRQ_INDEX;
    if (call(device_, VFIO_DEVICE_GET_IRQ_INFO, &info) != 0 || (info.flags & VFIO_IRQ_INFO_EVENTFD) == 0) return 0;
    return info.count;
  }
  void setVectors(const std::vector<int>& events) {
    std::vector<std::uint8_t> bytes(sizeof(vfio_irq_set) + events.size() * sizeof(std::int32_t));
    vfio_irq_set head{};
    head.argsz = static_cast<std::uint32_t>(bytes.size());
    head.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
    head.index = VFIO_PCI_MSIX_IRQ_INDEX;
    head.count = static_cast<std::uint32_t>(events.size());
    std::memcpy(bytes.data(), &head, sizeof head);
    std::memcpy(bytes.data() + sizeof head, events.data(), events.size() * sizeof(std::int32_t));
    if (call(device_, VFIO_DEVICE_SET_IRQS, bytes.data()) != 0)
      refuse(std::string("gets no interrupts: ") + std::strerror(errno));
  }
  /// The kernel restores the configuration behind it.
  void reset() {
    if (call(device_, VFIO_DEVICE_RESET) != 0) refuse(std::string("cannot be reset: ") + std::strerror(errno));
  }

 private:
  int call(const Descriptor& on, unsigned long request, void* argument = nullptr) const {
    return system_->ioctl(on.get(), request, argument);
  }
  off_t configAt(std::uint16_t offset) const { return static_cast<off_t>(config_ + offset); }

  void openGroup(const std::string& number) {
    const std::string path = system_->dev + "/vfio/" + number;
    group_ = Descriptor(system_->open(path, O_RDWR));
    if (!group_ && errno == EBUSY) {
      const std::string user = userOf(*system_, path);
      refuse("is held by " + (user.empty() ? "another program" : user) + ", which has its IOMMU group " + number);
    }
    if (!group_ && (errno == EACCES || errno == EPERM))
      refuse("is not ours to open: no permission for " + path + " (chown it, or run as root)");
    if (!group_) refuse("cannot be opened: " + path + ": " + std::strerror(errno));
    vfio_group_status status{};
    status.argsz = sizeof status;
    if (call(group_, VFIO_GROUP_GET_STATUS, &status) != 0 || (status.flags & VFIO_GROUP_FLAGS_VIABLE) == 0) {
      const std::string others = hindering(*system_, address_);
      refuse("shares its IOMMU group " + number + " with devices that drivers hold" +
             (others.empty() ? "" : ": " + others));
    }
    int container = container_.get();
    if (call(group_, VFIO_GROUP_SET_CONTAINER, &container) != 0)
      refuse("is not taken by vfio: " + std::string(std::strerror(errno)));
    if (call(container_, VFIO_SET_IOMMU, reinterpret_cast<void*>(VFIO_TYPE1v2_IOMMU)) != 0) {
      refuse(errno == EPERM ? "is behind an IOMMU that does not check interrupts: load vfio_iommu_type1 with "
                              "allow_unsafe_interrupts=1 if nobody untrusted has devices here"
                            : "is not taken by the IOMMU: " + std::string(std::strerror(errno)));
    }
  }

  void iommuInfo() {
    std::vector<std::uint64_t> space(sizeof(vfio_iommu_type1_info) / 8 + 1);
    for (int round = 0; round < 2; ++round) {  // the first says how much there is to say
      const auto given = static_cast<std::uint32_t>(space.size() * 8);
      auto* info = reinterpret_cast<vfio_iommu_type1_info*>(space.data());
      *info = {};
      info->argsz = given;
      if (call(container_, VFIO_IOMMU_GET_INFO, info) != 0)
        refuse("has an IOMMU that tells nothing: " + std::string(std::strerror(errno)));
      if ((info->flags & VFIO_IOMMU_INFO_PGSIZES) != 0 && info->iova_pgsizes != 0)
        page_ = std::max<std::uint64_t>(driver::pageBytes(), info->iova_pgsizes & -info->iova_pgsizes);
      if (info->argsz <= given) {
        if ((info->flags & VFIO_IOMMU_INFO_CAPS) != 0)
          readRanges({reinterpret_cast<const std::uint8_t*>(info), info->argsz}, info->cap_offset);
        break;
      }
      space.assign(info->argsz / 8 + 1, 0);
    }
    if (ranges_.empty()) ranges_ = {{0, IovaSpace::kHighest}};  // a kernel that does not say
    addresses_.emplace(ranges_, page_);
  }
  /// Follows the capabilities from offset `at` to the one with the addresses that are not reserved.
  void readRanges(std::span<const std::uint8_t> info, std::size_t at) {
    const auto get = [&](std::size_t from, auto& into) {
      if (from + sizeof into > info.size()) return false;
      std::memcpy(&into, info.data() + from, sizeof into);
      return true;
    };
    vfio_info_cap_header head{};
    for (int seen = 0; at != 0 && seen < 64 && get(at, head); ++seen, at = head.next) {
      if (head.id != VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE) continue;
      using List = vfio_iommu_type1_info_cap_iova_range;
      std::uint32_t count = 0;
      get(at + offsetof(List, nr_iovas), count);
      vfio_iova_range range{};
      for (std::size_t i = 0; i < count && get(at + sizeof(List) + i * sizeof range, range); ++i)
        ranges_.push_back({range.start, range.end});
      return;
    }
  }

  void openDevice() {
    device_ = Descriptor(system_->ioctl(group_.get(), VFIO_GROUP_GET_DEVICE_FD, const_cast<char*>(address_.c_str())));
    if (!device_) refuse("cannot be opened by vfio: " + std::string(std::strerror(errno)));
    vfio_region_info region{};
    region.argsz = sizeof region;
    region.index = VFIO_PCI_CONFIG_REGION_INDEX;
    if (call(device_, VFIO_DEVICE_GET_REGION_INFO, &region) != 0 || region.size == 0)
      refuse("does not show its configuration space");
    config_ = region.offset;
    enable(pci::kMemorySpace);
  }

  std::shared_ptr<const PciSystem> system_;
  std::string address_;
  Descriptor container_, group_, device_;
  std::uint64_t page_ = driver::pageBytes();
  std::uint64_t config_ = 0;  ///< of the configuration space in the device's file
  std::vector<IovaRange> ranges_;
  std::optional<IovaSpace> addresses_;
};

class VfioMemory : public DmaMemory {
 public:
  VfioMemory(std::unique_ptr<GuardedPages> pages, std::uint64_t iova, const std::shared_ptr<VfioDevice>& device)
      : DmaMemory(pages->bytes(), iova), pages_(std::move(pages)), device_(device) {}
  VfioMemory(std::unique_ptr<PhysicalPages> pages, const std::shared_ptr<VfioDevice>& device)
      : DmaMemory(pages->bytes(), pages->physical()), physical_(std::move(pages)), device_(device) {}
  ~VfioMemory() override {
    // Without the device the kernel has unmapped everything. An address that is not unmapped is not used again.
    const auto device = device_.lock();
    if (device && device->unmapMemory(busAddress(), bytes().size())) device->addresses().give(busAddress());
  }

 private:
  std::unique_ptr<GuardedPages> pages_;
  std::unique_ptr<PhysicalPages> physical_;
  std::weak_ptr<VfioDevice> device_;
};

class VfioTransport : public Transport {
 public:
  VfioTransport(std::shared_ptr<const PciSystem> system, const std::string& address, const PciOptions& options,
                std::unique_ptr<CardLock> lock)
      : lock_(std::move(lock)),
        physical_(options.physical_addresses),
        device_(std::make_shared<VfioDevice>(std::move(system), address)),
        registers_(device_->mapRegisters()) {}

  std::vector<std::uint32_t> run(std::span<const Access> accesses) override { return registers_.run(accesses); }
  std::string name() const override { return device_->address(); }
  Capabilities capabilities() override { return {true, device_->vectorCount()}; }

  std::unique_ptr<DmaMemory> allocate(std::size_t bytes) override {
    device_->enable(pci::kBusMaster);
    if (physical_) {
      auto pages = std::make_unique<PhysicalPages>(device_->system(), bytes);
      device_->mapPhysical(*pages);
      return std::make_unique<VfioMemory>(std::move(pages), device_);
    }
    auto pages = std::make_unique<GuardedPages>(device_->wholeUnits(bytes));
    const std::span<std::uint8_t> memory = pages->bytes();
    const auto iova = device_->addresses().take(memory.size());
    if (!iova) device_->refuse("has no bus addresses left for " + std::to_string(memory.size()) + " bytes");
    try {
      device_->mapMemory(memory, *iova);
    } catch (const DriverError&) {
      device_->addresses().give(*iova);
      throw;
    }
    return std::make_unique<VfioMemory>(std::move(pages), *iova, device_);
  }

  std::span<const int> vectors() override {
    const unsigned count = descriptors_.empty() ? device_->vectorCount() : 0;
    if (count != 0) {
      std::vector<Descriptor> events;
      std::vector<int> numbers;
      for (unsigned i = 0; i < count; ++i) {
        numbers.push_back(events.emplace_back(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)).get());
        if (numbers.back() < 0) device_->refuse(std::string("gets no interrupts: ") + std::strerror(errno));
      }
      device_->enable(pci::kBusMaster);
      device_->setVectors(numbers);
      events_ = std::move(events);
      descriptors_ = std::move(numbers);
    }
    return descriptors_;
  }

  void reset() override { device_->reset(); }

 private:
  std::unique_ptr<CardLock> lock_;
  bool physical_;
  std::vector<Descriptor> events_;
  std::vector<int> descriptors_;
  std::shared_ptr<VfioDevice> device_;
  Mmio registers_;
};

}  // namespace

std::unique_ptr<Transport> openVfioCard(const std::shared_ptr<const PciSystem>& system, const std::string& address,
                                        const PciOptions& options, std::unique_ptr<CardLock> lock) {
  return std::make_unique<VfioTransport>(system, address, options, std::move(lock));
}

}  // namespace poplink::driver
