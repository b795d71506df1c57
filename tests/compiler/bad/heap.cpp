// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
void use(unsigned*);
void kernel(const In& in, Out& out) {
  unsigned* p = new unsigned[static_cast<unsigned>(in.a)];
  p[in.b] = 3;
  out.r = static_cast<bits<8>>(p[in.a]);
}
// expect heap memory has no hardware
// errors 1
