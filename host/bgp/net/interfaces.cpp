// SPDX-License-Identifier: Apache-2.0
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "speaker_shell.h"

namespace poplink::host::bgp {

namespace {

std::uint8_t maskLength(std::span<const std::uint8_t> mask) {
  int bits = 0;
  for (const std::uint8_t octet : mask) bits += std::popcount(octet);
  return static_cast<std::uint8_t>(bits);
}

std::optional<InterfaceAddress> addressOf(const ifaddrs& one) {
  if (one.ifa_addr == nullptr || one.ifa_netmask == nullptr || (one.ifa_flags & IFF_UP) == 0) return std::nullopt;
  InterfaceAddress found;
  found.interface = one.ifa_name;
  if (one.ifa_addr->sa_family == AF_INET) {
    sockaddr_in address{}, mask{};
    std::memcpy(&address, one.ifa_addr, sizeof address);
    std::memcpy(&mask, one.ifa_netmask, sizeof mask);
    found.address = Ipv4{ntohl(address.sin_addr.s_addr)};
    found.length = static_cast<std::uint8_t>(std::popcount(mask.sin_addr.s_addr));
    return found;
  }
  if (one.ifa_addr->sa_family == AF_INET6) {
    sockaddr_in6 address{}, mask{};
    std::memcpy(&address, one.ifa_addr, sizeof address);
    std::memcpy(&mask, one.ifa_netmask, sizeof mask);
    Ipv6 octets{};
    std::memcpy(octets.data(), &address.sin6_addr, octets.size());
    found.address = octets;
    found.length = maskLength(mask.sin6_addr.s6_addr);
    return found;
  }
  return std::nullopt;
}

}  // namespace

std::vector<InterfaceAddress> interfaceAddresses() {
  std::vector<InterfaceAddress> list;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return list;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next)
    if (auto found = addressOf(*one)) list.push_back(std::move(*found));
  ::freeifaddrs(all);
  return list;
}

}  // namespace poplink::host::bgp
