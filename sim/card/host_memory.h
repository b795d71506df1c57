// SPDX-License-Identifier: Apache-2.0
// What a card reaches of its host.
#pragma once

#include <cstdint>
#include <span>

namespace poplink::sim {

/// What the card reaches through its bus. Without one every transfer is refused.
class HostMemory {
 public:
  virtual ~HostMemory() = default;
  /// False: refused (nothing there, or no permission); `into` is then undefined, and nothing is written.
  virtual bool read(std::uint64_t address, std::span<std::uint8_t> into) = 0;
  virtual bool write(std::uint64_t address, std::span<const std::uint8_t> from) = 0;
};

}  // namespace poplink::sim
