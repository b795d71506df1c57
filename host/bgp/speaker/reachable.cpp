// SPDX-License-Identifier: Apache-2.0
#include "reachable.h"

#include <algorithm>

#include "../wire/nlri.h"

namespace poplink::host::bgp {

bool contains(const AnyPrefix& prefix, const Address& address) {
  if (const auto* four = std::get_if<Prefix4>(&prefix)) {
    const auto* host = std::get_if<Ipv4>(&address);
    const auto mask = static_cast<Ipv4>(~std::uint64_t{0} << (32 - four->length));
    return host != nullptr && (*host & mask) == four->address;
  }
  const auto& six = std::get<Prefix6>(prefix);
  const auto* host = std::get_if<Ipv6>(&address);
  if (host == nullptr) return false;
  const Ipv6& mask = detail::kMasks[six.length];
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (((*host)[i] & mask[i]) != six.address[i]) return false;
  return true;
}

bool Reachable::in(std::span<const AnyPrefix> prefixes, const Address& address) {
  return std::ranges::any_of(prefixes, [&address](const AnyPrefix& one) { return contains(one, address); });
}

}  // namespace poplink::host::bgp
