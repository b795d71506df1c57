// SPDX-License-Identifier: Apache-2.0
// rtl/core/pdu_repeat.sv in software: each port's last PDU, repeated while the host is away (docs/host-path.md, section
// 7).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace poplink::sim {

class PduRepeater {
 public:
  static constexpr unsigned kPorts = 8;
  static constexpr unsigned kMinBytes = 60, kMaxBytes = 128;

  /// In microseconds.
  struct Times {
    std::uint32_t wait = 0;      ///< from arming or the last refresh to the first repetition
    std::uint32_t interval = 0;  ///< from one to the next, not 0
    std::uint32_t lifetime = 0;  ///< from arming or the last refresh to the end
  };

  /// False: frame or times are out of range, and nothing has happened.
  bool arm(unsigned port, std::span<const std::uint8_t> frame, const Times& times, std::uint64_t now_us) {
    if (frame.size() < kMinBytes || frame.size() > kMaxBytes || times.interval == 0) return false;
    ports_[port] = {{frame.begin(), frame.end()}, times, now_us, times.wait, ports_[port].sent};
    armed_ |= 1U << port;
    return true;
  }
  void refresh(unsigned port, std::uint64_t now_us) {
    if (!armed(port)) return;
    Port& one = ports_[port];
    one.refreshed_us = now_us;
    one.next = one.times.wait;
  }
  void stop(unsigned port) { armed_ &= ~(1U << port); }
  bool armed(unsigned port) const { return (armed_ >> port & 1) != 0; }
  bool any() const { return armed_ != 0; }
  /// Frames repeated, modulo 2^32.
  std::uint32_t sent(unsigned port) const { return ports_[port].sent; }

  /// A port whose frame is due, which counts as sent now; nothing: none is. Ports whose lifetime is over are disarmed.
  std::optional<unsigned> take(std::uint64_t now_us) {
    for (unsigned i = 0; any() && i < kPorts; ++i) {
      const unsigned port = (first_ + i) % kPorts;
      Port& one = ports_[port];
      const std::uint64_t age = now_us - one.refreshed_us;
      if (age > one.times.lifetime) stop(port);  // also when time has gone back
      if (!armed(port) || age < one.next) continue;
      // Of several that are due one is made good, not all.
      one.next = (one.next + one.times.interval > age ? one.next : age) + one.times.interval;
      ++one.sent;
      first_ = (port + 1) % kPorts;
      return port;
    }
    return std::nullopt;
  }
  const std::vector<std::uint8_t>& frame(unsigned port) const { return ports_[port].frame; }

  /// Card time at which take() has something to do; nothing: no port is armed.
  std::optional<std::uint64_t> due() const {
    std::optional<std::uint64_t> first;
    for (unsigned port = 0; port < kPorts; ++port) {
      if (!armed(port)) continue;
      const Port& one = ports_[port];
      const std::uint64_t at = one.refreshed_us + std::min<std::uint64_t>(one.next, one.times.lifetime + 1ULL);
      if (!first || at < *first) first = at;
    }
    return first;
  }

 private:
  /// Times count from the last refresh.
  struct Port {
    std::vector<std::uint8_t> frame;
    Times times{};
    std::uint64_t refreshed_us = 0;
    std::uint64_t next = 0;
    std::uint32_t sent = 0;
  };
  std::array<Port, kPorts> ports_{};
  unsigned armed_ = 0;  ///< by port
  unsigned first_ = 0;  ///< whose turn it is
};

}  // namespace poplink::sim
