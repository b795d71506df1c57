// SPDX-License-Identifier: Apache-2.0
#include "host_rings.h"

#include <algorithm>

namespace poplink::sim {

namespace {

constexpr unsigned kLine = 64;     // bytes: the unit of addresses, and of what the card reads
constexpr unsigned kBurst = 4096;  // no burst crosses a multiple of it
constexpr unsigned kMinTx = 60, kMaxTx = 9216;

template <class Int>
Int little(const std::uint8_t* at) {
  Int value = 0;
  for (std::size_t i = sizeof value; i-- > 0;) value = static_cast<Int>(value << 8 | at[i]);
  return value;
}
template <class Int>
void putLittle(std::uint8_t* at, Int value) {
  for (std::size_t i = 0; i < sizeof value; ++i) at[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

/// `move(address, offset, bytes)` for each burst; false if any was refused, though all are tried.
template <class Move>
bool inBursts(std::uint64_t address, std::size_t bytes, Move&& move) {
  bool fine = true;
  for (std::size_t at = 0; at < bytes;) {
    const std::size_t part = std::min<std::size_t>(bytes - at, kBurst - (address + at) % kBurst);
    if (!move(address + at, at, part)) fine = false;
    at += part;
  }
  return fine;
}

}  // namespace

bool HostRings::wants(unsigned number) const {
  const Ring& ring = rings_[number];
  const bool running = ring.state.running;
  const bool rx = number < kClasses;
  const bool waiting = rx && queue_.waiting(number);
  if (ring.settings.enable ? !running && !ring.stopped : running || ring.stopped) return true;
  return (waiting && !running) || (running && ring.posted() && (waiting || !rx));
}

bool HostRings::serve(std::uint64_t now_us) {
  if (idle_) return false;
  for (unsigned i = 1; i <= kRings; ++i) {
    const unsigned number = (last_ + i) % kRings;
    if (!wants(number)) continue;
    last_ = number;
    Ring& ring = rings_[number];
    if (!ring.settings.enable && (ring.state.running || ring.stopped)) {
      ring.state.running = ring.stopped = false;
      ring.state.error = Error::none;
    } else if (!ring.state.running && number < kClasses && queue_.waiting(number)) {
      discard(number);
    } else if (!ring.state.running) {
      ring.state.running = true;
      ring.log = ring.settings.log_entries;
      ring.interrupt.index = ring.line_end = 0;
      if (number < kClasses) queue_.begin(number);
    } else if (static_cast<std::uint16_t>(ring.settings.tail - ring.index()) > ring.mask() + 1U) {
      stop(number, Error::tail);
    } else {
      move(number, now_us);
    }
    return true;
  }
  idle_ = true;
  return false;
}

void HostRings::discard(unsigned number) {
  ++rings_[number].state.lost;
  queue_.pop(number);
}

void HostRings::stop(unsigned number, Error error) {
  Ring& ring = rings_[number];
  ring.state.running = false;
  ring.state.error = error;
  ring.stopped = true;
  interrupts_.ringStopped(number);
}

bool HostRings::fetch(Ring& ring) {
  const std::uint16_t index = ring.index();
  const auto posted = static_cast<std::uint16_t>(ring.settings.tail - index);
  const auto in_line = static_cast<std::uint16_t>(4 - index % 4);
  ring.line_end = static_cast<std::uint16_t>(index + std::min(posted, in_line));
  const std::uint64_t address = ring.settings.descriptors + (index & ring.mask() & 0xFFFCU) * 16U;
  return memory != nullptr && memory->read(address, ring.line);
}

HostRings::Descriptor HostRings::decode(const Ring& ring, bool rx) {
  const std::uint8_t* at = &ring.line[ring.index() % 4 * 16U];
  Descriptor one{little<std::uint64_t>(at), little<std::uint16_t>(at + 8), at[10], at[11], false};
  one.bad = one.address % kLine != 0 ||
            (rx ? one.bytes < kLine || one.bytes % kLine != 0
                : one.bytes < kMinTx || one.bytes > kMaxTx || one.mode < 1 || one.mode > 3 || one.target > 15);
  return one;
}

void HostRings::move(unsigned number, std::uint64_t now_us) {
  Ring& ring = rings_[number];
  const bool rx = number < kClasses;
  if (ring.index() == ring.line_end && !fetch(ring)) return stop(number, Error::descriptors);
  const Descriptor descriptor = decode(ring, rx);
  if (descriptor.bad) {
    if (!rx) on_sent(number % kClasses, true, descriptor.bytes & 0x3FFFU);
    return complete(number, {.bad = true}, now_us);
  }
  complete(number, rx ? receive(number, descriptor) : transmit(number, descriptor), now_us);
}

HostRings::Outcome HostRings::receive(unsigned host_class, const Descriptor& descriptor) {
  const std::vector<std::uint8_t>& frame = queue_.front(host_class).bytes;
  Outcome outcome{.truncated = frame.size() > descriptor.bytes,
                  .moved = std::min(static_cast<unsigned>(frame.size()), descriptor.bytes)};
  outcome.refused = !inBursts(descriptor.address, outcome.moved, [&](auto address, auto at, auto bytes) {
    return memory != nullptr && memory->write(address, std::span(frame).subspan(at, bytes));
  });
  return outcome;
}

HostRings::Outcome HostRings::transmit(unsigned number, const Descriptor& descriptor) {
  frame_.resize((descriptor.bytes + kLine - 1) / kLine * kLine);
  const bool fine = inBursts(descriptor.address, frame_.size(), [&](auto address, auto at, auto bytes) {
    return memory != nullptr && memory->read(address, std::span(frame_).subspan(at, bytes));
  });
  on_sent(number % kClasses, !fine, descriptor.bytes);
  if (fine) on_frame(std::span(frame_).first(descriptor.bytes), descriptor.mode, descriptor.target);
  return {.refused = !fine};
}

void HostRings::complete(unsigned number, const Outcome& outcome, std::uint64_t now_us) {
  Ring& ring = rings_[number];
  const bool of_frame = number < kClasses && !outcome.bad;
  std::array<std::uint8_t, 32> bytes{};
  putLittle(&bytes[16], now_us);
  if (of_frame) {
    const HostQueue::Frame& frame = queue_.front(number);
    const AboutFrame& about = frame.about;
    putLittle(&bytes[0], static_cast<std::uint16_t>(outcome.refused ? 0 : outcome.moved));
    putLittle(&bytes[2], static_cast<std::uint16_t>(frame.bytes.size()));
    bytes[4] = static_cast<std::uint8_t>(about.port);
    bytes[5] = static_cast<std::uint8_t>(about.reason);
    putLittle(&bytes[6], static_cast<std::uint16_t>((about.service_valid ? 0x8000U : 0U) | about.service));
    putLittle(&bytes[8], about.hash);
    bytes[12] = static_cast<std::uint8_t>(about.egress_port);
    bytes[13] = static_cast<std::uint8_t>((about.copy ? 1 : 0) | (about.learned ? 2 : 0));
    putLittle(&bytes[16], about.decided_us);
    putLittle(&bytes[24], frame.lost);
  }
  const std::uint16_t index = ring.index();
  putLittle(&bytes[28], index);
  bytes[30] = static_cast<std::uint8_t>(number % kClasses);
  const bool phase = (index >> ring.log & 1) == 0;
  bytes[31] = static_cast<std::uint8_t>((outcome.bad ? 8U : 0U) | (outcome.refused ? 4U : 0U) |
                                        (outcome.truncated ? 2U : 0U) | (phase ? 1U : 0U));
  const std::uint64_t address = ring.settings.completions + (index & ring.mask()) * bytes.size();
  const bool written = memory != nullptr && memory->write(address, bytes);

  if (of_frame) {
    if (outcome.refused || !written) ++ring.state.lost;
    queue_.pop(number);
  }
  if (!written) return stop(number, Error::completions);
  ++ring.interrupt.index;
  interrupts_.completed(number, ring.interrupt, now_us);
}

}  // namespace poplink::sim
