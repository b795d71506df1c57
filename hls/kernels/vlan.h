// SPDX-License-Identifier: Apache-2.0
// VLAN tagging as edit lists: push or pop one S-tag (IEEE 802.1ad, now 802.1Q-2022 clause 9.5) right behind the
// addresses. Customer tags stay where they are.
#pragma once

#include "parse.h"

namespace poplink::kernels {

inline constexpr unsigned kAddressBytes = 12;
inline constexpr unsigned kTagBytes = 4;

/// The S-tag's TCI: service's VID; PCP and DEI of the customer's outer tag, or the service's PCP when there is none.
inline bits<16> sTagTci(bool customer_tagged, const Tag& outer, bits<3> pcp_untagged, bits<12> s_vid) {
  const bits<3> pcp = customer_tagged ? outer.pcp : pcp_untagged;
  const bits<1> dei = customer_tagged ? outer.dei : bits<1>(0);
  return static_cast<bits<16>>((static_cast<bits<16>>(pcp) << 13) | (static_cast<bits<16>>(dei) << 12) | s_vid);
}

/// Push (or else pop) the S-tag: both keep the addresses, so they are prepended either way and only the lengths differ.
inline void editSTag(const bits<8> (&header)[kHeaderBytes], bool push, bits<16> s_tpid, bits<16> tci, Edit& edit) {
  edit.strip = static_cast<bits<7>>(push ? kAddressBytes : kAddressBytes + kTagBytes);
  edit.prepend = static_cast<bits<7>>(push ? kAddressBytes + kTagBytes : kAddressBytes);
  for (unsigned i = 0; i < kAddressBytes; ++i) edit.data[i] = header[i];
  edit.data[12] = static_cast<bits<8>>(s_tpid >> 8);
  edit.data[13] = static_cast<bits<8>>(s_tpid);
  edit.data[14] = static_cast<bits<8>>(tci >> 8);
  edit.data[15] = static_cast<bits<8>>(tci);
  for (unsigned i = kAddressBytes + kTagBytes; i < kPrependBytes; ++i) edit.data[i] = 0;
}

}  // namespace poplink::kernels
