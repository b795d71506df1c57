// SPDX-License-Identifier: Apache-2.0
// What forward() and ecmp() look up, in memory. The lookup_* functions are one set per program; they answer from the
// tables that are in use on their thread, so any number of cards can take turns.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tables.h"

namespace poplink::sim {

struct SoftwareTables {
  std::array<kernels::PortEntry, 16> port{};
  std::array<kernels::AttachmentEntry, 16> attachment{};
  std::vector<kernels::VidEntry> vid = std::vector<kernels::VidEntry>(65536);
  std::vector<kernels::ServiceEntry> service = std::vector<kernels::ServiceEntry>(4096);
  std::array<kernels::GroupEntry, 1024> group{};
  std::vector<kernels::BucketEntry> bucket = std::vector<kernels::BucketEntry>(65536);
  std::array<kernels::LagEntry, 4096> lag{};
  std::array<kernels::LinkEntry, 16> link{};  ///< as the host writes it
  std::uint16_t live_ports = 0xFFFF;          ///< up, enabled and not held
  std::uint16_t held_ports = 0;               ///< that read as not collecting, whatever the host wrote

  /// Ports of a link that can carry a frame now.
  std::uint16_t livePorts(unsigned number) const {
    return link[number].valid ? static_cast<std::uint16_t>(link[number].ports & live_ports) : std::uint16_t{0};
  }
  /// Links with such a port.
  std::uint16_t liveLinks() const {
    std::uint16_t live = 0;
    for (unsigned number = 0; number < 16; ++number)
      live |= static_cast<std::uint16_t>((livePorts(number) != 0) << number);
    return live;
  }
};

/// lookup_*() on this thread reads `tables` until the scope ends. Scopes do not nest.
class TablesInUse {
 public:
  explicit TablesInUse(const SoftwareTables& tables);
  ~TablesInUse();
  TablesInUse(const TablesInUse&) = delete;
  TablesInUse& operator=(const TablesInUse&) = delete;
};

}  // namespace poplink::sim
