// SPDX-License-Identifier: Apache-2.0
// The state file of the daemon, whatever stands in it: taken and then the same when written again, or refused with a
// reason.
#include <cstdlib>

#include "saved_state.h"

using namespace poplink::host;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string problem;
  const auto state = decodeState(std::string(data, data + size), problem);
  if (!state) {
    if (problem.empty()) std::abort();
    return 0;
  }
  const std::string once = encodeState(*state);
  const auto again = decodeState(once, problem);
  if (!again || encodeState(*again) != once) std::abort();
  return 0;
}
