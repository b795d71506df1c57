// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
struct Pointer { const char* x; };
void kernel(const Pointer& in, Out& out) { out.r = in.x != nullptr; }
// expect :6: error: field 'x' is not an unsigned integer
