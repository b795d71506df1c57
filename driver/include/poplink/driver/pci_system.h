// SPDX-License-Identifier: Apache-2.0
// Where the operating system shows PCI devices. A test shows a tree of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace poplink::driver {

struct PciSystem {
  /// `root`: where the trees begin, as in a container that has the host's below a directory of its own.
  explicit PciSystem(const std::string& root = "") : sys(root + "/sys"), dev(root + "/dev"), lock(root + "/run/lock") {}
  virtual ~PciSystem() = default;

  std::string sys;
  std::string dev;
  std::string proc = "/proc";  ///< this program's own
  std::string lock;            ///< where owners of cards lock theirs

  // As the system calls of these names; -1, MAP_FAILED and errno likewise.
  virtual int open(const std::string& path, int flags) const;
  virtual int ioctl(int descriptor, unsigned long request, void* argument) const;
  virtual void* map(std::size_t bytes, int protection, int descriptor, std::uint64_t offset) const;
};

}  // namespace poplink::driver
