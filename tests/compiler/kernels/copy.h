// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hls.h"

struct CopyIn {
  hls::bits<12> value;
};

struct CopyOut {
  hls::bits<12> value;
};

/// The smallest kernel: one register.
void copy(const CopyIn& in, CopyOut& out);
