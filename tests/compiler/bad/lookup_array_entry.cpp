// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
struct Entry { bits<8> v[4]; };
Entry lookup_t(bits<8> key);
void kernel(const In& in, Out& out) { out.r = lookup_t(in.a).v[2]; }
// expect field 'v' of the entry of table 't' is not a scalar
