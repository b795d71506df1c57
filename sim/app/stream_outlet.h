// SPDX-License-Identifier: Apache-2.0
// A machine's NIC at a unix socket: `-netdev stream,id=n,server=off,addr.type=unix,addr.path=PATH` of QEMU connects
// there. Each frame is preceded by its length, 4 bytes, big-endian; there is no FCS and nobody pads. A link cannot be
// told that way: who plays the cable's part for the machine does so with QEMU's own `set_link`.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <optional>
#include <vector>

#include "outlet.h"

namespace poplink::sim {

/// Nobody is there until a machine connects; when it has gone, another may come. There is one at a time.
class StreamOutlet : public Outlet {
 public:
  static constexpr std::size_t kLengthBytes = 4;
  static constexpr std::size_t kShortest = 14;     ///< addresses and type
  static constexpr std::size_t kLongest = 16'384;  ///< longer frames are no frames: the peer speaks something else
  static constexpr std::size_t kMostUnread =
      256 * 1024;  ///< bytes that a machine may leave unread, besides its socket's

  /// Listens at `socket`. Throws std::runtime_error.
  StreamOutlet(boost::asio::io_context& context, const std::string& socket, OutletWire wire, Tell tell);
  ~StreamOutlet() override;
  StreamOutlet(const StreamOutlet&) = delete;
  StreamOutlet& operator=(const StreamOutlet&) = delete;

  /// A frame that finds too much unread is refused.
  void deliver(std::span<const std::uint8_t> frame) override;
  void feed() override;
  void setCarrier(bool) override {}
  std::uint64_t refused() const override { return refused_; }
  std::string name() const override { return path_; }

 private:
  using Local = boost::asio::local::stream_protocol;

  void accept();
  void acceptLater();
  void welcome(Local::socket socket);
  void watch();
  /// The next whole frame that is here; nothing: there is none, or nobody is there any more.
  std::optional<std::span<const std::uint8_t>> take();
  /// More bytes; false: none now.
  bool receive();
  void send();
  /// The machine goes; `why`: what the user should know.
  void hangUp(const std::string& why);

  Local::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  Local::socket peer_;
  std::string path_, peer_name_;
  OutletWire wire_;
  Tell tell_;
  bool ready_ = false;
  bool writing_ = false;
  std::uint64_t refused_ = 0;
  std::vector<std::uint8_t> in_;  ///< from `at_` to `end_` is what was received and not yet taken
  std::size_t at_ = 0, end_ = 0;
  std::vector<std::uint8_t> out_;  ///< from `sent_` on is what the machine has not read
  std::size_t sent_ = 0;
};

}  // namespace poplink::sim
