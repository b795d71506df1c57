// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/container_hash/hash.hpp>

#include "bgp_routes.h"

namespace poplink::bench {

struct PrefixHash {
  using is_avalanching = void;  // boost::hash of two words mixes well enough for a flat table
  std::size_t operator()(const Prefix& prefix) const {
    return std::visit(
        [](const auto& one) {
          std::size_t seed = one.length;
          if constexpr (std::is_same_v<std::decay_t<decltype(one)>, host::bgp::Prefix4>)
            boost::hash_combine(seed, one.address);
          else
            boost::hash_range(seed, one.address.begin(), one.address.end());
          return seed;
        },
        prefix);
  }
};

}  // namespace poplink::bench
