// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
void kernel(const In& in, Out& out) {
  bits<8> x;
  if (in.a > 3) x = in.b;
  out.r = x;
}
// expect uninitialized
