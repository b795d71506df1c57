// SPDX-License-Identifier: Apache-2.0
// Tables of different latency: each says its own.
#include "hls.h"

using hls::bits;

struct In {
  bits<8> a;
};
struct Out {
  bits<8> near, usual, far, counted;
};
struct Entry {
  bits<8> v;
};
struct Args {
  bits<8> by;
};

constexpr int kFar = 7;
HLS_LATENCY(1) Entry lookup_near(bits<8> key);
Entry lookup_usual(bits<8> key);
HLS_LATENCY(kFar) Entry lookup_far(bits<8> key);
HLS_LATENCY(5) bits<8> update_count(bits<8> index, const Args& args);

bits<8> count_update(Entry& entry, const Args& args) {
  entry.v = static_cast<bits<8>>(entry.v + args.by);
  return entry.v;
}

void latency(const In& in, Out& out) {
  out.near = lookup_near(in.a).v;
  out.usual = lookup_usual(in.a).v;
  out.far = lookup_far(in.a).v;
  out.counted = update_count(in.a, {in.a});
}
