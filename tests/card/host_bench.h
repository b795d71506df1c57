// SPDX-License-Identifier: Apache-2.0
// A host in a test: memory that knows what the card may touch, and rings as docs/host-path.md describes them, written
// from that page and not from the driver.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>
#include <vector>

#include "forward_model.h"
#include "host_bus.h"
#include "host_frames.h"
#include "poplink/card_map.h"

namespace poplink::tests {

namespace map = card_map;

/// Host memory in lines of 64 bytes, each with its permissions. What the card touches without permission is counted.
class TestMemory : public sim::HostMemory {
 public:
  static constexpr std::uint64_t kBase = 0x1'2340'0000;  ///< above 4 GiB: both words of an address count
  explicit TestMemory(std::size_t bytes) : bytes_(bytes), may_(bytes / 64) {}

  /// Bus address of `bytes` fresh bytes; a line that nobody may touch follows.
  std::uint64_t allocate(std::size_t bytes, bool card_reads, bool card_writes) {
    const std::size_t at = used_;
    const std::size_t lines = (bytes + 63) / 64;
    used_ += (lines + 1) * 64;
    if (used_ > bytes_.size()) throw std::logic_error("the test's memory is too small");
    for (std::size_t i = 0; i < lines; ++i) may_[at / 64 + i] = {card_reads, card_writes};
    return kBase + at;
  }
  void permit(std::uint64_t address, std::size_t bytes, bool card_reads, bool card_writes) {
    for (std::size_t at = address - kBase; at < address - kBase + bytes; at += 64)
      may_.at(at / 64) = {card_reads, card_writes};
  }
  std::uint8_t* at(std::uint64_t address) { return &bytes_.at(address - kBase); }
  void alignTo(std::size_t bytes, std::size_t offset = 0) {
    while ((kBase + used_) % bytes != offset) used_ += 64;
  }

  bool read(std::uint64_t address, std::span<std::uint8_t> into) override {
    if (touches(refuse_reads, address, into.size()) || (refuses && refuses())) return false;
    if (!permitted(address, into.size(), &May::read)) return false;
    std::memcpy(into.data(), at(address), into.size());
    return true;
  }
  bool write(std::uint64_t address, std::span<const std::uint8_t> from) override {
    if (touches(refuse_writes, address, from.size()) || (refuses && refuses())) return false;
    if (!permitted(address, from.size(), &May::write)) return false;
    std::memcpy(at(address), from.data(), from.size());
    return true;
  }

  std::uint64_t violations = 0;
  std::set<std::uint64_t> refuse_reads, refuse_writes;  ///< addresses of lines that answer with an error
  std::function<bool()> refuses;

 private:
  struct May {
    bool read = false, write = false;
  };
  static bool touches(const std::set<std::uint64_t>& lines, std::uint64_t address, std::size_t bytes) {
    const auto first = lines.lower_bound(address / 64 * 64);
    return first != lines.end() && *first < address + bytes;
  }
  bool permitted(std::uint64_t address, std::size_t bytes, bool May::* what) {
    bool fine = address >= kBase && address - kBase + bytes <= bytes_.size();
    for (std::uint64_t at = address / 64 * 64; fine && at < address + bytes; at += 64)
      fine = may_[(at - kBase) / 64].*what;
    if (!fine && violations++ == 0) ADD_FAILURE() << "the card touches " << std::hex << address;
    return fine;
  }

  std::vector<std::uint8_t> bytes_;
  std::vector<May> may_;
  std::size_t used_ = 0;
};

struct Completion {
  unsigned written, frame_bytes, port, reason, service, hash, egress_port, kind, lost, index, host_class, status;
  std::uint64_t us;
  Frame frame;  ///< what is in the buffer, of an RX ring
};

inline constexpr unsigned kTruncated = 2, kBusError = 4, kBadDescriptor = 8;  ///< in Completion::status

/// One ring. Number 0..3 receives, 4..7 transmits.
template <class Access>
class TestRing {
 public:
  TestRing(Access& access, TestMemory& memory, unsigned number, unsigned log_entries, unsigned buffer_bytes = 9216)
      : access_(access), memory_(memory), number_(number), log_(log_entries), buffer_bytes_(buffer_bytes) {
    descriptors_ = memory.allocate(16U << log_, true, false);
    completions_ = memory.allocate(32U << log_, false, true);
    for (unsigned i = 0; i < 1U << log_; ++i)
      buffers_.push_back(memory.allocate(buffer_bytes, number >= 4, number < 4));
    start();
  }

