// SPDX-License-Identifier: Apache-2.0
// rtl/core/host_queue.sv in software: frames that wait for the host, a queue per class, in each a share of room per
// port.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <utility>
#include <vector>

namespace poplink::sim {

/// What the host is told of a frame besides its bytes.
struct AboutFrame {
  unsigned port = 0;  ///< ingress; 16: the host
  unsigned reason = 0;
  bool copy = false;
  bool learned = false;
  bool service_valid = false;
  unsigned service = 0;
  std::uint32_t hash = 0;
  unsigned egress_port = 0;
  std::uint64_t decided_us = 0;
};

class HostQueue {
 public:
  static constexpr unsigned kShareBytes = 16384, kShares = 8;

  struct Frame {
    std::vector<std::uint8_t> bytes;
    AboutFrame about;
    unsigned share = 0;
    std::uint32_t lost = 0;  ///< frames of the class lost between the one before and this one
  };

  /// False: no room, and the frame counts as lost. Room is taken in beats of the card's bus.
  bool offer(unsigned host_class, unsigned share, std::span<const std::uint8_t> bytes, const AboutFrame& about) {
    std::size_t& taken = taken_[host_class][share % kShares];
    if (taken + room(bytes.size()) > kShareBytes) {
      lose(host_class);
      return false;
    }
    taken += room(bytes.size());
    Frame& frame = frames_[host_class].emplace_back();
    if (!spare_.empty()) {
      frame.bytes = std::move(spare_.back());
      spare_.pop_back();
    }
    frame.bytes.assign(bytes.begin(), bytes.end());
    frame.about = about;
    frame.share = share % kShares;
    frame.lost = std::exchange(lost_[host_class], 0);
    return true;
  }
  void lose(unsigned host_class) { ++lost_[host_class]; }
  /// The class's ring starts, and none waits: what was lost before is nobody's.
  void begin(unsigned host_class) { lost_[host_class] = 0; }

  bool waiting(unsigned host_class) const { return !frames_[host_class].empty(); }
  const Frame& front(unsigned host_class) const { return frames_[host_class].front(); }
  void pop(unsigned host_class) {
    Frame& frame = frames_[host_class].front();
    taken_[host_class][frame.share] -= room(frame.bytes.size());
    if (spare_.size() < kSpares) spare_.push_back(std::move(frame.bytes));
    frames_[host_class].pop_front();
  }

 private:
  static constexpr std::size_t kBeatBytes = 64, kSpares = 8;
  static std::size_t room(std::size_t bytes) { return (bytes + kBeatBytes - 1) / kBeatBytes * kBeatBytes; }

  std::array<std::deque<Frame>, 4> frames_;
  std::array<std::array<std::size_t, kShares>, 4> taken_{};  ///< bytes of whole beats
  std::array<std::uint32_t, 4> lost_{};
  std::vector<std::vector<std::uint8_t>> spare_;
};

}  // namespace poplink::sim
