// SPDX-License-Identifier: Apache-2.0
// One kernel with every shape of control flow and data that the front end has to get right.
#pragma once

#include "hls.h"

namespace torture {

using hls::bits;

struct Pair {
  bits<9> left;
  bits<5> right;
};

struct In {
  bits<8> bytes[16];
  bits<4> index;
  bits<5> op;
  bits<33> wide_a;
  bits<33> wide_b;
  Pair pairs[2];
  bool flag;
  unsigned short word;
};

struct Out {
  bits<8> picked;
  bits<8> written[16];
  bits<40> computed;
  bits<6> first_big;
  bits<8> odd_sum;
  Pair chosen;
  bits<3> early;
  bits<124> joined;
  bits<7> ones;
  bits<16> rotated;
  bool less_signed;
  bits<8> table_byte;
  bits<11> looked_up;
};

struct FirstEntry {
  bool valid;
  bits<7> next;
};

struct SecondEntry {
  bits<11> value;
};

FirstEntry lookup_first(bits<8> key);
SecondEntry lookup_second(bits<12> key);

void torture(const In& in, Out& out);

}  // namespace torture
