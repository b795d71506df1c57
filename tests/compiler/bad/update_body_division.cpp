// SPDX-License-Identifier: Apache-2.0
// expect update_body_division.cpp:13: error: division by something other than a power of two has no pipeline here
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
  entry.n = static_cast<hls::bits<8>>(entry.n / args.by);
  return result;
}
void kernel(const In& in, Out& out) {
  out.r = update_t(in.a, {in.b}).was;
}
