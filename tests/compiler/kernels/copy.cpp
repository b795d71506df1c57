// SPDX-License-Identifier: Apache-2.0
#include "copy.h"

void copy(const CopyIn& in, CopyOut& out) {
  out.value = in.value;
}
