// SPDX-License-Identifier: Apache-2.0
// File descriptors that come over a unix socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "poplink/driver/descriptor.h"

namespace poplink::sim {

using driver::Descriptor;

/// Gathers exactly as many bytes as are wanted, with the descriptors that come along.
class MessagePart {
 public:
  /// `most_descriptors`: more are an error of the peer.
  void want(std::span<std::uint8_t> bytes, std::size_t most_descriptors) {
    bytes_ = bytes;
    most_ = most_descriptors;
  }
  enum class State { complete, incomplete, ended, malformed };
  /// Reads what a nonblocking stream socket has. `malformed`: more descriptors than wanted.
  State read(int socket);
  std::vector<Descriptor> takeDescriptors() { return std::exchange(descriptors_, {}); }

 private:
  std::span<std::uint8_t> bytes_;
  std::size_t most_ = 0;
  std::vector<Descriptor> descriptors_;
};

/// Who is at the other end: "process 17".
std::string peerOf(int socket);

}  // namespace poplink::sim
