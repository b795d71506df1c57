// SPDX-License-Identifier: Apache-2.0
// Next hops in software: how tests fill the tables that choose one.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "buckets.h"
#include "ecmp_kernel.h"
#include "software_tables.h"

namespace poplink::tests {

using sim::TablesInUse;

struct EcmpTables : sim::SoftwareTables {
  /// Port p is link p, and the one member of group p.
  void setPorts(std::initializer_list<unsigned> ports) {
    for (const unsigned port : ports) {
      const auto only = static_cast<kernels::bits<16>>(1U << port);
      link[port] = {true, only};
      group[port] = {true, only, 0, 6};
    }
  }

  /// Group `number` over `weights`, its buckets from `base` on.
  void setGroup(unsigned number, unsigned base, unsigned log_buckets, const host::Weights& weights) {
    std::uint16_t links = 0;
    for (const auto& [member, weight] : weights) links |= static_cast<std::uint16_t>(1U << member);
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
  void setLink(unsigned number, const host::Weights& weights) {
    link[number] = {true, 0};
    for (const auto& [port, weight] : weights) link[number].ports |= static_cast<kernels::bits<16>>(1U << port);
    const auto buckets = host::allocate(1U << kernels::kLagBucketBits, weights);
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      lag[(number << kernels::kLagBucketBits) + i] = {true, static_cast<kernels::bits<4>>(buckets[i].first),
                                                      static_cast<kernels::bits<4>>(buckets[i].second),
                                                      static_cast<kernels::bits<4>>(buckets[i].third)};
    }
  }
};

}  // namespace poplink::tests
