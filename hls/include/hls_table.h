// SPDX-License-Identifier: Apache-2.0
// Tables that packets change, for running kernels natively. The kernel's source has only declarations, `Result
// update_NAME(bits<K> index, const Args&)`, and the body `Result NAME_update(Entry&, const Args&)`; who runs the kernel
// owns the entries:
//
//   hls::UpdateTable<CountEntry, 10> counts;
//   void update_count(hls::bits<10> flow, const CountArgs& args) { counts.update(flow, args, count_update); }
#pragma once

#include <cstddef>
#include <vector>

#include "hls.h"

namespace hls {

/// 2^IndexBits entries, all zero at first, as in rtl/core/update_ram.sv.
template <class Entry, unsigned IndexBits>
class UpdateTable {
 public:
  UpdateTable() : entries_(std::size_t{1} << IndexBits) {}

  /// What `body` says; it changes the entry.
  template <class Args, class Body>
  auto update(bits<IndexBits> index, const Args& args, Body&& body) {
    return body(entries_[static_cast<std::size_t>(index)], args);
  }
  /// For the host's part.
  Entry& operator[](std::size_t index) { return entries_[index]; }
  std::size_t size() const { return entries_.size(); }

 private:
  std::vector<Entry> entries_;
};

}  // namespace hls
