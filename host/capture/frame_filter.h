// SPDX-License-Identifier: Apache-2.0
// Filter expressions as tcpdump has them (pcap-filter(7)).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

namespace poplink::host {

/// The expression is none; the text is libpcap's.
struct FilterError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class FrameFilter {
 public:
  /// The empty expression matches everything. Throws FilterError.
  explicit FrameFilter(const std::string& expression);
  ~FrameFilter();

  /// `frame_bytes`: of the whole frame, when `bytes` is only its beginning.
  bool matches(std::span<const std::uint8_t> bytes, std::size_t frame_bytes) const;

 private:
  struct Program;
  std::unique_ptr<Program> program_;
};

}  // namespace poplink::host
