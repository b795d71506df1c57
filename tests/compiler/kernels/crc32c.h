// SPDX-License-Identifier: Apache-2.0
// What hash kernels are made of: a CRC32C over a flow's key, a fold of its bytes, a count of ones.
#pragma once

#include "hls.h"

namespace crc32c {

using hls::bits;

struct In {
  bits<8> key[37];  ///< 296 bits: two IPv6 addresses, ports, protocol
  bits<32> seed;
};

struct Out {
  bits<32> crc;
  bits<32> seeded;  ///< shares the CRC's network
  bits<8> folded;
  bits<9> ones;
  bits<6> members;
};

void crc32c(const In& in, Out& out);

}  // namespace crc32c
