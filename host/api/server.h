// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 (RFC 9112) on a unix socket. Everything happens on the thread of the io_context; no client, however slow or
// odd, makes it wait: each has limits of size and time, and there are only so many of them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "message.h"

namespace poplink::host::api {

struct ServerOptions {
  std::uint32_t header_bytes = 16 << 10;
  std::uint64_t body_bytes = 1 << 20;
  std::chrono::milliseconds request_timeout{30'000};  ///< until a request is there whole; also of an idle connection
  std::chrono::milliseconds answer_timeout{30'000};   ///< until a client has taken its answer
  unsigned sessions = 64;                             ///< connections; more are answered 503 and closed
  unsigned streams = 32;                              ///< of these, that stream; more are answered 503
  std::size_t stream_bytes = 1 << 20;                 ///< that wait for one client at most, see Stream
};

class Server {
 public:
  /// Listens at `path` (host/net/local_listener.h), mode 0660, and makes its folder if only that is missing. `handler`
  /// is called within the loop, so nothing else happens until it returns. Throws std::runtime_error.
  Server(boost::asio::io_context& context, const std::string& path, Handler handler, const ServerOptions& options = {});
  /// Hangs up on everybody, which closes their streams, and removes the socket.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Connections now.
  unsigned sessions() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace poplink::host::api
