// SPDX-License-Identifier: Apache-2.0
#include "classify_ap.h"

namespace {

struct Dscp {
  bool found;
  ap_uint<6> value;
};

ap_uint<16> wordAt(const ap_uint<8> (&header)[24], unsigned at) {
  return (header[at], header[at + 1]);
}

Dscp dscpAt(const ap_uint<8> (&header)[24], unsigned at) {
  const ap_uint<8> first = header[at + 2], second = header[at + 3];
  switch (wordAt(header, at)) {
    case 0x0800:
      return {true, second.range(7, 2)};
    case 0x86DD:
      return {true, (first.range(3, 0), second(7, 6))};
    default:
      return {false, 0};
  }
}

}  // namespace

void classify(const ClassifyIn& in, ClassifyOut& out) {
  const bool has_tag = wordAt(in.header, 12) == 0x8100;
  out.pcp = has_tag ? ap_uint<3>(in.header[14].range(7, 5)) : ap_uint<3>(0);
  out.mapped = false;
  const Dscp dscp = has_tag ? dscpAt(in.header, 16) : dscpAt(in.header, 12);
  if (dscp.found) {
    const ap_uint<6> value = dscp.value;
    const ap_uint<10> key = (in.port, value);
    const PcpEntry entry = lookup_pcp(key);
    if (entry.valid) {
      out.pcp = entry.pcp;
      out.mapped = true;
    }
  }
}
