// SPDX-License-Identifier: Apache-2.0
// rtl/core/counters.sv in software: frames and bytes, and the windows that show them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace poplink::sim {

class CardCounters {
 public:
  struct Count {
    std::uint64_t frames = 0, bytes = 0;
    void add(std::size_t frame_bytes) {
      ++frames;
      bytes += frame_bytes;
    }
  };
  static constexpr unsigned kHost = 16;  ///< as an ingress port

  Count& received(unsigned port) { return received_[port]; }
  Count& sent(unsigned port) { return sent_[port]; }
  Count& dropped(unsigned port, unsigned reason) { return dropped_[port * 64 + reason]; }
  Count& service(unsigned number, bool to_backbone) { return service_[number * 2 + (to_backbone ? 1 : 0)]; }
  Count& member(unsigned group, unsigned link) { return member_[group * 16 + link]; }
  Count& punted(unsigned host_class, unsigned port, unsigned fate) {
    return punted_[host_class * 128 + port * 4 + fate];
  }
  Count& ofHost(unsigned host_class, bool refused) { return of_host_[host_class * 2 + (refused ? 1 : 0)]; }

  /// A word of BAR0; nothing: no window of counters is there. A low word fetches its count and keeps the high word, any
  /// high word is the one that was kept.
  std::optional<std::uint32_t> read(std::uint32_t address);

 private:
  using Counts = std::vector<Count>;
  const Count* at(std::uint32_t address) const;

  Counts received_ = Counts(16), sent_ = Counts(16), dropped_ = Counts(32 * 64), service_ = Counts(4096 * 2),
         member_ = Counts(1024 * 16), punted_ = Counts(4 * 128), of_host_ = Counts(8);
  std::uint32_t high_ = 0;
};

}  // namespace poplink::sim
