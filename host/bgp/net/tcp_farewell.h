// SPDX-License-Identifier: Apache-2.0
// The end of a connection that we have closed. What the peer still sends is read for a moment and thrown away: closing
// a socket in which something is unread resets the connection, and the reset may overtake what we have sent last.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>

#include "read_room.h"
#include "socket_address.h"

namespace poplink::host::bgp {

class TcpFarewell : public std::enable_shared_from_this<TcpFarewell> {
 public:
  TcpFarewell(Tcp::socket socket, const Endpoint& remote, bool accepted, ReadRoom& room);
  TcpFarewell(const TcpFarewell&) = delete;
  TcpFarewell& operator=(const TcpFarewell&) = delete;

  /// Ends after a second, or when the peer has closed too; `done` is called then, perhaps at once.
  void start(std::function<void()> done);
  /// Ends now, without `done`.
  void drop();

  const Endpoint& remote() const { return remote_; }
  bool accepted() const { return accepted_; }

 private:
  void awaitRead();
  void end();

  Tcp::socket socket_;
  boost::asio::steady_timer timer_;
  Endpoint remote_;
  bool accepted_;
  ReadRoom& room_;
  std::function<void()> done_;
};

}  // namespace poplink::host::bgp
