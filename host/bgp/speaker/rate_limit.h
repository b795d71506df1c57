// SPDX-License-Identifier: Apache-2.0
// So many in so long: for what strangers can make happen as often as they like.
#pragma once

#include <chrono>

namespace poplink::host::bgp {

class RateLimit {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// `most` in a window of time; windows begin with the first one allowed.
  RateLimit(unsigned most, std::chrono::steady_clock::duration window) : most_(most), window_(window) {}
  /// Whether one more is allowed now. `now` does not go back.
  bool allow(TimePoint now);

 private:
  unsigned most_;
  std::chrono::steady_clock::duration window_;
  TimePoint begin_{};
  unsigned used_ = 0;
};

}  // namespace poplink::host::bgp
