// SPDX-License-Identifier: Apache-2.0
#include "ecmp_kernel.h"

namespace poplink::kernels {

// Three rounds of lookups: the group; its bucket beside the links' liveness; the LAG's bucket beside its ports'
// liveness.
void ecmp(const EcmpIn& in, EcmpOut& out) {
  const Parsed parsed = parse(in.header, kSTpid);
  const FlowHash hash = flowHash(flowKey(in.header, parsed, in.length, in.symmetric), in.seed, in.symmetric);

  const GroupEntry group = lookup_group(in.group);
  const BucketEntry bucket = lookup_bucket(bucketOf(group, hash.path));
  const LinksEntry links = lookup_links(group.links);
  const Choice link =
      choose(links.live, bucket.link, bucket.second, bucket.third, static_cast<bits<4>>(hash.path >> 28));

  const bits<8> lag_bucket = static_cast<bits<8>>(hash.port);
  const LagEntry lag =
      lookup_lag(static_cast<bits<12>>((static_cast<bits<12>>(link.member) << kLagBucketBits) | lag_bucket));
  const PortsEntry ports = lookup_ports(link.member);
  const Choice port = choose(ports.live, lag.port, lag.second, lag.third, static_cast<bits<4>>(hash.port >> 28));

  out.path_hash = hash.path;
  out.port_hash = hash.port;
  out.found = group.valid && bucket.valid && link.found && lag.valid && port.found;
  out.link = link.member;
  out.port = port.member;
}

}  // namespace poplink::kernels
