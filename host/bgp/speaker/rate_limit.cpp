// SPDX-License-Identifier: Apache-2.0
#include "rate_limit.h"

namespace poplink::host::bgp {

bool RateLimit::allow(TimePoint now) {
  if (used_ == 0 || now - begin_ >= window_) {
    begin_ = now;
    used_ = 0;
  }
  if (used_ == most_) return false;
  ++used_;
  return true;
}

}  // namespace poplink::host::bgp
