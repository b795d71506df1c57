// SPDX-License-Identifier: Apache-2.0
#include "tcp_attempt.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <system_error>
#include <utility>

#include "socket_options.h"

namespace poplink::host::bgp {

namespace asio = boost::asio;
using boost::system::error_code;

TcpAttempt::TcpAttempt(asio::io_context& context, const Endpoint& remote) : socket_(context), remote_(remote) {}

void TcpAttempt::start(const TcpOptions& options, Done done) {
  done_ = std::move(done);
  try {
    prepare(options);
  } catch (const std::system_error& error) {
    asio::post(socket_.get_executor(),
               [self = shared_from_this(), why = std::string(error.what())] { self->end(why); });
    return;
  }
  socket_.async_connect(toSocket(remote_),
                        [self = shared_from_this()](error_code error) { self->end(error ? error.message() : ""); });
}

void TcpAttempt::prepare(const TcpOptions& options) {
  const bool v6 = isV6(remote_.address);
  error_code error = adopt(socket_, toSocket(remote_).protocol(), openSocket(v6));
  if (error) throw std::system_error(std::error_code(error), "cannot open a socket");
  setForBgp(socket_.native_handle(), v6);
  setTtl(socket_.native_handle(), v6, options);
  if (!options.md5_key.empty()) setMd5Key(socket_.native_handle(), remote_.address, options.md5_key);
  if (!options.local_address) return;
  socket_.bind(toSocket({*options.local_address, 0}), error);
  if (error) throw std::system_error(std::error_code(error), "cannot connect from " + toString(*options.local_address));
}

void TcpAttempt::end(const std::string& why) {
  // Given up if there is none.
  if (const Done done = std::exchange(done_, nullptr)) done(std::move(socket_), why);
}

void TcpAttempt::giveUp() {
  done_ = nullptr;
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace poplink::host::bgp
