// SPDX-License-Identifier: Apache-2.0
// BGP's endpoints as those of sockets. IPv6 addresses have no zone here: link-local ones are not for this.
#pragma once

#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>

#include "../wire/endpoint.h"

namespace poplink::host::bgp {

using Tcp = boost::asio::ip::tcp;

bool isV6(const Address& address);
Tcp::endpoint toSocket(const Endpoint& endpoint);
Endpoint fromSocket(const Tcp::endpoint& endpoint);

/// Has asio watch a new descriptor; closes it if that fails.
template <typename Socket>
boost::system::error_code adopt(Socket& socket, const Tcp& protocol, int descriptor) {
  boost::system::error_code error;
  socket.assign(protocol, descriptor, error);
  if (error) ::close(descriptor);
  return error;
}

}  // namespace poplink::host::bgp
