// SPDX-License-Identifier: Apache-2.0
// rtl/core/host_rings.sv in software: descriptor rings in host memory (docs/host-path.md, section 3). A transfer takes
// no time: what a ring can do is done when serve() is called, and nothing happens between two calls.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "../card/host_memory.h"
#include "host_interrupts.h"
#include "host_queue.h"

namespace poplink::sim {

class HostRings {
 public:
  static constexpr unsigned kRings = 8, kClasses = 4;

  enum class Error : unsigned { none = 0, tail = 1, descriptors = 2, completions = 3 };

  /// As the host's registers say.
  struct Settings {
    bool enable = false;
    unsigned log_entries = 2;
    std::uint64_t descriptors = 0, completions = 0;  ///< bus addresses
    std::uint16_t tail = 0;
  };
  /// As the card's registers say.
  struct State {
    bool running = false;
    Error error = Error::none;
    std::uint32_t lost = 0;
  };

  HostRings(HostQueue& queue, HostInterrupts& interrupts) : queue_(queue), interrupts_(interrupts) {}

  HostMemory* memory = nullptr;
  /// A frame of the host comes in: its origin (kernels::Origin) and target. During serve().
  std::function<void(std::span<const std::uint8_t> frame, unsigned origin, unsigned target)> on_frame;
  /// A frame of the host was taken, or refused.
  std::function<void(unsigned host_class, bool refused, unsigned bytes)> on_sent;

  Settings& settings(unsigned ring) {
    idle_ = false;
    return rings_[ring].settings;
  }
  const State& state(unsigned ring) const { return rings_[ring].state; }
  HostInterrupts::Ring& interruptOf(unsigned ring) { return rings_[ring].interrupt; }
  const HostInterrupts::Ring& interruptOf(unsigned ring) const { return rings_[ring].interrupt; }
  /// Whether frames of a class are taken.
  bool open(unsigned host_class) const {
    return rings_[host_class].state.running && rings_[host_class].settings.enable;
  }
  /// A frame waits in the queue.
  void wake() { idle_ = false; }

  /// Lets one ring do one thing: change its state, discard a frame, or move one. False: none has anything to do.
  bool serve(std::uint64_t now_us);

 private:
  struct Ring {
    Settings settings;
    State state;
    bool stopped = false;  ///< by an error
    unsigned log = 2;      ///< of its entries, since it runs
    HostInterrupts::Ring interrupt;
    std::array<std::uint8_t, 64> line{};  ///< the descriptors at index / 4 * 4
    std::uint16_t line_end = 0;           ///< the first behind those that are in `line`

    std::uint16_t index() const { return interrupt.index; }
    std::uint16_t mask() const { return static_cast<std::uint16_t>((1U << log) - 1); }
    bool posted() const { return settings.tail != index(); }
  };
  struct Descriptor {
    std::uint64_t address;
    unsigned bytes;
    unsigned mode, target;
    bool bad;
  };
  /// Of a completion: what became of the frame.
  struct Outcome {
    bool bad = false, refused = false, truncated = false;
    unsigned moved = 0;
  };

  bool wants(unsigned number) const;
  void discard(unsigned number);
  void move(unsigned number, std::uint64_t now_us);
  bool fetch(Ring& ring);
  static Descriptor decode(const Ring& ring, bool rx);
  Outcome receive(unsigned host_class, const Descriptor& descriptor);
  Outcome transmit(unsigned number, const Descriptor& descriptor);
  void complete(unsigned number, const Outcome& outcome, std::uint64_t now_us);
  void stop(unsigned number, Error error);

  HostQueue& queue_;
  HostInterrupts& interrupts_;
  std::array<Ring, kRings> rings_{};
  std::vector<std::uint8_t> frame_;  ///< of the host
  unsigned last_ = 7;                ///< ring that was served
  bool idle_ = true;
};

}  // namespace poplink::sim
