// SPDX-License-Identifier: Apache-2.0
// Ethernet header and up to three VLAN tags (IEEE 802.1Q-2022 clause 9): an S-tag of ours and two of the customer's.
#pragma once

#include "forward.h"

namespace poplink::kernels {

inline constexpr unsigned kCTpid = 0x8100;
inline constexpr unsigned kSTpid = 0x88A8;
inline constexpr unsigned kMaxTags = 3;

struct Tag {
  bits<16> tpid;
  bits<3> pcp;
  bits<1> dei;
  bits<12> vid;
};

struct Parsed {
  bits<48> destination;
  bits<2> tags;  ///< how many of `tag` are there; a fourth and later tag counts as payload
  Tag tag[kMaxTags];
  bits<16> ethertype;  ///< behind the parsed tags
};

inline bits<16> wordAt(const bits<8> (&header)[kHeaderBytes], unsigned offset) {
  return static_cast<bits<16>>((static_cast<bits<16>>(header[offset]) << 8) | header[offset + 1]);
}

/// A tag's TPID: 802.1Q C-tag, 802.1ad S-tag, or the port's own S-TPID (0x9100 on older equipment).
inline bool isTpid(bits<16> word, bits<16> s_tpid) {
  return word == kCTpid || word == kSTpid || word == s_tpid;
}

/// A frame of 60 bytes or more holds an Ethernet header with three tags, so no length is needed here.
inline Parsed parse(const bits<8> (&header)[kHeaderBytes], bits<16> s_tpid) {
  Parsed parsed{};
  for (unsigned i = 0; i < 6; ++i) {
    parsed.destination = static_cast<bits<48>>((parsed.destination << 8) | header[i]);
  }
  bool more = true;
  for (unsigned i = 0; i < kMaxTags; ++i) {
    const unsigned at = 12 + 4 * i;
    const bits<16> word = wordAt(header, at);
    const bits<16> tci = wordAt(header, at + 2);
    more = more && isTpid(word, s_tpid);
    if (more) parsed.tags = static_cast<bits<2>>(i + 1);
    parsed.tag[i] =
        Tag{word, static_cast<bits<3>>(tci >> 13), static_cast<bits<1>>(tci >> 12), static_cast<bits<12>>(tci)};
  }
  parsed.ethertype = wordAt(header, 12);
  for (unsigned i = 0; i < kMaxTags; ++i) {
    if (parsed.tags == i + 1) parsed.ethertype = wordAt(header, 16 + 4 * i);
  }
  return parsed;
}

}  // namespace poplink::kernels
