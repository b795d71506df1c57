// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
struct Base { virtual unsigned go(unsigned) const = 0; };
extern const Base& base;
void kernel(const In& in, Out& out) {
  out.r = static_cast<bits<8>>(base.go(in.a));
}
// expect call through a pointer or virtual function
// errors 1
