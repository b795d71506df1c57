// SPDX-License-Identifier: Apache-2.0
#include "local_listener.h"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <stdexcept>

namespace poplink::sim {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;

namespace {

/// Makes room at `path`: a dead socket goes away, anything else stays and is an error.
void removeDeadSocket(asio::io_context& context, const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode)) throw std::runtime_error(path + ": is there and is no socket");
  boost::system::error_code error;
  Local::socket probe(context);
  probe.connect(Local::endpoint(path), error);
  if (!error) throw std::runtime_error(path + ": another program listens there");
  ::unlink(path.c_str());
}

}  // namespace

Local::acceptor listenAt(asio::io_context& context, const std::string& path) {
  if (path.size() >= sizeof sockaddr_un{}.sun_path)
    throw std::runtime_error(path + ": is too long for the path of a socket");
  removeDeadSocket(context, path);
  const Local::endpoint endpoint(path);
  Local::acceptor acceptor(context);
  boost::system::error_code error;
  acceptor.open(endpoint.protocol());
  acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) throw std::runtime_error(path + ": " + error.message());
  return acceptor;
}

}  // namespace poplink::sim
