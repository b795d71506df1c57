// SPDX-License-Identifier: Apache-2.0
#include "reachable.h"

#include <algorithm>

#include "../wire/prefix.h"

namespace poplink::host::bgp {

bool contains(const AnyPrefix& prefix, const Address& address) {
  if (const auto* four = std::get_if<Prefix4>(&prefix)) {
    const auto* host = std::get_if<Ipv4>(&address);
    return host != nullptr && prefixOf(*host, four->length) == *four;
  }
  const auto& six = std::get<Prefix6>(prefix);
  const auto* host = std::get_if<Ipv6>(&address);
  return host != nullptr && prefixOf(*host, six.length) == six;
}

bool Reachable::in(std::span<const AnyPrefix> prefixes, const Address& address) {
  return std::ranges::any_of(prefixes, [&address](const AnyPrefix& one) { return contains(one, address); });
}

}  // namespace poplink::host::bgp
