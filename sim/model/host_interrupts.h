// SPDX-License-Identifier: Apache-2.0
// rtl/core/host_interrupts.sv in software: when the host is interrupted (docs/host-path.md, section 4).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

namespace poplink::sim {

class HostInterrupts {
 public:
  static constexpr unsigned kRings = 8, kEvents = 8, kVectors = 9;

  /// What the host says of a ring, and how far it is.
  struct Ring {
    bool enabled = false;
    std::uint16_t index = 0;   ///< completions written
    std::uint16_t seen = 0;    ///< of these, those that the host knows of
    std::uint16_t frames = 0;  ///< that do not wait any more
    std::uint16_t us = 0;      ///< how long they may wait
    std::uint16_t unseen() const { return static_cast<std::uint16_t>(index - seen); }
  };

  /// An interrupt, by its vector.
  std::function<void(unsigned)> on_interrupt;

  /// The host arms: its `seen` is there already.
  void arm(unsigned number, const Ring& ring) {
    if (ring.enabled) states_[number].armed = true;
    states_[number].late = ring.unseen() != 0;
    look(number, ring, states_[number].oldest_us);
  }
  void disable(unsigned number) { states_[number].armed = false; }
  /// One more completion, which `ring` counts already.
  void completed(unsigned number, const Ring& ring, std::uint64_t now_us) {
    if (ring.unseen() == 1) states_[number].oldest_us = now_us;
    look(number, ring, now_us);
  }
  /// Anything that could let it fire has changed, time too.
  void look(unsigned number, const Ring& ring, std::uint64_t now_us) {
    State& state = states_[number];
    if (!state.armed || ring.unseen() == 0) return;
    const auto age = static_cast<std::uint32_t>(now_us - state.oldest_us);  // of 32 bits, as the card counts
    if (!state.late && ring.unseen() < ring.frames && age < ring.us) return;
    state.armed = false;
    if (on_interrupt) on_interrupt(number);
  }
  /// When age alone will let it fire.
  std::optional<std::uint64_t> due(unsigned number, const Ring& ring) const {
    if (!states_[number].armed || ring.unseen() == 0) return std::nullopt;
    return states_[number].oldest_us + ring.us;
  }

  void linkChanged(unsigned port) {
    links_ |= static_cast<std::uint16_t>(1U << port);
    lookAtEvents();
  }
  void ringStopped(unsigned ring) {
    rings_ |= static_cast<std::uint8_t>(1U << ring);
    lookAtEvents();
  }
  void clearEvents(std::uint16_t links, std::uint8_t rings) {
    links_ &= static_cast<std::uint16_t>(~links);
    rings_ &= static_cast<std::uint8_t>(~rings);
  }
  void armEvents() {
    events_armed_ = true;
    lookAtEvents();
  }
  std::uint16_t links() const { return links_; }
  std::uint8_t rings() const { return rings_; }

 private:
  struct State {
    bool armed = false;
    bool late = false;  ///< completions were there when the host armed: no one knows how old they are
    std::uint64_t oldest_us = 0;
  };
  void lookAtEvents() {
    if (!events_armed_ || (links_ == 0 && rings_ == 0)) return;
    events_armed_ = false;
    if (on_interrupt) on_interrupt(kEvents);
  }

  std::array<State, kRings> states_{};
  std::uint16_t links_ = 0;
  std::uint8_t rings_ = 0;
  bool events_armed_ = false;
};

}  // namespace poplink::sim
