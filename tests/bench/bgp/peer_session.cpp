// SPDX-License-Identifier: Apache-2.0
#include "peer_session.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "open.h"

namespace poplink::bench {

namespace bgp = host::bgp;

namespace {

constexpr std::size_t kInputBytes = std::size_t{256} * 1024;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress socketAddress(const bgp::Address& address, std::uint16_t port) {
  SocketAddress result;
  if (const auto* four = std::get_if<bgp::Ipv4>(&address)) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    in.sin_addr.s_addr = htonl(*four);
    result.size = sizeof in;
    std::memcpy(&result.storage, &in, sizeof in);
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    std::memcpy(&in.sin6_addr, std::get<bgp::Ipv6>(address).data(), sizeof in.sin6_addr);
    result.size = sizeof in;
    std::memcpy(&result.storage, &in, sizeof in);
  }
  return result;
}

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

bgp::Open openOf(const Identity& self, bgp::Family family) {
  bgp::Open open;
  open.two_octet_asn = static_cast<std::uint16_t>(self.asn);
  open.router_id = self.router_id;
  open.capabilities.families = {family};
  open.capabilities.four_octet_asn = self.asn;
  open.capabilities.route_refresh = true;
  return open;
}

}  // namespace

PeerSession::PeerSession(const Identity& self, const bgp::Address& speaker, std::uint16_t port, bgp::Family family,
                         int epoll)
    : self_(self), speaker_(speaker), port_(port), family_(family), epoll_(epoll), input_(kInputBytes) {}

void PeerSession::connect() {
  const SocketAddress from = socketAddress(self_.address, 0), to = socketAddress(speaker_, port_);
  socket_ = ::socket(from.get()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_ < 0) fail("socket");
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // The network's addresses lead here, but those of peers are on no interface.
  const bool six = from.get()->sa_family == AF_INET6;
  ::setsockopt(socket_, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_FREEBIND : IP_FREEBIND, &on, sizeof on);
  if (::bind(socket_, from.get(), from.size) != 0) fail("bind to a peer's address");
  state_ = State::connecting;
  input_size_ = 0;
  epoll_event event{.events = EPOLLIN | EPOLLOUT, .data = {.ptr = this}};
  watches_writable_ = true;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket_, &event) != 0) fail("epoll_ctl");
  if (::connect(socket_, to.get(), to.size) != 0 && errno != EINPROGRESS) goDown(std::strerror(errno));
}

void PeerSession::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  state_ = State::down;
  unsent_ = {};
}

void PeerSession::goDown(const std::string& reason) {
  close();
  reason_ = reason;
  down_since_ = Clock::now();
}

void PeerSession::send(bgp::Octets stream) {
  unsent_ = stream;
  sendUnsent();
}

void PeerSession::onEvents(std::uint32_t events) {
  if (state_ == State::connecting) {
    onConnected();
  } else {
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive();
    if ((events & EPOLLOUT) != 0 && state_ != State::down) sendUnsent();
  }
}

void PeerSession::onConnected() {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    goDown(std::strerror(error));
    return;
  }
  if (first_connected_at_ == Clock::time_point{}) first_connected_at_ = Clock::now();
  state_ = State::open_sent;
  watch(false);
  sendNow(bgp::encode(openOf(self_, family_)));
}

bool PeerSession::sendNow(bgp::Octets message) {
  // At the beginning of a session the socket has room for so little.
  if (::send(socket_, message.data(), message.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(message.size()))
    return true;
  goDown("cannot send");
  return false;
}

void PeerSession::sendUnsent() {
  while (!unsent_.empty()) {
    const ssize_t sent = ::send(socket_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) goDown(std::strerror(errno));
      break;
    }
    unsent_ = unsent_.subspan(static_cast<std::size_t>(sent));
  }
  if (state_ != State::down) watch(!unsent_.empty());
}

void PeerSession::watch(bool writable) {
  if (writable == watches_writable_) return;
  epoll_event event{.events = EPOLLIN, .data = {.ptr = this}};
  if (writable) event.events |= EPOLLOUT;
  if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, socket_, &event) != 0) fail("epoll_ctl");
  watches_writable_ = writable;
}

void PeerSession::receive() {
  const ssize_t got = ::recv(socket_, input_.data() + input_size_, input_.size() - input_size_, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    goDown(got == 0 ? "the speaker closed the connection" : std::strerror(errno));
    return;
  }
  received_ += static_cast<std::uint64_t>(got);
  input_size_ += static_cast<std::size_t>(got);
  bgp::Octets left(input_.data(), input_size_);
  while (true) {
    const auto next = bgp::nextMessage(left);
    if (std::holds_alternative<bgp::Incomplete>(next)) break;
    if (std::holds_alternative<bgp::Notification>(next)) {
      goDown("the speaker sends what is no BGP message");
      return;
    }
    const auto& message = std::get<bgp::Message>(next);
    if (!take(message)) return;
    left = left.subspan(message.size());
  }
  std::memmove(input_.data(), left.data(), left.size());
  input_size_ = left.size();
}

bool PeerSession::take(const bgp::Message& message) {
  switch (message.type) {
    case bgp::MessageType::open:
      state_ = State::open_confirm;
      return sendNow(bgp::kKeepalive);
    case bgp::MessageType::keepalive:
      state_ = State::established;
      return true;
    case bgp::MessageType::update:
      if (on_update) on_update(message.body);
      return true;
    case bgp::MessageType::notification:
      goDown("the speaker says: NOTIFICATION " + std::to_string(message.body[0]) + "/" +
             std::to_string(message.body[1]));
      return false;
    case bgp::MessageType::route_refresh:
      return true;
  }
  return true;
}

}  // namespace poplink::bench
