// SPDX-License-Identifier: Apache-2.0
// The tables that forward() reads. Every entry's first field is `valid`, so an all-zero memory never matches.
// The lookup_* functions are declared only: hlsc makes table ports of them, a test defines them over software tables.
#pragma once

#include "hls.h"

namespace poplink::kernels {

using hls::bits;

enum class Role : unsigned char { cross_connect = 0, vrack = 1, backbone = 2 };

/// By ingress port.
struct PortEntry {
  bool valid;
  bits<2> role;        ///< a Role
  bool collecting;     ///< IEEE 802.1AX Collecting; a port outside a LAG is always collecting
  bits<4> attachment;  ///< what the port plugs into: a customer's port or LAG, or an underlay link
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
  bits<4> customer_port;
  bits<4> backbone_port;
  bits<12> s_vid;   ///< pushed towards the backbone
  bits<16> s_tpid;  ///< of the pushed S-tag
  bits<3> pcp;      ///< of the pushed S-tag when the customer's frame has no tag
  bits<14> mtu;     ///< payload bytes behind the last customer tag, 9000 by default
};

PortEntry lookup_port(bits<4> port);
AttachmentEntry lookup_attachment(bits<4> attachment);
VidEntry lookup_vid(bits<16> attachment_and_vid);
ServiceEntry lookup_service(bits<12> service);

}  // namespace poplink::kernels
