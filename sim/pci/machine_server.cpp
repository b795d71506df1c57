// SPDX-License-Identifier: Apache-2.0
#include "machine_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>

#include "local_listener.h"

namespace poplink::sim {

namespace asio = boost::asio;

namespace {
constexpr std::chrono::milliseconds kAcceptPause(50);
}

MachineListener::MachineListener(asio::io_context& context, const std::string& socket, Ownership& card, Make make,
                                 Tell tell)
    : acceptor_(host::listenAt(context, socket)),
      pause_(context),
      path_(socket),
      card_(&card),
      make_(std::move(make)),
      tell_(std::move(tell)) {}

void MachineListener::accept() {
  acceptor_.async_accept([self = shared_from_this()](boost::system::error_code error, Socket socket) {
    if (error == asio::error::operation_aborted || self->card_ == nullptr) return;
    if (error) return self->acceptLater();
    self->make_(std::move(socket), self)->start();
    self->accept();
  });
}

/// No descriptor is left: whoever comes waits until one is.
void MachineListener::acceptLater() {
  pause_.expires_after(kAcceptPause);
  pause_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (!error) self->accept();
  });
}

void MachineListener::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
  if (owner_ != nullptr) owner_->leave();
  card_ = nullptr;
  ::unlink(path_.c_str());
}

MachineClient::MachineClient(MachineListener::Socket socket, std::shared_ptr<MachineListener> listener,
                             const std::string& program)
    : socket_(std::move(socket)),
      listener_(std::move(listener)),
      name_(program + " (" + peerOf(socket_.native_handle()) + ")") {}

bool MachineClient::ownerGone() {
  pollfd connection{socket_.native_handle(), 0, 0};
  return ::poll(&connection, 1, 0) > 0 && (connection.revents & POLLHUP) != 0;
}

void MachineClient::start() {
  if (!listener_->card_->take(*this, this))
    return end("is turned away: the card is held by " + listener_->card_->heldBy());
  listener_->owner_ = this;
  begin();
}

void MachineClient::leave() {
  if (listener_->card_ != nullptr) listener_->card_->release(*this);
  if (listener_->owner_ == this) listener_->owner_ = nullptr;
  memory_.clear();
}

void MachineClient::end(const std::string& why) {
  leave();
  boost::system::error_code ignored;
  socket_.close(ignored);
  if (!why.empty() && listener_->tell_) listener_->tell_(listener_->path_ + ": " + name_ + " " + why);
}

void MachineClient::whenReadable(std::function<void()> then) {
  socket_.async_wait(MachineListener::Socket::wait_read,
                     [self = shared_from_this(), then = std::move(then)](boost::system::error_code error) {
                       if (error || !self->socket_.is_open() || self->listener_->card_ == nullptr) return;
                       if (!self->owns()) return self->end("");
                       then();
                     });
}

void MachineClient::await(std::span<std::uint8_t> bytes, std::size_t most_files, std::function<void()> then) {
  part_.want(bytes, most_files);
  gather(std::move(then));
}

void MachineClient::gather(std::function<void()> then) {
  switch (part_.read(socket_.native_handle())) {
    case MessagePart::State::complete:
      return then();
    case MessagePart::State::ended:
      return end("");
    case MessagePart::State::malformed:
      return end("sent more files than a message has");
    case MessagePart::State::incomplete:
      whenReadable([this, then = std::move(then)] { gather(then); });
  }
}

bool MachineClient::send(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
      continue;
    }
    const int error = sent < 0 ? errno : EPIPE;
    pollfd room{socket_.native_handle(), POLLOUT, 0};
    const bool full = error == EAGAIN || error == EWOULDBLOCK;
    if (error != EINTR && (!full || ::poll(&room, 1, kPatienceMs) <= 0)) return false;
  }
  return true;
}

void MachineClient::post(std::function<void()> then) {
  asio::post(socket_.get_executor(), [self = shared_from_this(), then = std::move(then)] {
    if (self->socket_.is_open() && self->owns()) then();
  });
}

void readBar(PciFunction& function, unsigned bar, std::uint64_t offset, std::span<std::uint8_t> into) {
  while (!into.empty()) {
    const std::uint64_t skip = offset % 4;
    const std::size_t part = std::min<std::size_t>(4 - skip, into.size());
    std::uint32_t word = 0;
    if (!function.barRead(bar, offset - skip, word)) word = ~std::uint32_t{0};
    for (std::size_t i = 0; i < part; ++i) into[i] = static_cast<std::uint8_t>(word >> (8 * (skip + i)));
    offset += part;
    into = into.subspan(part);
  }
}

void writeBar(PciFunction& function, unsigned bar, std::uint64_t offset, std::span<const std::uint8_t> from) {
  while (!from.empty()) {
    const std::uint64_t skip = offset % 4;
    const std::size_t part = std::min<std::size_t>(4 - skip, from.size());
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < part; ++i) word |= static_cast<std::uint32_t>(from[i]) << (8 * i);
    if (part == 4) function.barWrite(bar, offset, word);
    offset += part;
    from = from.subspan(part);
  }
}

}  // namespace poplink::sim
