// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
unsigned kernel(const In& in, Out& out) { out.r = in.a; return 1; }
// expect a kernel is void kernel(const In&, Out&)
