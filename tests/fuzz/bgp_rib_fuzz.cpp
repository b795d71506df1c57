// SPDX-License-Identifier: Apache-2.0
// Anything in any order for a table of routes and the groups that are told of it, beside a model; see bgp_rib_driver.h.
// Three bytes are an operation.

#include "bgp_rib_driver.h"
#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  poplink::host::bgp::RibDriver<poplink::host::bgp::Prefix4> driver(8);
  for (std::size_t i = 0; i + 2 < std::min<std::size_t>(size, 300); i += 3)
    requireNone(driver.happen(data[i], data[i + 1], data[i + 2]));
  requireNone(driver.settle());
  return 0;
}
