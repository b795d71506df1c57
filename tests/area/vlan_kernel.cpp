// SPDX-License-Identifier: Apache-2.0
// VLAN tagging alone, for its area: one S-tag in front of a header, or one taken away.
#include "vlan.h"

namespace poplink::kernels {

struct VlanIn {
  bits<8> header[kHeaderBytes];
  bool push;
  bits<16> s_tpid;
  bits<12> s_vid;
  bits<3> pcp_untagged;
};
struct VlanOut {
  Edit edit;
};

void vlan(const VlanIn& in, VlanOut& out) {
  const bits<16> tci = wordAt(in.header, 14);
  const Tag outer = {wordAt(in.header, 12), static_cast<bits<3>>(tci >> 13), static_cast<bits<1>>(tci >> 12),
                     static_cast<bits<12>>(tci)};
  const bool tagged = isTpid(outer.tpid, in.s_tpid);
  editSTag(in.header, in.push, in.s_tpid, sTagTci(tagged, outer, in.pcp_untagged, in.s_vid), out.edit);
}

}  // namespace poplink::kernels
