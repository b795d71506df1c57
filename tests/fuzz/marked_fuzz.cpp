// SPDX-License-Identifier: Apache-2.0
// Fails on an input that begins with '!': for the test of script/fuzz.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0 && data[0] == '!') std::abort();
  return 0;
}
