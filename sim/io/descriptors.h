// SPDX-License-Identifier: Apache-2.0
// File descriptors that have one owner, and those that come over a unix socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace poplink::sim {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  void close();
  int fd_ = -1;
};

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
