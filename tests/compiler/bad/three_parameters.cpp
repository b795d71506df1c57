// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
void kernel(const In& in, Out& out, unsigned x) { out.r = in.a + static_cast<bits<8>>(x); }
// expect a kernel is void kernel(const In&, Out&)
