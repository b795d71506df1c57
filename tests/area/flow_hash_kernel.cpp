// SPDX-License-Identifier: Apache-2.0
// The flow hash alone, for its area.
#include "flow_hash.h"

namespace poplink::kernels {

struct HashIn {
  bits<32> source[4];
  bits<32> destination[4];
  bits<16> source_port;
  bits<16> destination_port;
  bits<32> rest;
  bits<32> seed;
  bool symmetric;
};
struct HashOut {
  bits<32> path;
  bits<32> port;
};

void flow_hash(const HashIn& in, HashOut& out) {
  FlowKey key{};
  for (unsigned i = 0; i < 4; ++i) {
    key.source.address[i] = in.source[i];
    key.destination.address[i] = in.destination[i];
  }
  key.source.port = in.source_port;
  key.destination.port = in.destination_port;
  key.rest = in.rest;
  const FlowHash hash = flowHash(key, in.seed, in.symmetric);
  out.path = hash.path;
  out.port = hash.port;
}

}  // namespace poplink::kernels
