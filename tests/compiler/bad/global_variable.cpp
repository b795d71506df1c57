// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
unsigned total = 0;
void kernel(const In& in, Out& out) {
  total += in.a;
  out.r = static_cast<bits<8>>(total);
}
// expect variable 'total' keeps state from packet to packet
