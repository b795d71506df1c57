// SPDX-License-Identifier: Apache-2.0
// A pool on loopback, an owner that writes down what it is told, and peers made of plain sockets. Everything is in one
// thread: a peer does nothing while the pool runs, and the kernel has carried what a peer sent before it returns.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>

#include "../../host/bgp/net/socket_options.h"
#include "../../host/bgp/net/tcp_pool.h"

namespace poplink::host::bgp {

inline Address loopback(std::uint32_t host) {
  return Ipv4(0x7f000000 | host);
}
inline const Address kLoopback6 = Ipv6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

/// A peer's socket. Its calls do not wait.
class Plain {
 public:
  /// At `from`, any port.
  explicit Plain(const Address& from) : v6_(isV6(from)), socket_(openSocket(v6_)) {
    const Tcp::endpoint address = toSocket({from, 0});
    EXPECT_EQ(::bind(socket_, address.data(), static_cast<socklen_t>(address.size())), 0);
  }
  Plain(Plain&& other) noexcept
      : v6_(other.v6_), socket_(std::exchange(other.socket_, -1)), heard_(std::move(other.heard_)) {}
  Plain(const Plain&) = delete;
  Plain& operator=(const Plain&) = delete;
  Plain& operator=(Plain&&) = delete;
  ~Plain() { hangUp(); }

  void hangUp() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  void reset() {
    const linger now{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    hangUp();
  }
  void set(int level, int option, int value) {
    EXPECT_EQ(::setsockopt(socket_, level, option, &value, sizeof value), 0);
  }
  void setTtl(int ttl) { v6_ ? set(IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl) : set(IPPROTO_IP, IP_TTL, ttl); }
  void setKey(const Address& other, const std::string& key) { setMd5Key(socket_, other, key); }

  void connect(const Endpoint& to) {
    const Tcp::endpoint address = toSocket(to);
    if (::connect(socket_, address.data(), static_cast<socklen_t>(address.size())) != 0) EXPECT_EQ(errno, EINPROGRESS);
  }
  void listen() { EXPECT_EQ(::listen(socket_, SOMAXCONN), 0); }
  /// Whoever has connected to this one.
  std::optional<Plain> accept() {
    const int socket = ::accept4(socket_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) return std::nullopt;
    return Plain(v6_, socket);
  }
  Endpoint local() const {
    Tcp::endpoint address;
    socklen_t size = static_cast<socklen_t>(address.capacity());
    EXPECT_EQ(::getsockname(socket_, address.data(), &size), 0);
    address.resize(size);
    return fromSocket(address);
  }

  tcp_info info() const {
    tcp_info info{};
    socklen_t size = sizeof info;
    EXPECT_EQ(::getsockopt(socket_, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    return info;
  }
  std::optional<std::uint8_t> ttlOfSyn() const { return bgp::ttlOfSyn(socket_); }
  bool established() const { return info().tcpi_state == TCP_ESTABLISHED; }

  /// How much of it TCP has taken.
  std::size_t say(const std::string& text) {
    const ssize_t said = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
    return said < 0 ? 0 : static_cast<std::size_t>(said);
  }
  /// Says as much as TCP takes.
  std::size_t shout() {
    const std::string much(1 << 16, 'x');
    std::size_t all = 0;
    while (const std::size_t said = say(much)) all += said;
    return all;
  }
  /// All that it has heard so far.
  const std::string& hear(std::size_t most = std::string::npos) {
    char part[4096];
    while (most > 0 && !over_) {
      const ssize_t size = ::recv(socket_, part, std::min(sizeof part, most), 0);
      if (size < 0 && errno == EAGAIN) break;
      over_ = size <= 0;
      was_reset_ = size < 0;
      if (over_) break;
      heard_.append(part, static_cast<std::size_t>(size));
      most -= static_cast<std::size_t>(size);
    }
    return heard_;
  }
  bool isOver() { return hear(), over_; }
  bool wasReset() { return isOver() && was_reset_; }

 private:
  Plain(bool v6, int socket) : v6_(v6), socket_(socket) {}

  bool v6_;
  int socket_;
  std::string heard_;
  bool over_ = false, was_reset_ = false;
};

/// Writes down what it is told, and sends what `to_send` has, in pieces.
class Owner : public TcpEvents {
 public:
  struct Connection {
    Endpoint remote, local;
    std::string heard;
    std::string to_send;
    std::optional<std::string> closed;
  };

  void accepted(ConnectionId id, const Endpoint& remote, const Endpoint& local) override {
    EXPECT_TRUE(connections.emplace(id, Connection{remote, local, {}, {}, {}}).second) << "a number used twice";
    if (on_accepted) on_accepted(id);
  }
  void connected(Token token, ConnectionId id, const Endpoint& local) override {
    EXPECT_TRUE(connections.emplace(id, Connection{{}, local, {}, {}, {}}).second) << "a number used twice";
    attempts[token] = id;
    if (on_connected) on_connected(id);
  }
  void connectFailed(Token token, const std::string& why) override { failures[token] = why; }
  void received(ConnectionId id, Octets octets) override {
    EXPECT_FALSE(octets.empty());
    if (on_received) on_received(id);
    connections.at(id).heard.append(octets.begin(), octets.end());
  }
  void closed(ConnectionId id, const std::string& why) override {
    EXPECT_FALSE(connections.at(id).closed) << "told twice";
    connections.at(id).closed = why;
    if (on_closed) on_closed(id);
  }
  std::span<const boost::asio::const_buffer> outgoing(ConnectionId id) override {
    const std::string& all = connections.at(id).to_send;
    pieces_.clear();
    for (std::size_t at = 0; at < all.size() && pieces_.size() < most_pieces; at += piece)
      pieces_.emplace_back(all.data() + at, std::min(piece, all.size() - at));
    return pieces_;
  }
  void sent(ConnectionId id, std::size_t octets) override {
    connections.at(id).to_send.erase(0, octets);
    shares.push_back(octets);
    if (on_sent) on_sent(id);
  }
  void refused(const Endpoint& remote, const std::string& why) override { refusals.emplace_back(remote, why); }

  std::map<ConnectionId, Connection> connections;
  std::map<Token, ConnectionId> attempts;
  std::map<Token, std::string> failures;
  std::vector<std::pair<Endpoint, std::string>> refusals;
  std::vector<std::size_t> shares;  ///< what TCP has taken at a time
  std::size_t piece = 1 << 16, most_pieces = 64;
  std::function<void(ConnectionId)> on_accepted, on_connected, on_received, on_closed, on_sent;

 private:
  std::vector<boost::asio::const_buffer> pieces_;
};

class BgpNet : public testing::Test {
 protected:
  BgpNet() : context(std::make_unique<boost::asio::io_context>()) { pool = std::make_unique<TcpPool>(*context, owner); }
  ~BgpNet() override {
    pool.reset();
    context->poll();  // what was under way finds no pool
    context.reset();
  }

  /// Runs the pool until `condition`. The time is for a machine that hangs, nothing measures it.
  bool until(const std::function<bool()>& condition) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > give_up) return false;
      run();
    }
    return true;
  }
  void run() {
    context->restart();
    context->run_one_for(std::chrono::milliseconds(5));
    context->poll();
  }

