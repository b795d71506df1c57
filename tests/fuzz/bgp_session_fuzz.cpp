// SPDX-License-Identifier: Apache-2.0
// Any events in any order for the session machine of BGP, with its invariants; see bgp_driver.h. Two bytes are an
// event.

#include "bgp_driver.h"
#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  poplink::host::bgp::SessionDriver driver;
  for (std::size_t i = 0; i + 1 < std::min<std::size_t>(size, 400); i += 2)
    requireNone(driver.happen(data[i], data[i + 1]));
  requireNone(driver.settle());
  return 0;
}
