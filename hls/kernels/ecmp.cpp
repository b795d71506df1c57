// SPDX-License-Identifier: Apache-2.0
#include "ecmp_kernel.h"

namespace poplink::kernels {

void ecmp(const EcmpIn& in, EcmpOut& out) {
  const Parsed parsed = parse(in.header, kSTpid);
  const FlowHash hash = flowHash(flowKey(in.header, parsed, in.length, in.symmetric), in.seed, in.symmetric);
  const Choice link = chooseLink(lookup_group(in.group), hash.path);
  const Choice port = choosePort(link.member, hash.port);

  out.path_hash = hash.path;
  out.port_hash = hash.port;
  out.found = link.found && port.found;
  out.link = link.member;
  out.port = port.member;
}

}  // namespace poplink::kernels
