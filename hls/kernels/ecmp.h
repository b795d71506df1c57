// SPDX-License-Identifier: Apache-2.0
// From a group of next hops to a port, resiliently: the flow's hash picks a bucket, the bucket names its member and who
// stands in for it. Liveness is the card's own and asked for late, so a link that goes down changes the decision within
// a few cycles, without a host; only the flows of the dead member move, and they move back when it returns.
#pragma once

#include "flow_hash.h"

namespace poplink::kernels {

inline constexpr unsigned kMembers = 16;       ///< a card has at most 16 underlay links, a LAG at most 16 ports
inline constexpr unsigned kLagBucketBits = 8;  ///< buckets of each LAG: 256

/// By group of next hops.
struct GroupEntry {
  bool valid;
  bits<16> links;       ///< one bit per underlay link that is a member
  bits<16> base;        ///< first bucket
  bits<4> log_buckets;  ///< 6 to 12: 64 to 4096 buckets, a power of two
};

/// A share of the flows. The host fills `link` by weight, and the stand-ins so that a dead member's share spreads by
/// weight too.
struct BucketEntry {
  bool valid;
  bits<4> link;
  bits<4> second;  ///< when `link` is dead
  bits<4> third;   ///< when both are
};

/// By {link, hash[7:0]}. A link that is one port has its buckets too.
struct LagEntry {
  bool valid;
  bits<4> port;
  bits<4> second;
  bits<4> third;
};

// The two liveness tables are no memories: the card answers from its link states in the cycle of the question.
struct LinksEntry {
  bits<16> live;  ///< those of the links asked for that have a live port
};
struct PortsEntry {
  bits<16> live;  ///< ports of the link that are up, enabled and Distributing
};

GroupEntry lookup_group(bits<10> group);
BucketEntry lookup_bucket(bits<16> bucket);
LinksEntry lookup_links(bits<16> links);
LagEntry lookup_lag(bits<12> link_and_hash);
PortsEntry lookup_ports(bits<4> link);

struct Choice {
  bool found;
  bits<4> member;
};

inline bool isLive(bits<16> live, bits<4> member) {
  return static_cast<bits<1>>(live >> static_cast<unsigned>(member)) != 0;
}

/// The first live member from a start that the hash picks, in a circle: when another member dies, nobody else moves.
inline Choice anyLive(bits<16> live, bits<4> start) {
  const bits<32> twice = static_cast<bits<32>>((static_cast<bits<32>>(live) << 16) | live);
  bits<16> rest = static_cast<bits<16>>(twice >> static_cast<unsigned>(start));
  bits<4> steps = 0;
  for (unsigned half = 8; half != 0; half /= 2) {
    const bool none = (rest & ((1U << half) - 1)) == 0;
    if (none) {
      steps = static_cast<bits<4>>(steps + half);
      rest = static_cast<bits<16>>(rest >> half);
    }
  }
  return {live != 0, static_cast<bits<4>>(start + steps)};
}

/// The bucket's member, or who stands in, or, with all three dead, any live one.
inline Choice choose(bits<16> live, bits<4> first, bits<4> second, bits<4> third, bits<4> start) {
  if (isLive(live, first)) return {true, first};
  if (isLive(live, second)) return {true, second};
  if (isLive(live, third)) return {true, third};
  return anyLive(live, start);
}

inline bits<16> bucketOf(const GroupEntry& group, bits<32> hash) {
  const bits<12> mask =
      static_cast<bits<12>>((static_cast<bits<13>>(1) << static_cast<unsigned>(group.log_buckets)) - 1);
  return static_cast<bits<16>>(group.base + (static_cast<bits<12>>(hash) & mask));
}

}  // namespace poplink::kernels
