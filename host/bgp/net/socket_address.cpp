// SPDX-License-Identifier: Apache-2.0
#include "socket_address.h"

namespace poplink::host::bgp {

namespace ip = boost::asio::ip;

bool isV6(const Address& address) {
  return std::holds_alternative<Ipv6>(address);
}

Tcp::endpoint toSocket(const Endpoint& endpoint) {
  if (const auto* v6 = std::get_if<Ipv6>(&endpoint.address)) return {ip::address_v6(*v6), endpoint.port};
  return {ip::address_v4(std::get<Ipv4>(endpoint.address)), endpoint.port};
}

Endpoint fromSocket(const Tcp::endpoint& endpoint) {
  const ip::address address = endpoint.address();
  if (address.is_v6()) return {Ipv6(address.to_v6().to_bytes()), endpoint.port()};
  return {Ipv4(address.to_v4().to_uint()), endpoint.port()};
}

}  // namespace poplink::host::bgp
