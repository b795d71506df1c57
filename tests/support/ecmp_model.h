// SPDX-License-Identifier: Apache-2.0
// The ECMP kernel's tables in software, and the card's link states.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "buckets.h"
#include "ecmp_kernel.h"

namespace poplink::tests {

struct EcmpTables {
  std::array<kernels::GroupEntry, 1024> group{};
  std::vector<kernels::BucketEntry> bucket = std::vector<kernels::BucketEntry>(65536);
  std::array<kernels::LagEntry, 4096> lag{};
  std::array<std::uint16_t, 16> ports_of_link{};  ///< Distributing
  std::uint16_t live_ports = 0xFFFF;

  /// Group `number` over `weights`, its buckets from `base` on.
  void setGroup(unsigned number, unsigned base, unsigned log_buckets, const host::Weights& weights) {
    std::uint16_t links = 0;
    for (const auto& [link, weight] : weights) links |= static_cast<std::uint16_t>(1U << link);
    group[number] = {true, static_cast<kernels::bits<16>>(links), static_cast<kernels::bits<16>>(base),
                     static_cast<kernels::bits<4>>(log_buckets)};
    const auto buckets = host::allocate(std::size_t{1} << log_buckets, weights);
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      bucket[base + i] = {true, static_cast<kernels::bits<4>>(buckets[i].first),
                          static_cast<kernels::bits<4>>(buckets[i].second),
                          static_cast<kernels::bits<4>>(buckets[i].third)};
    }
  }
  /// A link over `weights` of ports.
  void setLink(unsigned link, const host::Weights& weights) {
    ports_of_link[link] = 0;
    for (const auto& [port, weight] : weights) ports_of_link[link] |= static_cast<std::uint16_t>(1U << port);
    const auto buckets = host::allocate(1U << kernels::kLagBucketBits, weights);
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      lag[(link << kernels::kLagBucketBits) + i] = {true, static_cast<kernels::bits<4>>(buckets[i].first),
                                                    static_cast<kernels::bits<4>>(buckets[i].second),
                                                    static_cast<kernels::bits<4>>(buckets[i].third)};
    }
  }
  std::uint16_t livePorts(unsigned link) const { return ports_of_link[link] & live_ports; }
  std::uint16_t liveLinks() const {
    std::uint16_t live = 0;
    for (unsigned link = 0; link < 16; ++link) live |= static_cast<std::uint16_t>((livePorts(link) != 0) << link);
    return live;
  }
};

/// What the lookup functions answer from while the object lives.
class EcmpTablesInUse {
 public:
  explicit EcmpTablesInUse(const EcmpTables& tables);
  ~EcmpTablesInUse();
  EcmpTablesInUse(const EcmpTablesInUse&) = delete;
  EcmpTablesInUse& operator=(const EcmpTablesInUse&) = delete;
};

}  // namespace poplink::tests
