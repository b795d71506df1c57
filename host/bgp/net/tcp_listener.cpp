// SPDX-License-Identifier: Apache-2.0
#include "tcp_listener.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "socket_options.h"

namespace poplink::host::bgp {

namespace asio = boost::asio;

namespace {

constexpr int kBacklog = std::max(SOMAXCONN, 1024);  // all peers of a big exchange at once
constexpr int kAcceptsAtOnce = 1024;                 // before others have their turn
constexpr std::chrono::milliseconds kPause(100);     // when there are no descriptors left

}  // namespace

TcpListener::TcpListener(asio::io_context& context, const Endpoint& wanted)
    : wanted_(wanted), acceptor_(context), pause_(context) {
  const Tcp::endpoint address = toSocket(wanted);
  const bool v6 = isV6(wanted.address);
  boost::system::error_code error = adopt(acceptor_, address.protocol(), openSocket(v6));
  if (!error) {
    setForBgp(acceptor_.native_handle(), v6);
    setForListening(acceptor_.native_handle(), v6);
    acceptor_.bind(address, error);
  }
  if (error) throw std::system_error(std::error_code(error), "cannot listen at " + toString(wanted));
}

void TcpListener::start(Taker taker, std::uint64_t& shortages) {
  boost::system::error_code error;
  acceptor_.listen(kBacklog, error);
  if (error) throw std::system_error(std::error_code(error), "cannot listen at " + toString(wanted_));
  taker_ = std::move(taker);
  shortages_ = &shortages;
  await();
}

void TcpListener::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

void TcpListener::setKey(const Address& peer, const std::string& key) {
  keyless_.insert(peer);
  setMd5Key(acceptor_.native_handle(), peer, key);
  keyless_.erase(peer);
}

void TcpListener::await() {
  acceptor_.async_wait(Tcp::acceptor::wait_read, [self = shared_from_this()](boost::system::error_code error) {
    if (!error) self->acceptAll();
  });
}

void TcpListener::acceptAll() {
  Next next = Next::another;
  // Whoever takes one may close this.
  for (int i = 0; i < kAcceptsAtOnce && next == Next::another && acceptor_.is_open(); ++i) next = acceptOne();
  if (!acceptor_.is_open()) return;
  if (next == Next::pause)
    awaitLater();
  else
    await();
}

TcpListener::Next TcpListener::acceptOne() {
  Tcp::endpoint remote;
  socklen_t size = static_cast<socklen_t>(remote.capacity());
  const int accepted = ::accept4(acceptor_.native_handle(), remote.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Next::nobody;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) return Next::pause;
    return Next::another;  // this one has ended already, see accept(2)
  }
  remote.resize(size);
  Tcp::socket socket(acceptor_.get_executor());
  if (adopt(socket, remote.protocol(), accepted)) return Next::pause;
  taker_(std::move(socket), fromSocket(remote));
  return Next::another;
}

void TcpListener::awaitLater() {
  ++*shortages_;
  pause_.expires_after(kPause);
  pause_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (!error && self->acceptor_.is_open()) self->await();
  });
}

}  // namespace poplink::host::bgp
