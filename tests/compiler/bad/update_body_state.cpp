// SPDX-License-Identifier: Apache-2.0
// expect update_body_state.cpp:14: error: variable 'last' keeps state from packet to packet
// errors 1
#include "hls.h"
struct In { hls::bits<8> a; hls::bits<8> b; };
struct Out { hls::bits<8> r; };
struct Entry { hls::bits<8> n; };
struct Args { hls::bits<8> by; };
struct Result { hls::bits<8> was; };
Result update_t(hls::bits<8> index, const Args& args);
Result t_update(Entry& entry, const Args& args) {
  const Result result = {entry.n};
  static hls::bits<8> last;
  last = entry.n;
  entry.n = static_cast<hls::bits<8>>(entry.n + args.by);
  return result;
}
void kernel(const In& in, Out& out) {
  out.r = update_t(in.a, {in.b}).was;
}
