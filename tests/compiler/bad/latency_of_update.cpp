// SPDX-License-Identifier: Apache-2.0
// expect latency_of_update.cpp:9: error: HLS_LATENCY: cycles of update_t() are a number from 3 to 64
// errors 1
#include "hls.h"
struct In { hls::bits<8> a; };
struct Out { hls::bits<8> r; };
struct Entry { hls::bits<8> v; };
struct Args { hls::bits<8> by; };
HLS_LATENCY(2) hls::bits<8> update_t(hls::bits<8> index, const Args& args);
hls::bits<8> t_update(Entry& entry, const Args& args) {
  entry.v = args.by;
  return entry.v;
}
void kernel(const In& in, Out& out) {
  out.r = update_t(in.a, {in.a});
}
