// SPDX-License-Identifier: Apache-2.0
// Path attributes with MP_REACH_NLRI and MP_UNREACH_NLRI; the first octet chooses the session. The lengths of the
// message are right, so that every input gets to the attributes.
#include "bgp_update_checks.h"

using namespace poplink::host::bgp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > kMaxBodyBytes) return 0;
  std::vector<std::uint8_t> body;
  put16(body, 0);
  put16(body, static_cast<std::uint16_t>(size - 1));
  put(body, {data + 1, size - 1});
  checkUpdate(body, contextOf(data[0]));
  return 0;
}
