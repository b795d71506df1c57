// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
void kernel(const In& in, Out& out) {
  bits<8> x[4] = {in.a, in.b, 1, 2};
  out.r = x[4];
}
// expect array index 4 is past the end
