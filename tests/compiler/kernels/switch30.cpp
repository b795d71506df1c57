// SPDX-License-Identifier: Apache-2.0
#include "switch30.h"

namespace switch30 {

namespace {

bits<32> choose(const In& in) {
  switch (static_cast<unsigned>(in.op)) {
    case 3:
      return in.value[0];
    case 10:
      return in.value[1];
    case 17:
      return in.value[2];
    case 24:
      return in.value[3];
    case 31:
      return in.value[4];
    case 38:
      return in.value[5];
    case 45:
      return in.value[6];
    case 52:
      return in.value[7];
    case 59:
      return in.value[8];
    case 5:
      return in.value[9];
    case 12:
      return in.value[10];
    case 19:
      return in.value[11];
    case 26:
      return in.value[12];
    case 33:
      return in.value[13];
    case 40:
      return in.value[14];
    case 47:
      return in.value[15];
    case 54:
      return in.value[16];
    case 0:
      return in.value[17];
    case 7:
      return in.value[18];
    case 14:
      return in.value[19];
    case 21:
      return in.value[20];
    case 28:
      return in.value[21];
    case 35:
      return in.value[22];
    case 42:
      return in.value[23];
    case 49:
      return in.value[24];
    case 56:
      return in.value[25];
    case 2:
      return in.value[26];
    case 9:
      return in.value[27];
    case 16:
      return in.value[28];
    case 23:
      return in.value[29];
    default:
      return 0xFFFFFFFF;
  }
}

}  // namespace

void switch30(const In& in, Out& out) {
  out.chosen = choose(in);
  const bits<16> late = static_cast<bits<16>>(static_cast<bits<16>>(in.first + in.second) - (in.first & 0xFF));
  out.matched = late;
  for (unsigned i = 0; i < 12; ++i) {
    if (static_cast<bits<16>>(in.value[i]) == in.first) {
      out.matched = static_cast<bits<16>>(in.value[i] >> 16);
      return;
    }
  }
}

}  // namespace switch30
