// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
struct Entry { bool valid; bits<8> v; };
Entry lookup_t(bits<8> key);
static bits<8> hop(bits<8> x) {
  return lookup_t(x).v;
}
static bits<8> walk(bits<8> x) {
  for (int i = 0; i < 3; ++i) x = hop(x);
  return x;
}
void kernel(const In& in, Out& out) { out.r = walk(in.a); }
// expect :9: error: lookup of table 't' inside a loop: one packet can ask a table once (in function 'hop')
// expect :12: note: inlined from here, in function 'walk'
// expect :15: note: inlined from here, in function 'kernel'
// errors 1
