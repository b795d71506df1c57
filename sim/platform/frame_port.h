// SPDX-License-Identifier: Apache-2.0
// How frames pass between the parts of the platform: whole, without FCS, at the moment their last byte arrives.
#pragma once

#include <cstdint>
#include <span>

namespace poplink::sim {

/// Something that takes frames: a card's port, a cable's end, an interface of the host. One call is one frame.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  virtual void deliver(std::span<const std::uint8_t> frame) = 0;
};

}  // namespace poplink::sim
