// SPDX-License-Identifier: Apache-2.0
// expect update_by_value.cpp:10: error: an update is Result update_t(hls::bits<K> index, const Args&)
// errors 1
#include "hls.h"
struct In { hls::bits<8> a; hls::bits<8> b; };
struct Out { hls::bits<8> r; };
struct Entry { hls::bits<8> n; };
struct Args { hls::bits<8> by; };
struct Result { hls::bits<8> was; };
Result update_t(hls::bits<8> index, Args args);
Result t_update(Entry& entry, const Args& args) {
  entry.n = args.by;
  return {1};
}
void kernel(const In& in, Out& out) {
  out.r = update_t(in.a, {in.b}).was;
}
