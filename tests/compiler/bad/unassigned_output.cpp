// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
void kernel(const In& in, Out& out) {
  if (in.a > 3) out.r = 1;
}
// expect output field 'r' is not assigned on every path
