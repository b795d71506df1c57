// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
struct Bare { unsigned _BitInt(5) x; };
void kernel(const Bare& in, Out& out) { out.r = in.x; }
// expect :6: error: field 'x' is a bare _BitInt
