// SPDX-License-Identifier: Apache-2.0
// From a group of next hops to a port, resiliently: the flow's hash picks a bucket, the bucket names its member and who
// stands in for it. Liveness is the card's own and asked for late, so a link that goes down changes the decision within
// a few cycles, without a host; only the flows of the dead member move, and they move back when it returns.
#pragma once

#include "flow_hash.h"
#include "tables.h"

namespace poplink::kernels {

inline constexpr unsigned kLagBucketBits = 8;  ///< buckets of each LAG: 256

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

/// The bucket's member, or who stands in, or, with all three dead or no bucket there, any live one.
inline Choice choose(bits<16> live, bool there, bits<4> first, bits<4> second, bits<4> third, bits<4> start) {
  if (there && isLive(live, first)) return {true, first};
  if (there && isLive(live, second)) return {true, second};
  if (there && isLive(live, third)) return {true, third};
  return anyLive(live, start);
}

inline bits<16> bucketOf(const GroupEntry& group, bits<32> hash) {
  const bits<12> mask =
      static_cast<bits<12>>((static_cast<bits<13>>(1) << static_cast<unsigned>(group.log_buckets)) - 1);
  return static_cast<bits<16>>(group.base + (static_cast<bits<12>>(hash) & mask));
}

/// The link that carries the flow. Two rounds of lookups: the group; its bucket beside the links' liveness.
inline Choice chooseLink(const GroupEntry& group, bits<32> hash) {
  const BucketEntry bucket = lookup_bucket(bucketOf(group, hash));
  const LiveEntry live = lookup_live(group.links);
  const Choice link =
      choose(live.links, bucket.valid, bucket.link, bucket.second, bucket.third, static_cast<bits<4>>(hash >> 28));
  return {group.valid && link.found, link.member};
}

/// The port of a link, in one round of lookups: its bucket beside its live ports.
inline Choice choosePort(bits<4> link, bits<32> hash) {
  const LagEntry lag =
      lookup_lag(static_cast<bits<12>>((static_cast<bits<12>>(link) << kLagBucketBits) | static_cast<bits<8>>(hash)));
  const LinkEntry of_link = lookup_link(link);
  const Choice port =
      choose(of_link.ports, lag.valid, lag.port, lag.second, lag.third, static_cast<bits<4>>(hash >> 28));
  return {of_link.valid && port.found, port.member};
}

/// Bits of the hash that no choice uses: neither bucket (bits 7 to 0 of this hash, 11 to 0 of the other) nor start (31
/// to 28). So the flows of a link, whatever brought them there, fall evenly on all slots.
inline bits<12> flowSlot(const FlowHash& hash) {
  return static_cast<bits<12>>(hash.port >> 16);
}

}  // namespace poplink::kernels
