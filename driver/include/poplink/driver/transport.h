// SPDX-License-Identifier: Apache-2.0
// How a program gets to a card: its registers, memory shared with it, its interrupts. One transport per kind of card;
// Card is the same over all of them. A transport and what it gave belong to one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace poplink::driver {

/// One access to a 32-bit register of BAR0.
struct Access {
  enum class Kind : std::uint32_t { read = 0, write = 1 } kind;
  std::uint32_t address;    ///< byte offset in BAR0, a multiple of 4
  std::uint32_t value = 0;  ///< to write

  static Access read(std::uint32_t address) { return {Kind::read, address, 0}; }
  static Access write(std::uint32_t address, std::uint32_t value) { return {Kind::write, address, value}; }
};

/// Memory that this program and the card share, until it is destroyed: stop what uses it before. Whole pages, zeroed
/// at first; what lies before and behind it belongs to nobody, on both sides.
class DmaMemory {
 public:
  virtual ~DmaMemory() = default;
  DmaMemory(const DmaMemory&) = delete;
  DmaMemory& operator=(const DmaMemory&) = delete;

  std::span<std::uint8_t> bytes() const { return bytes_; }
  /// Where the card finds the first byte; the rest follows.
  std::uint64_t busAddress() const { return bus_address_; }

 protected:
  DmaMemory(std::span<std::uint8_t> bytes, std::uint64_t bus_address) : bytes_(bytes), bus_address_(bus_address) {}

 private:
  std::span<std::uint8_t> bytes_;
  std::uint64_t bus_address_;
};

/// What a way to a card has besides its registers.
struct Capabilities {
  bool dma = false;      ///< allocate() works
  unsigned vectors = 0;  ///< interrupts; 0: the card has to be polled
};

class Transport {
 public:
  virtual ~Transport() = default;

  /// Does the accesses in order and returns what the reads among them gave. Throws DriverError at the first that the
  /// card refuses; those behind it are not done.
  virtual std::vector<std::uint32_t> run(std::span<const Access> accesses) = 0;

  /// For messages: which card this is.
  virtual std::string name() const = 0;

  virtual Capabilities capabilities() { return {}; }

  /// At least so many bytes. Throws DriverError when there is no such memory, always over a transport without DMA.
  virtual std::unique_ptr<DmaMemory> allocate(std::size_t bytes);

  /// A descriptor for each interrupt vector, by its number: polls readable when the vector has fired since its 8 bytes
  /// were last read (eventfd(2)). Empty over a transport without interrupts. They are set up at the first call, and the
  /// transport's.
  virtual std::span<const int> vectors() { return {}; }

  /// Function-level reset: DMA and interrupts stop, rings are disabled; memory and vectors stay as they are. Tables,
  /// counters and forwarding go on. Throws DriverError.
  virtual void reset();
};

/// No card: every access is a DriverError. For what can run without one.
std::unique_ptr<Transport> openNoCard();

}  // namespace poplink::driver
