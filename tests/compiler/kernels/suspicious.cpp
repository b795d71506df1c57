// SPDX-License-Identifier: Apache-2.0
// Legal, but surely not meant.
#include "hls.h"

struct In {
  hls::bits<8> a;
};
struct Out {
  hls::bits<8> passed;
  hls::bits<8> fixed;
};
struct Entry {
  bool valid;
};
Entry lookup_t(hls::bits<8> key);

void suspicious(const In& in, Out& out) {
  static_cast<void>(lookup_t(in.a));
  out.passed = in.a;
  out.fixed = 7;
}
