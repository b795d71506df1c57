// SPDX-License-Identifier: Apache-2.0
// expect update_twice.cpp:19: error: table 't' is updated a second time for one packet: which comes first would be the pipeline's choice, so choose index and arguments first
// expect note: the first time is here
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
  out.r = update_t(in.a, {in.b}).was;
  if (in.b > 3) out.r = update_t(in.b, {in.a}).was;
}
