// SPDX-License-Identifier: Apache-2.0
// One connection that is there: reads what comes, sends what its owner has.
#pragma once

#include <functional>
#include <memory>

#include "read_room.h"
#include "socket_address.h"
#include "tcp_events.h"

namespace poplink::host::bgp {

class TcpConnection : public std::enable_shared_from_this<TcpConnection> {
 public:
  /// What all connections share; lives longer than they are open.
  struct Shared {
    TcpEvents& events;
    ReadRoom& room;
    std::function<void(ConnectionId)> forget;  ///< it is closed; events.closed() comes next
  };

  TcpConnection(ConnectionId id, Tcp::socket socket, const Endpoint& remote, bool accepted, Shared& shared);
  TcpConnection(const TcpConnection&) = delete;
  TcpConnection& operator=(const TcpConnection&) = delete;

  /// Begins to read.
  void start();
  /// Reads once what has come, without waiting.
  void read();
  /// Sends what there is to be sent; what TCP does not take at once goes when it does.
  void write();
  /// Sends what TCP takes at once, and is closed without any event; its socket is the caller's.
  Tcp::socket takeAfterLastWrite();
  /// Closes without any event.
  void drop();

  const Endpoint& remote() const { return remote_; }
  bool accepted() const { return accepted_; }

 private:
  void awaitRead();
  void awaitWrite();
  bool sendSome(std::size_t most);  ///< true: TCP takes no more now, or `most` octets have gone
  void fail(const boost::system::error_code& error);

  Tcp::socket socket_;
  Endpoint remote_;
  Shared& shared_;
  ConnectionId id_;
  boost::system::error_code send_error_;
  bool accepted_;
  bool open_ = true;
  bool awaits_write_ = false;
  bool sending_ = false;
};

}  // namespace poplink::host::bgp
