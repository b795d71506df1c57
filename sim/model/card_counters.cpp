// SPDX-License-Identifier: Apache-2.0
#include "card_counters.h"

#include "poplink/card_map.h"

namespace poplink::sim {

namespace window = card_map::window;

namespace {
constexpr std::uint32_t kPairBytes = 16, kOfHost = 0x2000;
}  // namespace

// Of an address, a window looks at as many bits as its counts need; what is behind them shows them again.
const CardCounters::Count* CardCounters::at(std::uint32_t address) const {
  const auto inside = [&](std::uint32_t first, std::uint32_t bytes) { return address - first < bytes; };
  const auto pair = [&](const Counts& counts, std::uint32_t first) {
    return &counts[(address - first) / kPairBytes % counts.size()];
  };
  if (inside(window::kPortCounters, window::kPortCountersBytes)) {
    const std::uint32_t number = (address - window::kPortCounters) / kPairBytes;
    return &(number % 2 == 0 ? received_ : sent_)[number / 2 % received_.size()];
  }
  if (inside(window::kDropCounters, window::kDropCountersBytes)) return pair(dropped_, window::kDropCounters);
  if (inside(window::kHostCounters, kOfHost)) return pair(punted_, window::kHostCounters);
  if (inside(window::kHostCounters, window::kHostCountersBytes)) return pair(of_host_, window::kHostCounters + kOfHost);
  if (inside(window::kServiceCounters, window::kServiceCountersBytes)) return pair(service_, window::kServiceCounters);
  if (inside(window::kMemberCounters, window::kMemberCountersBytes)) return pair(member_, window::kMemberCounters);
  return nullptr;
}

std::optional<std::uint32_t> CardCounters::read(std::uint32_t address) {
  const Count* count = at(address);
  if (count == nullptr) return std::nullopt;
  if (address % 8 != 0) return high_;
  const std::uint64_t value = address % kPairBytes == 0 ? count->frames : count->bytes;
  high_ = static_cast<std::uint32_t>(value >> 32);
  return static_cast<std::uint32_t>(value);
}

}  // namespace poplink::sim
