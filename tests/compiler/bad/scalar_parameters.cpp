// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
void kernel(const unsigned& in, Out& out) { out.r = static_cast<bits<8>>(in); }
// expect over structs with fields
