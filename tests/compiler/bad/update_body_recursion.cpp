// SPDX-License-Identifier: Apache-2.0
// expect update_body_recursion.cpp:12: error: recursion has no hardware: function 'twice' calls itself
// errors 1
#include "hls.h"
struct In { hls::bits<8> a; hls::bits<8> b; };
struct Out { hls::bits<8> r; };
struct Entry { hls::bits<8> n; };
struct Args { hls::bits<8> by; };
struct Result { hls::bits<8> was; };
Result update_t(hls::bits<8> index, const Args& args);
hls::bits<8> twice(hls::bits<8> a) {
  return a == 0 ? a : twice(static_cast<hls::bits<8>>(a - 1));
}
Result t_update(Entry& entry, const Args& args) {
  const Result result = {entry.n};
  entry.n = static_cast<hls::bits<8>>(twice(entry.n));
  return result;
}
void kernel(const In& in, Out& out) {
  out.r = update_t(in.a, {in.b}).was;
}
