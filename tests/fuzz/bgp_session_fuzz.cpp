// SPDX-License-Identifier: Apache-2.0
// Any events in any order for the session machine of BGP, with its invariants; see bgp_driver.h. Two bytes are an
// event.
#include <cstdio>
#include <cstdlib>

#include "bgp_driver.h"

namespace {

void require(const std::string& problem) {
  if (problem.empty()) return;
  std::fprintf(stderr, "%s\n", problem.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  poplink::host::bgp::SessionDriver driver;
  for (std::size_t i = 0; i + 1 < std::min<std::size_t>(size, 400); i += 2)
    require(driver.happen(data[i], data[i + 1]));
  require(driver.settle());
  return 0;
}
