// SPDX-License-Identifier: Apache-2.0
// Everything that hls_ap.h has, in one kernel.
#pragma once

#include "hls_ap.h"

namespace ap_mix {

struct In {
  ap_uint<8> a, b;
  ap_uint<13> c;
  ap_uint<70> wide;
  ap_uint<5> places[6];
  ap_uint<3> at;
  bool flag;
  hls::bits<9> plain;
};

struct Out {
  ap_uint<9> sum;
  ap_uint<21> product;
  ap_uint<8> difference_wraps;
  ap_uint<10> difference_sign;
  ap_uint<40> with_int;
  ap_uint<13> bitwise;
  ap_uint<13> inverted;
  ap_uint<6> compared;
  ap_uint<16> joined;
  ap_uint<29> joined_three;
  ap_uint<4> part;
  ap_uint<13> part_set;
  ap_uint<8> bit_set;
  bool bit_at;
  ap_uint<8> split_high;
  ap_uint<5> split_low;
  ap_uint<70> shifted;
  ap_uint<13> shifted_by_variable;
  ap_uint<14> negative_shifted;
  ap_uint<3> reduced;
  ap_uint<8> counted;
  ap_uint<5> places[6];
  ap_uint<9> mixed_with_bits;
  ap_uint<8> by_power;
  ap_uint<12> found;
};

struct FoundEntry {
  bool valid;
  ap_uint<12> value;
};
FoundEntry lookup_found(ap_uint<13> key);

void ap_mix(const In& in, Out& out);

}  // namespace ap_mix
