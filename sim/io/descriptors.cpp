// SPDX-License-Identifier: Apache-2.0
#include "descriptors.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace poplink::sim {

namespace {
constexpr std::size_t kMostPassed = 253;  // unix(7): what the kernel passes in one message
}

MessagePart::State MessagePart::read(int socket) {
  while (!bytes_.empty()) {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostPassed * sizeof(int))> control{};
    iovec data{bytes_.data(), bytes_.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return State::incomplete;
    if (got <= 0) return State::ended;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
      if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
      for (std::size_t at = 0; at + sizeof(int) <= part->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(part) + at, sizeof fd);
        descriptors_.emplace_back(fd);
      }
    }
    if (descriptors_.size() > most_ || (message.msg_flags & MSG_CTRUNC) != 0) return State::malformed;
    bytes_ = bytes_.subspan(static_cast<std::size_t>(got));
  }
  return State::complete;
}

std::string peerOf(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return "a process";
  return "process " + std::to_string(peer.pid);
}

}  // namespace poplink::sim
