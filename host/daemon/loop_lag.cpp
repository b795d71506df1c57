// SPDX-License-Identifier: Apache-2.0
#include "loop_lag.h"

#include <utility>

namespace poplink::host {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPause = std::chrono::milliseconds(100);
constexpr auto kHalf = std::chrono::seconds(30);

}  // namespace

void LoopLag::start() {
  since_ = Clock::now();
  wait();
}

void LoopLag::wait() {
  timer_.expires_after(kPause);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    const auto now = Clock::now();
    if (now - since_ >= kHalf) {
      before_ = std::exchange(now_, {});
      since_ = now;
    }
    now_ = std::max(now_, now - timer_.expiry());
    wait();
  });
}

}  // namespace poplink::host
