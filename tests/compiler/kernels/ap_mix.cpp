// SPDX-License-Identifier: Apache-2.0
#include "ap_mix.h"

namespace ap_mix {

void ap_mix(const In& in, Out& out) {
  out.sum = in.a + in.b;
  out.product = in.a * in.c;
  out.difference_wraps = in.a - in.b;
  const ap_int<9> difference = in.a - in.b;
  out.difference_sign = (ap_uint<1>(difference < 0), ap_uint<9>(difference));
  out.with_int = in.c * 3 - 1000 + in.a;
  out.bitwise = (in.a & in.c) | (in.b ^ in.c);
  out.inverted = ~in.c;
  out.compared[0] = in.a < in.b;
  out.compared[1] = in.a == in.c;
  out.compared[2] = in.c >= 4000;
  out.compared[3] = difference <= -5;
  out.compared[4] = in.a + in.b > 255;  // the sum has nine bits
  out.compared[5] = in.a - in.b < 0;
  out.joined = (in.a, in.b);
  out.joined_three = (in.a, in.b, in.c);
  out.part = in.c.range(9, 6);
  out.part_set = in.c;
  out.part_set.range(7, 2) = in.b;
  out.bit_set = in.a;
  out.bit_set[3] = !in.b[3];
  out.bit_set.set_bit(7, in.flag);
  out.bit_at = in.a[in.at];
  (out.split_high, out.split_low) = in.c;
  out.shifted = (in.wide << 7) ^ (in.wide >> 33);
  out.shifted_by_variable = in.c << in.at;
  out.negative_shifted = (difference - in.c) >> 2;
  out.reduced = (ap_uint<1>(in.a.and_reduce()), ap_uint<1>(in.a.or_reduce()), ap_uint<1>(in.a.xor_reduce()));
  ap_uint<8> count = 0;
  for (int i = 0; i < 13; ++i) {
    if (in.c.test(i)) ++count;
  }
  count += in.flag ? in.a : ap_uint<8>(1);
  out.counted = count;
  for (int i = 0; i < 6; ++i) out.places[i] = in.places[i] + 1;
  if (in.at < 6) out.places[in.at] = in.b(4, 0);
  out.mixed_with_bits = in.a + in.plain;
  out.by_power = in.c / 32 + in.a % 8;
  switch (in.at) {
    case 1:
      out.by_power = 17;
      break;
    default:
      break;
  }
  const FoundEntry entry = lookup_found((in.b, in.places[2]));
  out.found = entry.valid ? entry.value : ap_uint<12>(in.c);
}

}  // namespace ap_mix
