// SPDX-License-Identifier: Apache-2.0
// expect latency_text.cpp:8: error: HLS_LATENCY: cycles of lookup_t() are a number from 1 to 64
// errors 1
#include "hls.h"
struct In { hls::bits<8> a; };
struct Out { hls::bits<8> r; };
struct Entry { hls::bits<8> v; };
HLS_LATENCY("two") Entry lookup_t(hls::bits<8> key);
void kernel(const In& in, Out& out) {
  out.r = lookup_t(in.a).v;
}
