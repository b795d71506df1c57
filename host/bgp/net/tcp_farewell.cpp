// SPDX-License-Identifier: Apache-2.0
#include "tcp_farewell.h"

#include <boost/asio/error.hpp>

#include "socket_options.h"

namespace poplink::host::bgp {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::chrono::seconds kPatience(1);

}  // namespace

TcpFarewell::TcpFarewell(Tcp::socket socket, const Endpoint& remote, bool accepted, ReadRoom& room)
    : socket_(std::move(socket)), timer_(socket_.get_executor()), remote_(remote), accepted_(accepted), room_(room) {}

void TcpFarewell::start(std::function<void()> done) {
  done_ = std::move(done);
  setPatienceWhenClosed(socket_.native_handle());
  error_code error;
  socket_.shutdown(Tcp::socket::shutdown_send, error);
  if (error) return end();  // it is over already
  timer_.expires_after(kPatience);
  timer_.async_wait([self = shared_from_this()](error_code cancelled) {
    if (!cancelled) self->end();
  });
  awaitRead();
}

void TcpFarewell::awaitRead() {
  socket_.async_wait(Tcp::socket::wait_read, [self = shared_from_this()](error_code error) {
    if (error || !self->socket_.is_open()) return;
    self->socket_.receive(asio::buffer(self->room_.octets), 0, error);
    if (error && error != asio::error::would_block) return self->end();
    self->awaitRead();
  });
}

void TcpFarewell::end() {
  if (!socket_.is_open()) return;
  drop();
  done_();
}

void TcpFarewell::drop() {
  error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
}

}  // namespace poplink::host::bgp
