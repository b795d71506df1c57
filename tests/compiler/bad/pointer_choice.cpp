// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
void kernel(const In& in, Out& out) {
  const bits<8>* p = reinterpret_cast<const bits<8>*>(static_cast<unsigned long>(in.a));
  out.r = *p;
}
// expect this memory access could not be turned into wires
