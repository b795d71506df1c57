// SPDX-License-Identifier: Apache-2.0
// expect latency_two.cpp:8: error: HLS_LATENCY: lookup_t() has 
// errors 1
#include "hls.h"
struct In { hls::bits<8> a; };
struct Out { hls::bits<8> r; };
struct Entry { hls::bits<8> v; };
HLS_LATENCY(1) HLS_LATENCY(2) Entry lookup_t(hls::bits<8> key);
void kernel(const In& in, Out& out) {
  out.r = lookup_t(in.a).v;
}
