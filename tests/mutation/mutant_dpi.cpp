// SPDX-License-Identifier: Apache-2.0
#include "mutant.h"

extern "C" int poplink_mutant() {
  return static_cast<int>(poplink::mutation::selected());
}
