// SPDX-License-Identifier: Apache-2.0
#include "classify.h"

using hls::bits;

namespace {

struct Dscp {
  bool found;
  bits<6> value;
};

bits<16> wordAt(const bits<8> (&header)[24], unsigned at) {
  return static_cast<bits<16>>((static_cast<bits<16>>(header[at]) << 8) | header[at + 1]);
}

/// Of the packet whose EtherType stands at `at`.
Dscp dscpAt(const bits<8> (&header)[24], unsigned at) {
  const bits<8> first = header[at + 2], second = header[at + 3];
  switch (static_cast<unsigned>(wordAt(header, at))) {
    case 0x0800:  // IPv4: RFC 791, 3.1
      return {true, static_cast<bits<6>>(second >> 2)};
    case 0x86DD:  // IPv6: RFC 8200, 3
      return {true, static_cast<bits<6>>(((first & 15) << 2) | (second >> 6))};
    default:
      return {false, 0};
  }
}

}  // namespace

void classify(const ClassifyIn& in, ClassifyOut& out) {
  const bool has_tag = wordAt(in.header, 12) == 0x8100;
  out.pcp = has_tag ? static_cast<bits<3>>(in.header[14] >> 5) : bits<3>{0};
  out.mapped = false;
  const Dscp dscp = has_tag ? dscpAt(in.header, 16) : dscpAt(in.header, 12);
  if (dscp.found) {
    const bits<10> key = static_cast<bits<10>>((static_cast<bits<10>>(in.port) << 6) | dscp.value);
    const PcpEntry entry = lookup_pcp(key);
    if (entry.valid) {
      out.pcp = entry.pcp;
      out.mapped = true;
    }
  }
}
