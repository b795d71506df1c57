// SPDX-License-Identifier: Apache-2.0
#include "hls.h"
using hls::bits;
struct In { bits<8> a; bits<8> b; };
struct Out { bits<8> r; };
struct Entry { bool valid; bits<8> v; };
Entry lookup_t(bits<8> a, bits<8> b);
void kernel(const In& in, Out& out) { out.r = lookup_t(in.a, in.b).v; }
// expect a lookup is Entry lookup_t(hls::bits<K> key)
