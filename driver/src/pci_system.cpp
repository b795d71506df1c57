// SPDX-License-Identifier: Apache-2.0
#include "poplink/driver/pci_system.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

namespace poplink::driver {

int PciSystem::open(const std::string& path, int flags) const {
  return ::open(path.c_str(), flags | O_CLOEXEC);
}

int PciSystem::ioctl(int descriptor, unsigned long request, void* argument) const {
  return ::ioctl(descriptor, request, argument);
}

void* PciSystem::map(std::size_t bytes, int protection, int descriptor, std::uint64_t offset) const {
  return ::mmap(nullptr, bytes, protection, MAP_SHARED, descriptor, static_cast<off_t>(offset));
}

}  // namespace poplink::driver
