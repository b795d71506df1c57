// SPDX-License-Identifier: Apache-2.0
// Attributes of one device in sysfs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "poplink/driver/pci_system.h"

namespace poplink::driver {

class PciSysfs {
 public:
  PciSysfs(const PciSystem& system, const std::string& address)
      : directory_(system.sys + "/bus/pci/devices/" + address) {}

  bool exists() const;
  std::string path(const std::string& attribute) const { return directory_ + "/" + attribute; }
  /// Its first line; empty: it is not there.
  std::string text(const std::string& attribute) const;
  std::optional<std::int64_t> number(const std::string& attribute) const;
  /// The last part of where a link goes; empty: it is not there.
  std::string target(const std::string& link) const;
  std::optional<unsigned> iommuGroup() const;
  /// False, with errno.
  bool write(const std::string& attribute, const std::string& value) const;
  std::uint16_t command() const;

 private:
  std::string directory_;
};

/// What keeps programs from devices' memory by the kernel's lockdown: its level; empty: it does not.
std::string lockdown(const PciSystem& system);

}  // namespace poplink::driver
