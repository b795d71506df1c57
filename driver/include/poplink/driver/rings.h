// SPDX-License-Identifier: Apache-2.0
// Frames between host and card: descriptor rings in shared memory (docs/host-path.md, section 3). In the path of a
// frame no register is read; a batch of frames costs one write in each direction. One thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "poplink/driver/error.h"
#include "poplink/driver/transport.h"

namespace poplink::driver {

/// Traffic classes between card and host: a ring of each in both directions.
enum class HostClass : unsigned { slow_protocols = 0, routing = 1, bfd = 2, digests = 3 };
inline constexpr unsigned kHostClasses = 4;
inline constexpr unsigned kFromHost = 16;  ///< as an ingress port: the host's own frame

/// A frame from the card. Its bytes are the ring's, until the caller that got them returns.
struct HostFrame {
  std::span<const std::uint8_t> bytes;  ///< without FCS; fewer than `frame_bytes` when the buffer was too small
  unsigned frame_bytes = 0;
  unsigned port = 0;     ///< ingress, or kFromHost
  unsigned reason = 0;   ///< drop reason (card_map::kDropReasons) why it did not go on; 0: it did
  bool copy = false;     ///< asked for by a capture
  bool learned = false;  ///< its source address is new on its port; neither this nor a copy: the frame is for the host
  std::optional<unsigned> service;
  std::uint32_t hash = 0;    ///< of the flow
  unsigned egress_port = 0;  ///< of a copy of a frame that went on
  std::uint64_t us = 0;      ///< card time of the decision
  std::uint32_t lost = 0;    ///< frames of the class lost between the one before, or the ring's start, and this one
  HostClass host_class = HostClass::digests;  ///< of the ring that it came by
};

struct RingOptions {
  unsigned entries = 128;         ///< a power of two from 4 to 32768
  unsigned buffer_bytes = 9216;   ///< of each entry, a multiple of 64, at most 65472
  unsigned interrupt_frames = 1;  ///< an interrupt comes at the latest with so many frames
  unsigned interrupt_us = 0;      ///< or when the first is so old
};

/// What both kinds of ring share. Throws DriverError like everything that talks to the card.
class Ring {
 public:
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  /// Interrupts once there are completions that the last poll has not seen; readable at eventDescriptor().
  void arm();
  /// A descriptor that polls readable (see Transport::vectors); -1: the transport has no interrupts.
  int eventDescriptor();
  /// Throws DriverError when the card has stopped the ring, somebody has reset it, or it is gone. Reads registers: for
  /// the slow path, but now and then in every loop, because neither memory nor writes tell any of it.
  void check();
  /// Frames that the card has discarded: the bus refused them, or this ring did not run.
  std::uint32_t lost();

 protected:
  /// Completion of one descriptor, as it stands in memory.
  using Bytes = std::array<std::uint8_t, 32>;

  Ring(Transport& transport, unsigned number, const RingOptions& options);
  /// Stops the ring. A card that does not answer any more is left alone: its memory goes with the transport's mapping.
  ~Ring();

  void describe(std::uint16_t index, unsigned bytes, unsigned mode, unsigned target);
  /// Tells the card what was described since.
  void post();
  /// The next completion if there is one. Throws DriverError for one that cannot be.
  std::optional<Bytes> next();
  std::span<std::uint8_t> buffer(std::uint16_t index) const;
  unsigned entries() const { return options_.entries; }
  unsigned bufferBytes() const { return options_.buffer_bytes; }

  std::uint16_t tail_ = 0;  ///< of the next descriptor
  std::uint16_t seen_ = 0;  ///< completions taken

 private:
  std::uint32_t reg(std::uint32_t array) const { return array + 4 * number_; }
  void start();
  /// Disables the ring and waits until the card touches its memory no more.
  void stop();
  DriverError stopped(std::uint32_t status) const;

  Transport& transport_;
  unsigned number_;
  RingOptions options_;
  std::unique_ptr<DmaMemory> memory_;
  std::size_t completions_at_, buffers_at_;
  std::uint16_t posted_ = 0;
};

class RxRing : public Ring {
 public:
  /// Sets the class's policers to their defaults (docs/host-path.md, section 2), fills the ring with buffers and starts
  /// it. The transport must have DMA and outlive the ring.
  RxRing(Transport& transport, HostClass host_class, const RingOptions& options = {});

  /// Calls `take` for each frame that is there, at most `limit`, and gives their buffers back. Returns how many. A
  /// frame that the bus has spoiled is passed over and counted in lost().
  std::size_t poll(const std::function<void(const HostFrame&)>& take, std::size_t limit = 64);

 private:
  HostClass host_class_;
};

class TxRing : public Ring {
 public:
  TxRing(Transport& transport, HostClass host_class, const RingOptions& options = {});

  // The frame, 60..9216 bytes without FCS, is copied and goes with the next flush(). False: the ring is full. Throws
  // DriverError for another length, a port or link above 15.
  bool toPort(unsigned port, std::span<const std::uint8_t> frame) { return send(1, port, frame); }
  /// By the port of the link that the flow's hash chooses among those alive.
  bool toLink(unsigned link, std::span<const std::uint8_t> frame) { return send(2, link, frame); }
  /// Through forward(), as if received on `port`.
  bool asReceived(unsigned port, std::span<const std::uint8_t> frame) { return send(3, port, frame); }
  /// Tells the card of all frames since.
  void flush() { post(); }

  /// Takes back what the card is done with; returns how many frames are still under way.
  unsigned reap();
  /// Frames that the card refused: the bus did not give them to it.
  std::uint64_t refused() const { return refused_; }

 private:
  bool send(unsigned mode, unsigned target, std::span<const std::uint8_t> frame);

  std::uint64_t refused_ = 0;
};

}  // namespace poplink::driver
