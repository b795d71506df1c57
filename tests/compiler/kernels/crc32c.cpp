// SPDX-License-Identifier: Apache-2.0
#include "crc32c.h"

namespace crc32c {

namespace {

constexpr bits<32> kPolynomial = 0x82F63B78;  // reflected Castagnoli

bits<32> crcOf(const bits<8> (&key)[37]) {
  bits<32> crc = 0xFFFFFFFF;
  for (const bits<8>& byte : key) {
    crc ^= byte;
    for (unsigned i = 0; i < 8; ++i) {
      if ((crc & 1) != 0)
        crc = (crc >> 1) ^ kPolynomial;
      else
        crc >>= 1;
    }
  }
  return ~crc;
}

}  // namespace

void crc32c(const In& in, Out& out) {
  const bits<32> crc = crcOf(in.key);
  out.crc = crc;
  out.seeded = crc ^ in.seed;
  out.folded = 0;
  for (const bits<8>& byte : in.key) out.folded ^= byte;
  out.ones = 0;
  for (const bits<8>& byte : in.key) {
    for (unsigned i = 0; i < 8; ++i) out.ones = static_cast<bits<9>>(out.ones + ((byte >> i) & 1));
  }
  out.members = static_cast<bits<6>>(__builtin_popcountg(in.seed & crc));
}

}  // namespace crc32c
