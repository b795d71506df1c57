// SPDX-License-Identifier: Apache-2.0
// A long switch over an early selector and a long first match whose last arms are late.
#pragma once

#include "hls.h"

namespace switch30 {

using hls::bits;

struct In {
  bits<6> op;
  bits<32> value[30];
  bits<16> first, second;
};

struct Out {
  bits<32> chosen;
  bits<16> matched;
};

void switch30(const In& in, Out& out);

}  // namespace switch30
