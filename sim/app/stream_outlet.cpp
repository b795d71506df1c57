// SPDX-License-Identifier: Apache-2.0
#include "stream_outlet.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "descriptors.h"
#include "local_listener.h"

namespace poplink::sim {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kAcceptPause(50);
constexpr std::size_t kInBuffer = 64 * 1024;

std::size_t lengthAt(const std::uint8_t* bytes) {
  return std::size_t{bytes[0]} << 24 | std::size_t{bytes[1]} << 16 | std::size_t{bytes[2]} << 8 | bytes[3];
}

bool wouldBlock() {
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

/// Without having read all that it sent.
bool hasHungUp(int socket) {
  pollfd connection{socket, 0, 0};
  return ::poll(&connection, 1, 0) > 0 && (connection.revents & POLLHUP) != 0;
}

}  // namespace

StreamOutlet::StreamOutlet(asio::io_context& context, const std::string& socket, OutletWire wire, Tell tell)
    : acceptor_(host::listenAt(context, socket)),
      pause_(context),
      peer_(context),
      path_(socket),
      wire_(std::move(wire)),
      tell_(std::move(tell)),
      in_(kInBuffer) {
  accept();
}

StreamOutlet::~StreamOutlet() {
  ::unlink(path_.c_str());
}

void StreamOutlet::accept() {
  acceptor_.async_accept([this](boost::system::error_code error, Local::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (error) return acceptLater();
    welcome(std::move(socket));
    accept();
  });
}

/// No descriptor is left: whoever comes waits until one is.
void StreamOutlet::acceptLater() {
  pause_.expires_after(kAcceptPause);
  pause_.async_wait([this](boost::system::error_code error) {
    if (!error) accept();
  });
}

void StreamOutlet::welcome(Local::socket socket) {
  const std::string name = peerOf(socket.native_handle());
  if (peer_.is_open() && hasHungUp(peer_.native_handle())) hangUp("");
  if (peer_.is_open()) return tell_(path_ + ": " + name + " is turned away: " + peer_name_ + " is plugged in there");
  peer_ = std::move(socket);
  peer_name_ = name;
  ready_ = true;
  writing_ = false;
  at_ = end_ = sent_ = 0;
  out_.clear();
  wire_.on_presence(true);
}

void StreamOutlet::watch() {
  peer_.async_wait(Local::socket::wait_read, [this](boost::system::error_code error) {
    if (!error) ready_ = true;
  });
}

void StreamOutlet::feed() {
  while (ready_ && wire_.has_room()) {
    if (const auto frame = take())
      wire_.into.deliver(*frame);
    else if (peer_.is_open() && !receive())
      return;
  }
}

std::optional<std::span<const std::uint8_t>> StreamOutlet::take() {
  if (end_ - at_ < kLengthBytes) return std::nullopt;
  const std::size_t length = lengthAt(in_.data() + at_);
  if (length < kShortest || length > kLongest) {
    hangUp(peer_name_ + " announced a frame of " + std::to_string(length) + " bytes, which are from " +
           std::to_string(kShortest) + " to " + std::to_string(kLongest) + ": it is hung up on");
    return std::nullopt;
  }
  if (end_ - at_ < kLengthBytes + length) return std::nullopt;
  const std::uint8_t* const frame = in_.data() + at_ + kLengthBytes;
  at_ += kLengthBytes + length;
  return std::span(frame, length);
}

bool StreamOutlet::receive() {
  if (at_ != 0) {  // what is left is less than a frame
    std::copy(in_.begin() + static_cast<std::ptrdiff_t>(at_), in_.begin() + static_cast<std::ptrdiff_t>(end_),
              in_.begin());
    end_ -= at_;
    at_ = 0;
  }
  const ssize_t got = ::recv(peer_.native_handle(), in_.data() + end_, in_.size() - end_, MSG_DONTWAIT);
  if (got > 0) {
    end_ += static_cast<std::size_t>(got);
    return true;
  }
  if (got < 0 && errno == EINTR) return true;
  if (got < 0 && wouldBlock()) {
    ready_ = false;
    watch();
    return false;
  }
  hangUp("");
  return false;
}

void StreamOutlet::deliver(std::span<const std::uint8_t> frame) {
  if (!peer_.is_open() || out_.size() - sent_ + kLengthBytes + frame.size() > kMostUnread) {
    ++refused_;
    return;
  }
  const auto length = static_cast<std::uint32_t>(frame.size());
  for (unsigned shift = 32; shift != 0;) out_.push_back(static_cast<std::uint8_t>(length >> (shift -= 8)));
  out_.insert(out_.end(), frame.begin(), frame.end());
  if (!writing_) send();
}

void StreamOutlet::send() {
  writing_ = false;
  while (sent_ != out_.size()) {
    const ssize_t sent =
        ::send(peer_.native_handle(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      sent_ += static_cast<std::size_t>(sent);
    } else if (sent < 0 && wouldBlock()) {
      out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(std::exchange(sent_, 0)));
      writing_ = true;
      peer_.async_wait(Local::socket::wait_write, [this](boost::system::error_code error) {
        if (!error) send();
      });
      return;
    } else if (errno != EINTR) {
      break;  // it has gone, which reading will tell
    }
  }
  out_.clear();
  sent_ = 0;
}

void StreamOutlet::hangUp(const std::string& why) {
  boost::system::error_code ignored;
  peer_.close(ignored);
  ready_ = false;
  if (!why.empty()) tell_(path_ + ": " + why);
  wire_.on_presence(false);
}

}  // namespace poplink::sim
