// SPDX-License-Identifier: Apache-2.0
// The body of an UPDATE of IPv4 in the fields of RFC 4271; the first octet chooses the session.
#include "bgp_update_checks.h"

using namespace poplink::host::bgp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  UpdateContext context = contextOf(data[0]);
  context.ipv4_unicast = true;
  context.ipv6_unicast = context.extended_next_hop = false;
  checkUpdate({data + 1, size - 1}, context);
  return 0;
}
