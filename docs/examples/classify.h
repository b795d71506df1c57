// SPDX-License-Identifier: Apache-2.0
// The example of docs/hls.md: which priority does a frame get?
#pragma once

#include "hls.h"

struct ClassifyIn {
  hls::bits<8> header[24];  ///< the frame's first bytes
  hls::bits<4> port;
};

struct ClassifyOut {
  hls::bits<3> pcp;
  bool mapped;  ///< pcp is the table's, not the tag's
};

/// Table `pcp`, one entry for each port and DSCP.
struct PcpEntry {
  bool valid;
  hls::bits<3> pcp;
};
PcpEntry lookup_pcp(hls::bits<10> key);  ///< {port, DSCP}

void classify(const ClassifyIn& in, ClassifyOut& out);
