// SPDX-License-Identifier: Apache-2.0
#include "tcp_connection.h"

#include <boost/asio/error.hpp>
#include <limits>

namespace poplink::host::bgp {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t kSendAtOnce = std::size_t{256} << 10;  // before others have their turn

}  // namespace

TcpConnection::TcpConnection(ConnectionId id, Tcp::socket socket, const Endpoint& remote, bool accepted, Shared& shared)
    : socket_(std::move(socket)), remote_(remote), shared_(shared), id_(id), accepted_(accepted) {
  // The descriptor is so already, but only now asio knows and does not wait in its calls.
  error_code ignored;
  socket_.non_blocking(true, ignored);
}

void TcpConnection::start() {
  if (open_) awaitRead();
}

void TcpConnection::awaitRead() {
  socket_.async_wait(Tcp::socket::wait_read, [self = shared_from_this()](error_code error) {
    if (error || !self->open_) return;
    self->read();
    if (self->open_) self->awaitRead();
  });
}

void TcpConnection::read() {
  if (!open_ || shared_.room.used) return;
  error_code error;
  const std::size_t size = socket_.receive(asio::buffer(shared_.room.octets), 0, error);
  if (error == asio::error::would_block) return;
  // Whoever sees a reset first has its error, the other one only an end.
  if (error) return fail(send_error_ && error == asio::error::eof ? send_error_ : error);
  shared_.room.used = true;
  shared_.events.received(id_, Octets(shared_.room.octets).first(size));
  shared_.room.used = false;
}

void TcpConnection::fail(const error_code& error) {
  drop();
  shared_.forget(id_);
  shared_.events.closed(id_, error == asio::error::eof ? "closed by the other side" : error.message());
}

void TcpConnection::drop() {
  open_ = false;
  error_code ignored;
  socket_.close(ignored);
}

void TcpConnection::write() {
  if (!open_ || awaits_write_ || sending_ || send_error_) return;
  if (sendSome(kSendAtOnce)) awaitWrite();
}

void TcpConnection::awaitWrite() {
  awaits_write_ = true;
  socket_.async_wait(Tcp::socket::wait_write, [self = shared_from_this()](error_code error) {
    if (error || !self->open_) return;
    self->awaits_write_ = false;
    self->write();
  });
}

bool TcpConnection::sendSome(std::size_t most) {
  sending_ = true;
  bool more = false;
  for (std::size_t sent = 0; open_;) {
    const std::span<const asio::const_buffer> pieces = shared_.events.outgoing(id_);
    error_code error;
    const std::size_t size = socket_.send(pieces, 0, error);
    more = error == asio::error::would_block;
    // Told when reading sees the end too: after what the peer has said before it, and not within write().
    if (error && !more) send_error_ = error;
    if (error || size == 0) break;
    shared_.events.sent(id_, size);
    sent += size;
    more = sent >= most;
    if (more) break;
  }
  sending_ = false;
  return more && open_;
}

Tcp::socket TcpConnection::takeAfterLastWrite() {
  if (!send_error_) sendSome(std::numeric_limits<std::size_t>::max());
  open_ = false;
  error_code ignored;
  socket_.cancel(ignored);
  return std::move(socket_);
}

}  // namespace poplink::host::bgp
