// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
struct Entry { bool valid; bits<8> v; };
Entry lookup_t(bits<8> key);
static bits<8> value(bits<8> key) {
  return lookup_t(key).v;
}
void kernel(const In& in, Out& out) {
  out.r = value(in.a);
  out.r ^= value(in.b);
}
// expect :9: error: table 't' is looked up a second time for one packet
// expect :13: note: inlined from here, in function 'kernel'
// expect :9: note: the first time is here
// expect :12: note: inlined from here, in function 'kernel'
// errors 1
