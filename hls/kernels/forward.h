// SPDX-License-Identifier: Apache-2.0
// The card's forwarding program: header window and ingress metadata in, decision and edit list out.
#pragma once

#include "hls.h"

namespace poplink::kernels {

using hls::bits;

inline constexpr unsigned kHeaderBytes = 128;  ///< header window, bytes from the frame's start
inline constexpr unsigned kPrependBytes = 64;  ///< most bytes that an edit can put before the rest

/// Why a frame was not forwarded; 0 is "forwarded". Numbers and texts: drop_reasons.def.
enum class Drop : unsigned char {
  none = 0,
#define POPLINK_DROP(number, name, text) name = number,
#include "drop_reasons.def"
#undef POPLINK_DROP
};

/// Where a frame comes from, and for the host's own ones what `port` means.
enum class Origin : unsigned char {
  wire = 0,         ///< received on `port`
  to_port = 1,      ///< the host's, goes out of `port` as it is
  to_link = 2,      ///< the host's, goes out of link `port` as it is, by the port that the flow's hash chooses
  as_received = 3,  ///< the host's, treated as if received on `port`
};

/// Traffic classes between card and host: a ring each (docs/host-path.md).
enum class HostClass : unsigned char { slow_protocols = 0, routing = 1, bfd = 2, digests = 3 };

struct ForwardIn {
  bits<8> header[kHeaderBytes];  ///< bytes past the frame's end are unspecified and never influence the result
  bits<14> length;               ///< frame bytes without FCS, 60..9216
  bits<4> port;                  ///< ingress port, or what `origin` says
  bits<2> origin;                ///< an Origin
  bits<32> hash_seed;            ///< the card's own, so that cards in series choose independently
  bool hash_symmetric;           ///< both directions of a conversation hash alike
};

/// What the editor does to the frame: remove `strip` bytes from its start, then put data[0..prepend-1] before the rest.
struct Edit {
  bits<7> strip;                ///< 0..127, never more than the frame's length
  bits<7> prepend;              ///< 0..kPrependBytes
  bits<8> data[kPrependBytes];  ///< data[0] is first on the wire; bytes behind `prepend` mean nothing
};

struct ForwardOut {
  bits<6> drop;         ///< a Drop
  bits<4> egress_port;  ///< meaningful when drop is none
  bits<1> queue;        ///< 0 normal, 1 control: the host's own frames
  bool punt;            ///< a dropped frame that the host gets; `drop` says why
  bits<2> host_class;   ///< a HostClass; meaningful with `punt`
  bool service_valid;   ///< the frame belongs to `service`, forwarded or dropped
  bits<12> service;
  bool to_backbone;    ///< direction: from the customer's side to the backbone
  bits<10> group;      ///< the service's group of next hops
  bits<4> link;        ///< that the frame leaves on; meaningful when drop is none
  bits<12> flow_slot;  ///< of the flow's hash what chooses neither link nor port: to count distinct flows
  bits<32> hash;       ///< of the flow
  Edit edit;
};

/// One packet in, one decision out; no state between packets but the tables behind lookup_* (tables.h).
void forward(const ForwardIn& in, ForwardOut& out);

}  // namespace poplink::kernels
