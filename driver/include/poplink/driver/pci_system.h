// SPDX-License-Identifier: Apache-2.0
// Where the operating system shows PCI devices. A test shows a tree of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace poplink::driver {

struct PciSystem {
  virtual ~PciSystem() = default;

  std::string sys = "/sys";
  std::string dev = "/dev";
  std::string proc = "/proc";
  std::string lock = "/run/lock";  ///< where owners of cards lock theirs

  // As the system calls of these names; -1, MAP_FAILED and errno likewise.
  virtual int open(const std::string& path, int flags) const;
  virtual int ioctl(int descriptor, unsigned long request, void* argument) const;
  virtual void* map(std::size_t bytes, int protection, int descriptor, std::uint64_t offset) const;
};

}  // namespace poplink::driver
