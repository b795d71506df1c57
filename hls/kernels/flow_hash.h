// SPDX-License-Identifier: Apache-2.0
// A 32-bit hash of a flow: every bit of the key and of the seed moves every bit of the result with probability one half
// (measured by tests/kernels/flow_hash_test.cpp). Built of one function that is a single level of 6-input tables per
// bit and a handful of word operations in a simulation; a CRC is cheaper in neither, and linear: two cards in series
// would polarise.
#pragma once

#include "flow_key.h"

namespace poplink::kernels {

template <unsigned N>
inline bits<32> rotate(bits<32> x) {
  return static_cast<bits<32>>((x << N) | (x >> (32 - N)));
}

inline bits<32> mix(bits<32> x) {
  return static_cast<bits<32>>(x ^ (rotate<7>(x) & rotate<13>(x)) ^ rotate<22>(x));
}

/// Of one side; both sides by the same function, so that a symmetric hash can add them in either order.
inline bits<32> hashEndpoint(const Endpoint& endpoint, bits<32> seed) {
  const bits<32>(&word)[4] = endpoint.address;
  const bits<32> ports = static_cast<bits<32>>((static_cast<bits<32>>(endpoint.port) << 16) | endpoint.port);
  const bits<32> high = mix(static_cast<bits<32>>(mix(static_cast<bits<32>>(word[0] ^ seed)) ^ rotate<11>(word[1])));
  const bits<32> low =
      mix(static_cast<bits<32>>(mix(static_cast<bits<32>>(word[3] ^ rotate<16>(seed))) ^ rotate<11>(word[2])));
  const bits<32> address = mix(static_cast<bits<32>>(mix(low) ^ rotate<9>(high)));
  return mix(mix(static_cast<bits<32>>(mix(address) ^ rotate<5>(ports))));
}

/// Rounds that leave no trace of which key bit came in where.
inline bits<32> finish(bits<32> x, bits<32> seed) {
  x = mix(static_cast<bits<32>>(mix(x) ^ seed));
  x = mix(static_cast<bits<32>>(x ^ 0x9E37'79B9U));
  return mix(mix(mix(x)));
}

struct FlowHash {
  bits<32> path;  ///< chooses among next hops
  bits<32> port;  ///< chooses a member within a LAG; tells nothing about `path`
};

/// `symmetric`: both directions of a conversation get the same hash.
inline FlowHash flowHash(const FlowKey& key, bits<32> seed, bool symmetric) {
  const bits<32> source = hashEndpoint(key.source, seed), destination = hashEndpoint(key.destination, seed);
  const bits<32> both = static_cast<bits<32>>(symmetric ? source ^ destination : mix(source) ^ rotate<9>(destination));
  const bits<32> flow = mix(static_cast<bits<32>>(mix(both) ^ key.rest ^ rotate<13>(key.rest)));
  return {finish(flow, seed), finish(flow, static_cast<bits<32>>(~rotate<8>(seed)))};
}

}  // namespace poplink::kernels
