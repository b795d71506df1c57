// SPDX-License-Identifier: Apache-2.0
// expect update_wrong_body.cpp:12: error: the body of update_t() is Result t_update(Entry&, const Args&), with the Result and Args of update_t()
// errors 1
#include "hls.h"
struct In { hls::bits<8> a; hls::bits<8> b; };
struct Out { hls::bits<8> r; };
struct Entry { hls::bits<8> n; };
struct Args { hls::bits<8> by; };
struct Result { hls::bits<8> was; };
struct Other { hls::bits<8> was; };
Result update_t(hls::bits<8> index, const Args& args);
Other t_update(Entry& entry, const Args& args) {
  entry.n = args.by;
  return {1};
}
void kernel(const In& in, Out& out) {
  out.r = update_t(in.a, {in.b}).was;
}
