// SPDX-License-Identifier: Apache-2.0
// expect latency_of_helper.cpp:9: error: HLS_LATENCY: belongs to a declaration of lookup_NAME() or update_NAME()
// errors 1
#include "hls.h"
struct In { hls::bits<8> a; };
struct Out { hls::bits<8> r; };
struct Entry { hls::bits<8> v; };
Entry lookup_t(hls::bits<8> key);
HLS_LATENCY(2) hls::bits<8> helper(hls::bits<8> a) {
  return a;
}
void kernel(const In& in, Out& out) {
  out.r = lookup_t(in.a).v;
}
