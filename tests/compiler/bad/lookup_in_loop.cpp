// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
struct Entry { bool valid; bits<8> v; };
Entry lookup_t(bits<8> key);
void kernel(const In& in, Out& out) {
  bits<8> x = in.a;
  for (int i = 0; i < 3; ++i) x = lookup_t(x).v;
  out.r = x;
}
// expect lookup of table 't' inside a loop
