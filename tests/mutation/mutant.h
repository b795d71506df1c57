// SPDX-License-Identifier: Apache-2.0
// Which mutant this process is: the number in POPLINK_MUTANT, 0 for none. Mutated kernels ask here, mutated RTL through
// DPI.
#pragma once

#include <cstdlib>

namespace poplink::mutation {

inline unsigned selected() {
  static const unsigned kSelected = [] {
    const char* text = std::getenv("POPLINK_MUTANT");
    return text == nullptr ? 0U : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
  }();
  return kSelected;
}

}  // namespace poplink::mutation
