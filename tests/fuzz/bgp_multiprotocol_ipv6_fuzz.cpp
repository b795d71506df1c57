// SPDX-License-Identifier: Apache-2.0
// IPv6 in MP_REACH_NLRI and MP_UNREACH_NLRI (RFC 2545); the input is checkMultiprotocol()'s.
#include "bgp_update_checks.h"

using namespace poplink::host::bgp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  checkMultiprotocol(kIpv6Unicast, {data, size});
  return 0;
}
