// SPDX-License-Identifier: Apache-2.0
#include "types.h"

#include <arpa/inet.h>

namespace poplink::host::bgp {

namespace {

std::string text(Ipv4 address) {
  return std::to_string(address >> 24) + "." + std::to_string(address >> 16 & 0xff) + "." +
         std::to_string(address >> 8 & 0xff) + "." + std::to_string(address & 0xff);
}

std::string text(const Ipv6& address) {
  std::array<char, INET6_ADDRSTRLEN> room{};
  return inet_ntop(AF_INET6, address.data(), room.data(), room.size());
}

}  // namespace

std::string toString(const Address& address) {
  return std::visit([](const auto& a) { return text(a); }, address);
}

std::string toString(Family family) {
  if (family == kIpv4Unicast) return "IPv4 unicast";
  if (family == kIpv6Unicast) return "IPv6 unicast";
  return "AFI " + std::to_string(static_cast<unsigned>(family.afi)) + " SAFI " +
         std::to_string(static_cast<unsigned>(family.safi));
}

std::string toString(const Prefix4& prefix) {
  return text(prefix.address) + "/" + std::to_string(prefix.length);
}
std::string toString(const Prefix6& prefix) {
  return text(prefix.address) + "/" + std::to_string(prefix.length);
}

}  // namespace poplink::host::bgp
