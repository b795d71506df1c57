// SPDX-License-Identifier: Apache-2.0
// A peer of a unix socket that sends what it likes, files too. It waits for answers, but not for ever.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "descriptors.h"

namespace poplink::sim {

using Bytes = std::vector<std::uint8_t>;

/// A structure as it lies in memory, behind what is there.
template <class Structure>
void append(Bytes& bytes, const Structure& structure) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(&structure);
  bytes.insert(bytes.end(), first, first + sizeof structure);
}

class UnixPeer {
 public:
  explicit UnixPeer(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const timeval patience{20, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << path;
  }

  int fd() const { return fd_.get(); }
  void close() { fd_ = Descriptor(); }
  /// The peer may have hung up already.
  void send(const Bytes& bytes, std::span<const int> files = {}) const {
    iovec data{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    std::vector<std::size_t> control(CMSG_SPACE(files.size_bytes()) / sizeof(std::size_t) + 1);
    if (!files.empty()) {
      message.msg_control = control.data();
      message.msg_controllen = CMSG_SPACE(files.size_bytes());
      cmsghdr* part = CMSG_FIRSTHDR(&message);
      part->cmsg_level = SOL_SOCKET;
      part->cmsg_type = SCM_RIGHTS;
      part->cmsg_len = CMSG_LEN(files.size_bytes());
      std::memcpy(CMSG_DATA(part), files.data(), files.size_bytes());
    }
    const ssize_t sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    EXPECT_TRUE(sent == static_cast<ssize_t>(bytes.size()) || errno == EPIPE || errno == ECONNRESET);
  }
  /// Nothing: hung up.
  std::optional<Bytes> receive(std::size_t size) const {
    Bytes bytes(size);
    for (std::size_t at = 0; at < size;) {
      const ssize_t got = ::recv(fd_.get(), bytes.data() + at, size - at, 0);
      EXPECT_FALSE(got < 0 && errno == EAGAIN) << "no answer";
      if (got <= 0) return std::nullopt;
      at += static_cast<std::size_t>(got);
    }
    return bytes;
  }
  template <class Structure>
  std::optional<Structure> receive() const {
    const auto bytes = receive(sizeof(Structure));
    if (!bytes) return std::nullopt;
    Structure structure;
    std::memcpy(&structure, bytes->data(), sizeof structure);
    return structure;
  }

 private:
  Descriptor fd_;
};

/// Memory that can be given away.
class SharedMemory {
 public:
  explicit SharedMemory(std::size_t size, bool sealed = true)
      : fd_(::memfd_create("poplink-test", MFD_CLOEXEC | MFD_ALLOW_SEALING)), size_(size), data_(nullptr) {
    EXPECT_EQ(::ftruncate(fd_.get(), static_cast<off_t>(size)), 0);
    if (sealed) EXPECT_EQ(::fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_SHRINK), 0);
    void* const mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    EXPECT_NE(mapped, MAP_FAILED);
    data_ = static_cast<std::uint8_t*>(mapped);
  }
  ~SharedMemory() { ::munmap(data_, size_); }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  int fd() const { return fd_.get(); }
  std::uint8_t& operator[](std::size_t at) { return data_[at]; }

 private:
  Descriptor fd_;
  std::size_t size_;
  std::uint8_t* data_;
};

/// An io_context in a thread of its own; what is not safe there is done by `there`.
class ContextThread {
 public:
  ContextThread() : thread_([this] { context.run(); }) {}
  ~ContextThread() { stop(); }
  ContextThread(const ContextThread&) = delete;
  ContextThread& operator=(const ContextThread&) = delete;
  void stop() {
    context.stop();
    if (thread_.joinable()) thread_.join();
  }

  template <class Action>
  auto there(Action action) {
    const auto task = std::make_shared<std::packaged_task<decltype(action())()>>(std::move(action));
    auto result = task->get_future();
    boost::asio::post(context, [task] { (*task)(); });
    return result.get();
  }

  boost::asio::io_context context;

 private:
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
      boost::asio::make_work_guard(context);
  std::thread thread_;
};

/// Open descriptors of this process.
inline std::size_t descriptorsOpen() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

/// Once whoever is closing some has done so, which nothing tells: counted again and again. More than `wanted` are still
/// open at the end of all patience.
inline std::size_t descriptorsOpenSoon(std::size_t wanted) {
  for (int waited = 0; descriptorsOpen() > wanted && waited < 20'000; ++waited)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return descriptorsOpen();
}

}  // namespace poplink::sim
