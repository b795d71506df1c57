// SPDX-License-Identifier: Apache-2.0
// IPv4 in MP_REACH_NLRI and MP_UNREACH_NLRI, with next hops of both kinds (RFC 8950); the input is
// checkMultiprotocol()'s.
#include "bgp_update_checks.h"

using namespace poplink::host::bgp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  checkMultiprotocol(kIpv4Unicast, {data, size});
  return 0;
}
