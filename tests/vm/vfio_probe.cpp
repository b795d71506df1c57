// SPDX-License-Identifier: Apache-2.0
// What vfio makes of a card, in a guest, without our driver: vfio-probe PCI-ADDRESS IOMMU-GROUP. Says what it finds,
// then `armed`, waits for an interrupt of any vector, says what has happened to links and rings, and resets the
// function.
#include <fcntl.h>
#include <linux/vfio.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "poplink/card_map.h"

namespace {

constexpr int kPatienceMs = 60'000;
constexpr std::uint16_t kCommand = 0x04, kBusMaster = 0x04;
// Links have come up since the card's reset: those events are old.
constexpr std::uint32_t kClearAllAndArm =
    poplink::card_map::field::kEventClearLinks.with(0xFFFF) | poplink::card_map::field::kEventClearRings.with(0xFF) |
    poplink::card_map::field::kEventClearClear.with(1) | poplink::card_map::field::kEventClearArm.with(1);

void check(bool good, const char* what) {
  if (good) return;
  std::printf("%s: %s\n", what, std::strerror(errno));
  std::exit(EXIT_FAILURE);
}

vfio_region_info regionInfo(int device, std::uint32_t index) {
  vfio_region_info info{};
  info.argsz = sizeof info;
  info.index = index;
  check(::ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info) == 0, "region info");
  return info;
}

/// An eventfd for each vector.
std::vector<pollfd> arm(int device) {
  vfio_irq_info info{};
  info.argsz = sizeof info;
  info.index = VFIO_PCI_MSIX_IRQ_INDEX;
  check(::ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info) == 0, "interrupt info");
  std::printf("vectors %u\n", info.count);
  std::vector<pollfd> events;
  std::vector<int> fds;
  for (unsigned i = 0; i < info.count; ++i) {
    fds.push_back(::eventfd(0, EFD_CLOEXEC));
    events.push_back({fds.back(), POLLIN, 0});
  }
  std::vector<std::uint32_t> storage((sizeof(vfio_irq_set) + fds.size() * sizeof(int)) / sizeof(std::uint32_t));
  auto* set = reinterpret_cast<vfio_irq_set*>(storage.data());
  set->argsz = static_cast<std::uint32_t>(storage.size() * sizeof(std::uint32_t));
  set->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
  set->index = VFIO_PCI_MSIX_IRQ_INDEX;
  set->count = info.count;
  std::memcpy(set->data, fds.data(), fds.size() * sizeof(int));
  check(::ioctl(device, VFIO_DEVICE_SET_IRQS, set) == 0, "eventfds");
  return events;
}

void awaitEvent(std::vector<pollfd>& events) {
  if (::poll(events.data(), events.size(), kPatienceMs) == 0) std::puts("no interrupt");
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (events[i].revents != 0) std::printf("interrupt %zu\n", i);
  }
}

void showEvents(const char* before, const volatile std::uint32_t* registers) {
  const std::uint32_t events = registers[poplink::card_map::reg::kEventStatus / 4];
  std::printf("%slinks 0x%04x rings 0x%02x\n", before, poplink::card_map::field::kEventStatusLinks.of(events),
              poplink::card_map::field::kEventStatusRings.of(events));
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (argc != 3) return EXIT_FAILURE;
  const int container = ::open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
  check(container >= 0, "container");
  const int group = ::open((std::string("/dev/vfio/") + argv[2]).c_str(), O_RDWR | O_CLOEXEC);
  check(group >= 0, "group");
  check(::ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) == 0, "group into container");
  check(::ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) == 0, "IOMMU");
  const int device = ::ioctl(group, VFIO_GROUP_GET_DEVICE_FD, argv[1]);
  check(device >= 0, "device");

  vfio_device_info info{};
  info.argsz = sizeof info;
  check(::ioctl(device, VFIO_DEVICE_GET_INFO, &info) == 0, "device info");
  std::printf("reset %s\n", (info.flags & VFIO_DEVICE_FLAGS_RESET) != 0 ? "yes" : "no");

  const vfio_region_info bar = regionInfo(device, VFIO_PCI_BAR0_REGION_INDEX);
  void* mapped = ::mmap(nullptr, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device, static_cast<off_t>(bar.offset));
  check(mapped != MAP_FAILED, "BAR0");
  auto* registers = static_cast<volatile std::uint32_t*>(mapped);
  std::printf("bar0 %llu magic 0x%08x\n", bar.size, registers[poplink::card_map::reg::kMagic / 4]);

  const vfio_region_info config = regionInfo(device, VFIO_PCI_CONFIG_REGION_INDEX);
  const auto at = static_cast<off_t>(config.offset) + kCommand;
  std::uint16_t command = 0;
  check(::pread(device, &command, sizeof command, at) == sizeof command, "command register");
  command |= kBusMaster;
  check(::pwrite(device, &command, sizeof command, at) == sizeof command, "bus master");

  auto events = arm(device);
  registers[poplink::card_map::reg::kEventClear / 4] = kClearAllAndArm;
  std::puts("armed");
  awaitEvent(events);

  showEvents("", registers);
  registers[poplink::card_map::reg::kEventClear / 4] = kClearAllAndArm;
  showEvents("and cleared: ", registers);

  registers[poplink::card_map::reg::kScratch / 4] = 0xCAFE;
  check(::ioctl(device, VFIO_DEVICE_RESET) == 0, "reset");
  std::printf("scratch after reset 0x%x\n", registers[poplink::card_map::reg::kScratch / 4]);
  return EXIT_SUCCESS;
}
