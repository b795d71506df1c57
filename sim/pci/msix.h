// SPDX-License-Identifier: Apache-2.0
// MSI-X of a function (PCI Local Bus 3.0, 6.8.2): the table of vectors and their pending bits, as they lie in a BAR.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

namespace poplink::sim {

class Msix {
 public:
  static constexpr unsigned kVectors = 9;
  static constexpr std::uint64_t kTableOffset = 0, kPendingOffset = 0x800, kBytes = 4096;
  static constexpr std::uint64_t kEntryBytes = 16;

  /// Sends a message.
  using Send = std::function<void(std::uint64_t address, std::uint32_t data)>;
  explicit Msix(Send send) : send_(std::move(send)) { reset(); }

  /// All vectors masked, nothing pending, disabled.
  void reset();

  /// The capability's bits. Without `enabled` there are no interrupts at all, and none is remembered.
  void control(bool enabled, bool function_masked);
  /// Whether messages can leave the function at all: bus master, and in D0. Those that can't are pending.
  void allow(bool allowed);

  /// In the BAR; a multiple of 4. What is not there reads as 0 and ignores writes.
  std::uint32_t read(std::uint64_t offset) const;
  void write(std::uint64_t offset, std::uint32_t value);

  /// The event of a vector has happened: its message leaves now, or as soon as nothing masks it. Once, however often
  /// the event happens meanwhile.
  void raise(unsigned vector);

 private:
  struct Entry {
    std::uint64_t address = 0;
    std::uint32_t data = 0;
    bool masked = true;
  };
  /// Sends what is pending and may leave.
  void deliver();

  Send send_;
  std::array<Entry, kVectors> table_{};
  std::array<bool, kVectors> pending_{};
  bool enabled_ = false, function_masked_ = false, allowed_ = false;
};

}  // namespace poplink::sim
