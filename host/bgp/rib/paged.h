// SPDX-License-Identifier: Apache-2.0
// A sequence that grows by pages: nothing moves, and a million elements take the memory of a million, also while there
// are more to come. (A vector takes three times as much while it doubles.)
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace poplink::host::bgp {

template <class T, unsigned kPageBits = 10>
class Paged {
 public:
  T& operator[](std::size_t at) { return pages_[at >> kPageBits][at & kMask]; }
  const T& operator[](std::size_t at) const { return pages_[at >> kPageBits][at & kMask]; }
  std::size_t size() const { return size_; }

  void push_back(T value) {
    grow(size_ + 1);
    (*this)[size_ - 1] = std::move(value);
  }
  /// New elements are T{}; there are never fewer.
  void grow(std::size_t size) {
    while (pages_.size() << kPageBits < size) pages_.push_back(std::make_unique<T[]>(std::size_t{1} << kPageBits));
    if (size > size_) size_ = size;
  }

 private:
  static constexpr std::size_t kMask = (std::size_t{1} << kPageBits) - 1;
  std::vector<std::unique_ptr<T[]>> pages_;
  std::size_t size_ = 0;
};

}  // namespace poplink::host::bgp
