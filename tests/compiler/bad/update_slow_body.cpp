// SPDX-License-Identifier: Apache-2.0
// expect update_slow_body.cpp:12: error: the body of update_t() does not fit: its loop takes 
// expect with registers and forwarding, at most 2.60 ns are allowed; compute before, in the kernel, what does not need the entry, compare beside the addition, or allow more (--update-ns)
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
  entry.n = static_cast<hls::bits<8>>((entry.n + args.by > 200 ? 200 : entry.n + args.by) + args.by);
  return result;
}
void kernel(const In& in, Out& out) {
  out.r = update_t(in.a, {in.b}).was;
}
