// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
void kernel(const In& in, Out& out) {
  bits<8> x = in.a;
  while (x != in.b) x = static_cast<bits<8>>(x * 5 + 3);
  out.r = x;
}
// expect :8: error: this loop has no constant bound
