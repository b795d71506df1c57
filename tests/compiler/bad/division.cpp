// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
void kernel(const In& in, Out& out) {
  out.r = static_cast<bits<8>>(in.a / (in.b | 1));
}
// expect :7: error: division by something other than a power of two
