// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
struct Float { float x; };
void kernel(const Float& in, Out& out) { out.r = static_cast<bits<8>>(in.x); }
// expect :6: error: field 'x' is a floating-point number
