// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
static unsigned down(unsigned n) {
  return n == 0 ? 0 : down(n - 1) + n;
}
void kernel(const In& in, Out& out) { out.r = static_cast<bits<8>>(down(in.a)); }
// expect :7: error: recursion has no hardware: function 'down' calls itself
