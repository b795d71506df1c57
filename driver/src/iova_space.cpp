// SPDX-License-Identifier: Apache-2.0
#include "iova_space.h"

#include <algorithm>

namespace poplink::driver {

IovaSpace::IovaSpace(const std::vector<IovaRange>& ranges, std::uint64_t page) : page_(page) {
  for (IovaRange range : ranges) {
    range.first = (std::max(range.first, kLowest) + page - 1) & ~(page - 1);
    range.last = std::min(range.last, kHighest);
    if (range.first <= range.last && range.last - range.first >= page - 1) ranges_.push_back(range);
  }
  std::sort(ranges_.begin(), ranges_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
}

std::optional<std::uint64_t> IovaSpace::take(std::uint64_t bytes) {
  if (bytes == 0 || bytes > kHighest) return std::nullopt;
  const std::uint64_t size = (bytes + page_ - 1) & ~(page_ - 1);
  for (const IovaRange& range : ranges_) {
    std::uint64_t at = range.first;
    for (const auto& [address, length] : taken_) {
      if (address + length + page_ <= at) continue;
      if (at + size + page_ <= address) break;
      at = address + length + page_;
    }
    if (at <= range.last && range.last - at >= size - 1) {
      taken_.emplace(at, size);
      return at;
    }
  }
  return std::nullopt;
}

}  // namespace poplink::driver
