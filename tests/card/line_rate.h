// SPDX-License-Identifier: Apache-2.0
// All 8 ports loaded at once, both directions, S-tag service: customer port p and backbone port p + 4 are a pair.
// Shared by the line-rate test and the benchmark.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "card_model.h"
#include "forward_model.h"

namespace poplink::tests {

inline constexpr unsigned kPorts = 8;
inline constexpr unsigned kPairs = kPorts / 2;

/// The port at which what enters `port` leaves.
constexpr unsigned pairOf(unsigned port) {
  return (port + kPairs) % kPorts;
}
constexpr bool isBackbone(unsigned port) {
  return port >= kPairs;
}

inline Tables pairedTables() {
  Tables tables;
  tables.setPorts({0, 1, 2, 3, 4, 5, 6, 7});
  for (unsigned p = 0; p < kPairs; ++p) {
    const unsigned backbone = pairOf(p);
    tables.port[p] = {true, 0, true, static_cast<kernels::bits<4>>(p), 0x88A8};
    tables.port[backbone] = {true, 2, true, static_cast<kernels::bits<4>>(backbone), 0x88A8};
    tables.attachment[p] = {true, false, 0, true, static_cast<kernels::bits<12>>(p)};
    tables.service[p] = {true,
                         static_cast<kernels::bits<4>>(p),
                         static_cast<kernels::bits<10>>(backbone),
                         static_cast<kernels::bits<12>>(100 + p),
                         0x88A8,
                         0,
                         9000};
    tables.vid[(backbone << 12) | (100 + p)] = {true, static_cast<kernels::bits<12>>(p)};
  }
  return tables;
}

/// Frame sizes of one run in turn, in bytes with FCS, as the customer sends them.
struct Mix {
  std::string name;
  std::vector<std::size_t> sizes;
  friend std::ostream& operator<<(std::ostream& out, const Mix& mix) { return out << mix.name; }
};

inline std::vector<Mix> standardMixes() {
  return {{"64", {64}},     {"65", {65}},     {"128", {128}},
          {"1518", {1518}}, {"9018", {9018}}, {"IMIX", {64, 64, 64, 64, 64, 64, 64, 570, 570, 570, 570, 1518}}};
}

/// A customer's untagged frame; `size` counts the FCS, the frame does not have one.
inline Frame customerFrame(std::size_t size) {
  Frame frame(size - 4);
  std::iota(frame.begin(), frame.end(), std::uint8_t{1});
  constexpr std::uint8_t kHead[] = {2, 0, 0, 0, 0, 0xB, 2, 0, 0, 0, 0, 0xA, 8, 0};
  std::copy(std::begin(kHead), std::end(kHead), frame.begin());
  return frame;
}

/// The frames of a mix as they enter port `port` of a card with pairedTables(): on the backbone side they carry the
/// tag.
inline std::vector<Frame> framesInto(unsigned port, const Tables& tables, const Mix& mix) {
  std::vector<Frame> frames;
  for (const std::size_t size : mix.sizes) {
    const Frame frame = customerFrame(size);
    frames.push_back(isBackbone(port) ? decide(tables, frame, pairOf(port)).frame : frame);
  }
  return frames;
}

/// Keeps the wires into all ports as full as the wires out of them allow. The S-tag makes a frame longer, so the
/// backbone's wires limit: a pair sends at the rate of tagged frames in both directions.
template <class Model>
class LineRateSource {
 public:
  /// `load`: part of the limiting wires' time in use. Below 1 the gaps are random, exponentially distributed. A card
  /// whose ports have no speed is offered a beat in every cycle, whatever the load.
  LineRateSource(Model& card, const Tables& tables, const Mix& mix, double load = 1)
      : card_(card), start_(card.cycle()), random_(1) {
    for (unsigned port = 0; port < kPorts; ++port) frames_[port] = framesInto(port, tables, mix);
    if (load < 1) gap_ = std::exponential_distribution<double>(load / (1 - load));
    random_gaps_ = load < 1;
  }

  /// Call before every cycle.
  void feed() {
    if (card_.bitsPerCycle(0) == 0) {
      for (unsigned port = 0; port < kPorts; ++port) {
        if (card_.waiting(port) == 0) send(port);
      }
      return;
    }
    const std::uint64_t now = (card_.cycle() - start_) * card_.bitsPerCycle(0) / 8;
    if (now < next_due_) return;
    for (unsigned port = 0; port < kPorts; ++port) {
      if (due_[port] <= now) due_[port] += wireTime(send(port));
    }
    next_due_ = *std::min_element(due_.begin(), due_.end());
  }

  std::uint64_t sent(unsigned port) const { return sent_[port]; }
  std::uint64_t sent() const { return std::accumulate(sent_.begin(), sent_.end(), std::uint64_t{0}); }

 private:
  /// Gives the bytes of the frame's tagged form.
  std::size_t send(unsigned port) {
    const std::size_t which = next_[port];
    next_[port] = which + 1 == frames_[port].size() ? 0 : which + 1;
    card_.receive(port, frames_[port][which]);
    ++sent_[port];
    return frames_[isBackbone(port) ? port : pairOf(port)][which].size();
  }
  /// In bytes, the gap behind the frame included.
  std::uint64_t wireTime(std::size_t frame_bytes) {
    const std::size_t bytes = frame_bytes + sim::kWireOverheadBytes;
    return bytes +
           (random_gaps_ ? static_cast<std::uint64_t>(std::llround(gap_(random_) * static_cast<double>(bytes))) : 0);
  }

  Model& card_;
  const std::uint64_t start_;
  std::array<std::vector<Frame>, kPorts> frames_;
  std::array<std::size_t, kPorts> next_{};
  std::array<std::uint64_t, kPorts> due_{};  ///< when the wire is free again, in bytes since the start
  std::array<std::uint64_t, kPorts> sent_{};
  std::uint64_t next_due_ = 0;
  std::mt19937_64 random_;
  std::exponential_distribution<double> gap_;  ///< in parts of the frame's wire time
  bool random_gaps_ = false;
};

/// How full a wire was, from the end of the first frame on it to the end of the last.
class WireMeter {
 public:
  /// A frame of `bytes` without FCS ended in `cycle`.
  void frame(std::size_t bytes, std::uint64_t cycle) {
    const std::uint64_t wire_bytes = bytes + sim::kWireOverheadBytes;
    if (frames_++ == 0) {
      first_cycle_ = cycle;
      first_bytes_ = wire_bytes;
    }
    last_cycle_ = cycle;
    wire_bytes_ += wire_bytes;
  }
  std::uint64_t frames() const { return frames_; }
  /// Frames with preamble, FCS and gap.
  std::uint64_t wireBytes() const { return wire_bytes_; }
  double busy(unsigned bytes_per_cycle) const {
    if (last_cycle_ == first_cycle_) return 0;
    return static_cast<double>(wire_bytes_ - first_bytes_) /
           static_cast<double>((last_cycle_ - first_cycle_) * bytes_per_cycle);
  }

 private:
  std::uint64_t frames_ = 0, wire_bytes_ = 0, first_bytes_ = 0, first_cycle_ = 0, last_cycle_ = 0;
};

}  // namespace poplink::tests
