// SPDX-License-Identifier: Apache-2.0
// One attempt to connect.
#pragma once

#include <functional>
#include <memory>

#include "socket_address.h"
#include "tcp_events.h"

namespace poplink::host::bgp {

class TcpAttempt : public std::enable_shared_from_this<TcpAttempt> {
 public:
  /// Has the connection, or `why` there is none.
  using Done = std::function<void(Tcp::socket, const std::string& why)>;

  TcpAttempt(boost::asio::io_context& context, const Endpoint& remote);
  TcpAttempt(const TcpAttempt&) = delete;
  TcpAttempt& operator=(const TcpAttempt&) = delete;

  /// Begins; `done` is called later, in the loop, once.
  void start(const TcpOptions& options, Done done);
  /// Ends without `done`.
  void giveUp();

  const Endpoint& remote() const { return remote_; }

 private:
  void prepare(const TcpOptions& options);
  void end(const std::string& why);

  Tcp::socket socket_;
  Endpoint remote_;
  Done done_;
};

}  // namespace poplink::host::bgp
