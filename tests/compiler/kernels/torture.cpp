// SPDX-License-Identifier: Apache-2.0
#include "torture.h"

namespace torture {

namespace {

constexpr unsigned char kSquares[16] = {0, 1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121, 144, 169, 196, 225};

bits<40> compute(bits<5> op, bits<33> a, bits<33> b) {
  bits<40> result = 0;
  switch (static_cast<unsigned>(op)) {
    case 0:
      result = static_cast<bits<40>>(a) + b;
      break;
    case 1:
      result = static_cast<bits<40>>(a) - b;
      break;
    case 2:
      result = static_cast<bits<40>>(a & b);
      break;
    case 3:
      result = static_cast<bits<40>>(a | b);
      break;
    case 4:
      result = static_cast<bits<40>>(a ^ b);
      break;
    case 5:
      result = static_cast<bits<40>>(static_cast<bits<33>>(~a));
      break;
    case 6:
      result = static_cast<bits<40>>(a << static_cast<unsigned>(b & 31));
      break;
    case 7:
      result = static_cast<bits<40>>(a >> static_cast<unsigned>(b & 31));
      break;
    case 8:
      result = static_cast<bits<40>>(static_cast<bits<20>>(a) * static_cast<bits<20>>(b));
      break;
    case 9:
      result = a < b ? 1 : 2;
      break;
    case 10:
      result = a == b ? 3 : 4;
      break;
    case 11:
      result = 5;  // falls through on purpose
      [[fallthrough]];
    case 12:
      result = result + static_cast<bits<40>>(a);
      break;
    case 13:
      result = static_cast<bits<40>>(a) * 10;
      break;
    case 14:
      result = static_cast<bits<40>>(a) % 64;
      break;
    case 15:
      result = a > b ? static_cast<bits<40>>(a - b) : static_cast<bits<40>>(b - a);
      break;
    case 16:
      return 77;
    case 17:
      result = a >= b && (b & 1) != 0 ? 8 : 9;
      break;
    default:
      result = static_cast<bits<40>>(op) << 35;
      break;
  }
  return static_cast<bits<40>>(result ^ 0x5A);
}

bits<124> join(bits<33> a, bits<33> b) {
  return static_cast<bits<124>>((static_cast<bits<124>>(a) << 91) | (static_cast<bits<124>>(b) << 40) | 0x123);
}

/// Index of the first byte over 200; 63 when there is none. 0 ends the search, 100 is skipped.
bits<6> firstBig(const bits<8> (&bytes)[16]) {
  for (unsigned i = 0; i < 16; ++i) {
    if (bytes[i] == 0) break;
    if (bytes[i] == 100) continue;
    if (bytes[i] > 200) return static_cast<bits<6>>(i);
  }
  return 63;
}

template <class Function>
bits<8> sumIf(const bits<8> (&bytes)[16], Function wanted) {
  bits<8> sum = 0;
  for (const bits<8>& byte : bytes) {
    if (wanted(byte)) sum = static_cast<bits<8>>(sum + byte);
  }
  return sum;
}

}  // namespace

void torture(const In& in, Out& out) {
  out.picked = in.bytes[static_cast<unsigned>(in.index)];
  for (unsigned i = 0; i < 16; ++i) out.written[i] = in.bytes[i];
  out.written[static_cast<unsigned>(in.index)] = static_cast<bits<8>>(in.bytes[0] + 1);
  if (in.flag) out.written[static_cast<unsigned>(in.index) ^ 1U] = 7;
  out.computed = compute(in.op, in.wide_a, in.wide_b);
  out.first_big = firstBig(in.bytes);
  out.odd_sum = sumIf(in.bytes, [](bits<8> byte) { return (byte & 1) != 0; });
  const Pair& source = in.pairs[in.flag ? 1 : 0];
  Pair copy = source;
  if (copy.left > 300) copy.right = static_cast<bits<5>>(copy.right + 1);
  out.chosen = copy;
  out.joined = join(in.wide_a, in.wide_b);
  bits<7> ones = 0;
  for (unsigned i = 0; i < 33; ++i) ones = static_cast<bits<7>>(ones + ((in.wide_a >> i) & 1));
  out.ones = ones;
  out.rotated = static_cast<bits<16>>((in.word << 5) | (in.word >> 11));
  const int x = static_cast<int>(in.word) - 30000, y = static_cast<int>(in.bytes[3]) * -100;
  out.less_signed = x < y;
  out.table_byte = kSquares[static_cast<unsigned>(in.bytes[1] & 15)];

  const FirstEntry first = lookup_first(in.bytes[2]);
  bits<11> looked_up = 5;
  if (first.valid) {
    const SecondEntry second = lookup_second(static_cast<bits<12>>((static_cast<bits<12>>(first.next) << 5) | in.op));
    looked_up = second.value;
  }
  out.looked_up = looked_up;

  out.early = 1;
  if (in.bytes[5] > 128) return;
  out.early = 2;
  if (in.flag) {
    if (in.bytes[6] > 128) return;
    out.early = 3;
  }
  out.early = static_cast<bits<3>>(out.early + 2);
}

}  // namespace torture
