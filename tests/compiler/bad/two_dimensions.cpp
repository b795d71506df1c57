// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
struct Grid { bits<4> x[2][3]; };
void kernel(const Grid& in, Out& out) { out.r = in.x[1][2]; }
// expect :6: error: field 'x' is an array of several
