// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
bits<8> lookup_t(bits<8> key);
void kernel(const In& in, Out& out) { out.r = lookup_t(in.a); }
// expect the entry of table 't' is not a struct
