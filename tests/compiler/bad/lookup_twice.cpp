// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
struct Entry { bool valid; bits<8> v; };
Entry lookup_t(bits<8> key);
void kernel(const In& in, Out& out) { out.r = lookup_t(in.a).v ^ lookup_t(in.b).v; }
// expect table 't' is looked up a second time
