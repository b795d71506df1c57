// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
union Both { bits<8> a; bits<4> b; };
struct Union { Both x; };
void kernel(const Union& in, Out& out) { out.r = in.x.a; }
// expect is a union
