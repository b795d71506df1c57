// SPDX-License-Identifier: Apache-2.0
// Capture files through libpcap: any format it reads, nanosecond pcap written.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace poplink::sim {

struct PcapError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct CapturedFrame {
  std::vector<std::uint8_t> bytes;
  std::uint64_t time_ns;
};

/// Ethernet frames of a capture, in order. Throws PcapError for a file that is no capture, is not Ethernet, is cut
/// short, or has frames that are empty or were captured in part.
std::vector<CapturedFrame> readPcap(const std::string& file);

class PcapWriter {
 public:
  /// `now_ns` stamps each frame.
  PcapWriter(const std::string& file, std::function<std::uint64_t()> now_ns);
  ~PcapWriter();

  void write(std::span<const std::uint8_t> frame) { write(frame, now_ns_()); }
  void write(std::span<const std::uint8_t> frame, std::uint64_t time_ns);
  /// Everything written so far is in the file. Throws PcapError when it cannot be.
  void flush();

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::function<std::uint64_t()> now_ns_;
};

}  // namespace poplink::sim