  /// The pool listens here, any port.
  Endpoint listenAt(const Address& address) {
    pool->listen({{address, 0}});
    return pool->listening().at(0);
  }
  /// `from` has connected to the pool, which has taken it.
  ConnectionId acceptedFrom(Plain& from, const Endpoint& to) {
    const std::size_t before = owner.connections.size();
    from.connect(to);
    EXPECT_TRUE(until([&] { return owner.connections.size() > before; }));
    return owner.connections.rbegin()->first;
  }
  /// Whom the pool has accepted so far.
  std::vector<Address> remotes() const {
    std::vector<Address> all;
    for (const auto& [id, connection] : owner.connections) all.push_back(connection.remote.address);
    return all;
  }

  Owner owner;
  std::unique_ptr<boost::asio::io_context> context;
  std::unique_ptr<TcpPool> pool;
};

/// The pool's end of a connection with this other end; -1: none.
inline int descriptorTo(const Endpoint& remote) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int descriptor = std::stoi(entry.path().filename());
    Tcp::endpoint address;
    socklen_t size = static_cast<socklen_t>(address.capacity());
    if (::getpeername(descriptor, address.data(), &size) != 0) continue;
    if (address.data()->sa_family != AF_INET && address.data()->sa_family != AF_INET6) continue;
    address.resize(size);
    if (fromSocket(address) == remote) return descriptor;
  }
  return -1;
}

/// Descriptors that are open.
inline std::size_t descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace poplink::host::bgp
