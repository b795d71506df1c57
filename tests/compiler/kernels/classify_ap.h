// SPDX-License-Identifier: Apache-2.0
// The example of docs/hls.md, written against ap_uint<N>.
#pragma once

#include "hls_ap.h"

struct ClassifyIn {
  ap_uint<8> header[24];
  ap_uint<4> port;
};

struct ClassifyOut {
  ap_uint<3> pcp;
  bool mapped;
};

struct PcpEntry {
  bool valid;
  ap_uint<3> pcp;
};
PcpEntry lookup_pcp(ap_uint<10> key);

void classify(const ClassifyIn& in, ClassifyOut& out);
