// SPDX-License-Identifier: Apache-2.0
// What the kernels ask: the tables, and which links are alive. A table entry's first field is `valid`, so an all-zero
// memory never matches. The lookup_* functions are declared only: hlsc makes ports of them, a test defines them over
// software tables.
#pragma once

#include "hls.h"

namespace poplink::kernels {

using hls::bits;

/// `host`: every frame of the port goes to the host, which has it as a network interface of its own.
enum class Role : unsigned char { cross_connect = 0, vrack = 1, backbone = 2, host = 3 };

/// By ingress port.
struct PortEntry {
  bool valid;
  bits<2> role;        ///< a Role
  bool collecting;     ///< IEEE 802.1AX Collecting; a port outside a LAG is always collecting
  bits<4> attachment;  ///< the link that the port belongs to: a customer's port or LAG, or an underlay link
  bits<16> s_tpid;     ///< TPID of S-tags on this port, 0x88A8 unless set
};

/// By attachment: services that are not chosen by VLAN id.
struct AttachmentEntry {
  bool valid;
  bool untagged_valid;
  bits<12> untagged_service;  ///< of frames without a tag or with a priority tag (VID 0)
  bool whole_valid;
  bits<12> whole_service;  ///< of every frame that no other rule takes
};

/// By {attachment, outer VLAN id}: C-VID or S-VID on a customer's attachment, S-VID on an underlay link.
struct VidEntry {
  bool valid;
  bits<12> service;
};

struct ServiceEntry {
  bool valid;
  bits<4> attachment;  ///< the customer's side
  bits<10> group;      ///< of next hops towards the other site
  bits<12> s_vid;      ///< pushed towards the backbone
  bits<16> s_tpid;     ///< of the pushed S-tag
  bits<3> pcp;         ///< of the pushed S-tag when the customer's frame has no tag
  bits<14> mtu;        ///< payload bytes behind the last customer tag, 9000 by default
};

/// By group of next hops.
struct GroupEntry {
  bool valid;
  bits<16> links;       ///< one bit per underlay link that is a member
  bits<16> base;        ///< first bucket
  bits<4> log_buckets;  ///< 6 to 12: 64 to 4096 buckets, a power of two
};

/// A share of a group's flows. The host fills `link` by weight, and the stand-ins so that a dead member's share spreads
/// by weight too. The flows of a bucket that is not valid take any live member.
struct BucketEntry {
  bool valid;
  bits<4> link;
  bits<4> second;  ///< when `link` is dead
  bits<4> third;   ///< when both are
};

/// By {link, hash[7:0]}: a share of the flows on a LAG. A link of one port needs none.
struct LagEntry {
  bool valid;
  bits<4> port;
  bits<4> second;
  bits<4> third;
};

/// By link. No memory: the card shows the host what it wrote, and a kernel only the ports that are up and enabled.
struct LinkEntry {
  bool valid;
  bits<16> ports;  ///< one bit per port that is Distributing (IEEE 802.1AX); a port outside a LAG always is
};

/// Of some links, those with a live port. No table: the card answers from its link states.
struct LiveEntry {
  bits<16> links;
};

PortEntry lookup_port(bits<4> port);
AttachmentEntry lookup_attachment(bits<4> attachment);
VidEntry lookup_vid(bits<16> attachment_and_vid);
ServiceEntry lookup_service(bits<12> service);
GroupEntry lookup_group(bits<10> group);
BucketEntry lookup_bucket(bits<16> bucket);
HLS_LATENCY(1) LiveEntry lookup_live(bits<16> links);
LagEntry lookup_lag(bits<12> link_and_hash);
HLS_LATENCY(1) LinkEntry lookup_link(bits<4> link);

}  // namespace poplink::kernels
