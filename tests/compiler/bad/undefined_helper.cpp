// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
unsigned helper(unsigned x);
void kernel(const In& in, Out& out) {
  out.r = static_cast<bits<8>>(helper(in.a));
}
// expect :8: error: call of 'helper', which is not defined
