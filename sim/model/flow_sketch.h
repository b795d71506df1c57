// SPDX-License-Identifier: Apache-2.0
// rtl/core/flow_sketch.sv in software: how many slots each link's flows touched in the last whole second of card time.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace poplink::sim {

class FlowSketch {
 public:
  static constexpr unsigned kSlots = 4096, kLogSecond = 20;

  void count(std::uint64_t now_us, unsigned link, unsigned slot) {
    turn(now_us);
    Slot& at = slots_[slot];
    if (at.second != second_) at = {second_, 0};
    const auto bit = static_cast<std::uint16_t>(1U << link);
    if ((at.links & bit) == 0) ++running_[link];
    at.links |= bit;
  }
  std::uint32_t lastSecond(std::uint64_t now_us, unsigned link) {
    turn(now_us);
    return last_[link];
  }

 private:
  struct Slot {
    std::uint64_t second = 0;
    std::uint16_t links = 0;
  };

  void turn(std::uint64_t now_us) {
    const std::uint64_t second = now_us >> kLogSecond;
    if (second == second_) return;
    last_ = second == second_ + 1 ? running_ : Counts{};
    running_ = {};
    second_ = second;
  }

  using Counts = std::array<std::uint32_t, 16>;
  std::vector<Slot> slots_ = std::vector<Slot>(kSlots);
  std::uint64_t second_ = 0;  ///< that running_ counts
  Counts running_{}, last_{};
};

}  // namespace poplink::sim
