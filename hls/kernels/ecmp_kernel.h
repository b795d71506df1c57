// SPDX-License-Identifier: Apache-2.0
// ECMP as a kernel of its own: a frame and its group in, the port out.
#pragma once

#include "ecmp.h"

namespace poplink::kernels {

struct EcmpIn {
  bits<8> header[kHeaderBytes];  ///< as forward()'s
  bits<14> length;
  bits<10> group;
  bits<32> seed;  ///< another one on every card, so that cards in series choose independently
  bool symmetric;
};

struct EcmpOut {
  bits<32> path_hash;
  bits<32> port_hash;
  bool found;  ///< else nothing of the group is alive, or it is not configured
  bits<4> link;
  bits<4> port;
};

void ecmp(const EcmpIn& in, EcmpOut& out);

}  // namespace poplink::kernels
