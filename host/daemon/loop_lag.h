// SPDX-License-Identifier: Apache-2.0
// How late an event loop gets to what is due: a timer that says when it should have been called.
#pragma once

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

namespace poplink::host {

class LoopLag {
 public:
  explicit LoopLag(boost::asio::io_context& context) : timer_(context) {}
  /// From now on: the loop is about to run.
  void start();
  /// At worst, in the last half a minute to a minute.
  std::chrono::steady_clock::duration worst() const { return std::max(now_, before_); }

 private:
  void wait();

  boost::asio::steady_timer timer_;
  std::chrono::steady_clock::duration now_{}, before_{};  ///< of this half minute, and of the one before
  std::chrono::steady_clock::time_point since_;
};

}  // namespace poplink::host
