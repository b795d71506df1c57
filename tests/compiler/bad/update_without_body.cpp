// SPDX-License-Identifier: Apache-2.0
// expect update_without_body.cpp:9: error: update_t() has no body: define Result t_update(Entry&, const Args&) in the kernel's source, not inline
// errors 1
#include "hls.h"
struct In { hls::bits<8> a; hls::bits<8> b; };
struct Out { hls::bits<8> r; };
struct Args { hls::bits<8> by; };
struct Result { hls::bits<8> was; };
Result update_t(hls::bits<8> index, const Args& args);
void kernel(const In& in, Out& out) {
  out.r = update_t(in.a, {in.b}).was;
}