  void start() {
    std::memset(memory_.at(completions_), 0, 32U << log_);
    tail_ = seen_ = 0;
    set(map::reg::kRingDescriptorsLow, static_cast<std::uint32_t>(descriptors_));
    set(map::reg::kRingDescriptorsHigh, static_cast<std::uint32_t>(descriptors_ >> 32));
    set(map::reg::kRingCompletionsLow, static_cast<std::uint32_t>(completions_));
    set(map::reg::kRingCompletionsHigh, static_cast<std::uint32_t>(completions_ >> 32));
    set(map::reg::kRingTail, 0);
    set(map::reg::kRingControl, map::field::kRingControlEnable.with(1) | map::field::kRingControlLogEntries.with(log_));
  }
  void stop() { set(map::reg::kRingControl, 0); }
  bool running() { return map::field::kRingStatusRunning.of(get(map::reg::kRingStatus)) != 0; }
  /// After stop(): the card has seen it, and touches nothing any more.
  bool atRest() { return get(map::reg::kRingStatus) << 16 == 0; }
  unsigned error() { return map::field::kRingStatusError.of(get(map::reg::kRingStatus)); }
  std::uint32_t lost() { return get(map::reg::kRingLost); }

  unsigned entries() const { return 1U << log_; }
  unsigned free() const { return entries() - static_cast<std::uint16_t>(tail_ - seen_); }
  unsigned outstanding() const { return entries() - free(); }
  std::uint64_t buffer(unsigned index) const { return buffers_[index % entries()]; }
  std::uint64_t descriptorAddress(unsigned index) const { return descriptors_ + 16 * (index % entries()); }
  std::uint64_t completionAddress(unsigned index) const { return completions_ + 32 * (index % entries()); }
  std::uint16_t tail() const { return tail_; }

  /// An RX buffer: descriptor only; `ring` tells the card.
  void post(unsigned bytes = 0) { describe(buffer(tail_), bytes == 0 ? buffer_bytes_ : bytes, 0, 0); }
  void post(const Frame& frame, unsigned mode, unsigned target) {
    std::memcpy(memory_.at(buffer(tail_)), frame.data(), frame.size());
    describe(buffer(tail_), static_cast<unsigned>(frame.size()), mode, target);
  }
  void describe(std::uint64_t address, unsigned bytes, unsigned mode, unsigned target) {
    std::uint8_t* at = memory_.at(descriptorAddress(tail_));
    std::memset(at, 0, 16);
    for (unsigned i = 0; i < 8; ++i) at[i] = static_cast<std::uint8_t>(address >> (8 * i));
    at[8] = static_cast<std::uint8_t>(bytes);
    at[9] = static_cast<std::uint8_t>(bytes >> 8);
    at[10] = static_cast<std::uint8_t>(mode);
    at[11] = static_cast<std::uint8_t>(target);
    ++tail_;
  }
  void ring() { set(map::reg::kRingTail, tail_); }
  void arm() { set(map::reg::kRingArm, map::field::kRingArmSeen.with(seen_) | map::field::kRingArmArm.with(1)); }
  void moderate(unsigned frames, unsigned us) {
    set(map::reg::kRingModeration,
        map::field::kRingModerationFrames.with(frames) | map::field::kRingModerationUs.with(us));
  }

  /// The next completion, by the phase bit alone.
  std::optional<Completion> poll() {
    const std::uint8_t* at = memory_.at(completionAddress(seen_));
    const bool phase = (seen_ >> log_ & 1) == 0;
    if ((at[31] & 1) != (phase ? 1 : 0)) return std::nullopt;
    Completion one{little<std::uint16_t>(at),
                   little<std::uint16_t>(at + 2),
                   at[4],
                   at[5],
                   little<std::uint16_t>(at + 6),
                   little<std::uint32_t>(at + 8),
                   at[12],
                   at[13],
                   little<std::uint32_t>(at + 24),
                   little<std::uint16_t>(at + 28),
                   at[30],
                   at[31],
                   little<std::uint64_t>(at + 16),
                   {}};
    EXPECT_EQ(one.index, seen_);
    EXPECT_EQ(one.host_class, number_ % 4);
    EXPECT_EQ(at[14] | at[15], 0);
    if (number_ < 4) one.frame.assign(memory_.at(buffer(seen_)), memory_.at(buffer(seen_)) + one.written);
    ++seen_;
    return one;
  }

 private:
  void set(std::uint32_t array, std::uint32_t value) { access_.card.writeRegister(array + 4 * number_, value); }
  std::uint32_t get(std::uint32_t array) { return access_.card.readRegister(array + 4 * number_); }

  Access& access_;
  TestMemory& memory_;
  unsigned number_, log_, buffer_bytes_;
  std::uint64_t descriptors_, completions_;
  std::vector<std::uint64_t> buffers_;
  std::uint16_t tail_ = 0, seen_ = 0;
};

/// What became of the frames for the host.
enum class Fate : unsigned { queued, service_policed, port_policed, no_room };

template <class Access>
auto hostCount(Access& access, unsigned host_class, unsigned port, Fate fate) {
  return access.count(map::window::kHostCounters, host_class * 128 + port * 4 + static_cast<unsigned>(fate));
}
template <class Access>
auto hostSent(Access& access, unsigned host_class, bool refused) {
  return access.count(map::window::kHostCounters, 512 + host_class * 2 + (refused ? 1 : 0));
}

}  // namespace poplink::tests
