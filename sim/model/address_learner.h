// SPDX-License-Identifier: Apache-2.0
// rtl/core/address_learner.sv in software: is a source address new on its port?
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace poplink::sim {

class AddressLearner {
 public:
  /// `source`: the address, its first byte lowest.
  bool isNew(std::uint64_t now_us, unsigned port, std::uint64_t source) {
    const std::uint64_t name = std::uint64_t{port} << 48 | source;
    const std::uint64_t slot = (name ^ name >> kSlotBits ^ name >> 2 * kSlotBits ^ name >> 3 * kSlotBits) % kSlots;
    const Seen seen{name, static_cast<std::uint32_t>(now_us >> kLogAge & kAges)};
    const bool same = slots_[slot] == seen;
    slots_[slot] = seen;
    return !same;
  }

 private:
  static constexpr unsigned kSlotBits = 14, kLogAge = 28;
  static constexpr std::uint64_t kSlots = 1U << kSlotBits, kAges = (1U << 24) - 1;

  struct Seen {
    std::uint64_t name;
    std::uint32_t age;
    friend bool operator==(const Seen&, const Seen&) = default;
  };
  std::vector<std::optional<Seen>> slots_ = std::vector<std::optional<Seen>>(kSlots);
};

}  // namespace poplink::sim
