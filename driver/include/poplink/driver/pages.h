// SPDX-License-Identifier: Apache-2.0
// Pages of this program for a card.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace poplink::driver {

/// Zeroed pages between two that nobody may touch: whoever runs over the end is stopped there.
class GuardedPages {
 public:
  /// `descriptor`: a file whose pages these are, from its start and shared; -1: nobody else's. Throws DriverError.
  explicit GuardedPages(std::size_t bytes, int descriptor = -1);
  ~GuardedPages();
  GuardedPages(const GuardedPages&) = delete;
  GuardedPages& operator=(const GuardedPages&) = delete;

  std::span<std::uint8_t> bytes() const { return bytes_; }

 private:
  std::span<std::uint8_t> whole_, bytes_;
};

std::size_t pageBytes();
/// Up to whole pages. Throws DriverError for nothing at all, or more than any machine has.
std::size_t wholePages(std::size_t bytes);

}  // namespace poplink::driver
