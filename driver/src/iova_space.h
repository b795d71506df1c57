// SPDX-License-Identifier: Apache-2.0
// Which bus addresses are whose.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace poplink::driver {

struct IovaRange {
  std::uint64_t first;
  std::uint64_t last;  ///< inclusive
  friend bool operator==(const IovaRange&, const IovaRange&) = default;
};

class IovaSpace {
 public:
  static constexpr std::uint64_t kLowest = 0x10'0000;     ///< a null pointer's neighbourhood stays empty
  static constexpr std::uint64_t kHighest = 0xFFFF'FFFF;  ///< any card can say these addresses

  /// Of what is in `ranges`, the part from kLowest to kHighest. `page`: a power of two.
  IovaSpace(const std::vector<IovaRange>& ranges, std::uint64_t page);

  /// Whole pages for so many bytes, with a page in front and behind that nobody gets.
  std::optional<std::uint64_t> take(std::uint64_t bytes);
  void give(std::uint64_t address) { taken_.erase(address); }

 private:
  std::vector<IovaRange> ranges_;
  std::uint64_t page_;
  std::map<std::uint64_t, std::uint64_t> taken_;  ///< address to bytes
};

}  // namespace poplink::driver
