// SPDX-License-Identifier: Apache-2.0
// expect update_in_loop.cpp:19: error: update of table 't' inside a loop: one packet can change one entry of a table
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
  entry.n = static_cast<hls::bits<8>>(entry.n + args.by);
  return result;
}
void kernel(const In& in, Out& out) {
  out.r = 0;
  for (unsigned i = 0; i < 4; ++i) {
    if (in.b == i) out.r = update_t(static_cast<hls::bits<8>>(in.a + i), {in.b}).was;
  }
}
