// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
struct BitField { unsigned x : 3; };
void kernel(const BitField& in, Out& out) { out.r = in.x; }
// expect :6: error: field 'x' is a bit-field
