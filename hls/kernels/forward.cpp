// SPDX-License-Identifier: Apache-2.0
#include "forward.h"

#include "ecmp.h"
#include "link_local.h"
#include "parse.h"
#include "service.h"
#include "tables.h"
#include "vlan.h"

namespace poplink::kernels {

namespace {

/// Bytes behind the last customer tag; at most two customer tags count as tags, further ones as payload.
bits<14> payloadBytes(bits<14> length, bits<2> tags, bool from_backbone) {
  const bits<2> customer_tags = from_backbone ? static_cast<bits<2>>(tags - 1) : (tags == 3 ? bits<2>(2) : tags);
  const bits<14> behind = static_cast<bits<14>>(14 + (from_backbone ? 4 : 0));
  return static_cast<bits<14>>(length - behind - (static_cast<bits<14>>(customer_tags) << 2));
}

}  // namespace

// Six dependent rounds of lookups: port; attachment and VID side by side; service; group; bucket and liveness of links;
// LAG bucket and liveness of ports. The first rule that holds is the drop reason.
void forward(const ForwardIn& in, ForwardOut& out) {
  const PortEntry port = lookup_port(in.port);
  const bits<12> outer_vid = static_cast<bits<12>>(wordAt(in.header, 14));
  const VidEntry by_vid = lookup_vid(vidKey(port.attachment, outer_vid));
  const AttachmentEntry attachment = lookup_attachment(port.attachment);

  const Parsed parsed = parse(in.header, port.s_tpid);
  const bool to_port = in.origin == static_cast<unsigned>(Origin::to_port);
  const bool to_link = in.origin == static_cast<unsigned>(Origin::to_link);
  const bool of_host = to_port || to_link;  // and goes out as it is
  const bool from_backbone = port.role == static_cast<unsigned>(Role::backbone);
  const bool tagged = parsed.tags != 0;
  const bool s_tagged = parsed.tag[0].tpid == port.s_tpid;
  const ServiceChoice choice =
      from_backbone ? backboneService(by_vid) : customerService(tagged && outer_vid != 0, by_vid, attachment);
  const ServiceEntry service = lookup_service(choice.service);

  // Towards the backbone the group chooses the link, towards the customer there is only one.
  const FlowHash hash =
      flowHash(flowKey(in.header, parsed, in.length, in.hash_symmetric), in.hash_seed, in.hash_symmetric);
  const GroupEntry group = lookup_group(service.group);
  const Choice to_backbone = chooseLink(group, hash.path);
  const Choice customer = from_backbone ? Choice{true, service.attachment} : to_backbone;
  const Choice link = to_link ? Choice{true, in.port} : customer;
  const Choice of_link = choosePort(link.member, hash.port);
  const Choice egress = to_port ? Choice{true, in.port} : of_link;

  const bits<14> payload = payloadBytes(in.length, parsed.tags, from_backbone);

  const Drop link_local = linkLocal(parsed.destination, wordAt(in.header, 12));
  Drop drop = Drop::none;
  bool belongs = false;
  if (of_host) {
    if (!egress.found) drop = Drop::no_path;
  } else if (link_local != Drop::none) {
    drop = link_local;
  } else if (!port.valid) {
    drop = Drop::port_off;
  } else if (!port.collecting) {
    drop = Drop::not_collecting;
  } else if (port.role == static_cast<unsigned>(Role::host)) {
    drop = Drop::host_port;
  } else if (from_backbone && !s_tagged) {
    drop = Drop::untagged_on_backbone;
  } else if (tagged && outer_vid == 0xFFF) {
    drop = Drop::reserved_vid;
  } else if (isUnsupported(parsed.ethertype)) {
    drop = Drop::unsupported_protocol;
  } else if (!choice.found) {
    drop = Drop::no_service;
  } else if (!service.valid) {
    drop = Drop::service_off;
  } else if (!from_backbone && service.attachment != port.attachment) {
    drop = Drop::wrong_side;
  } else {
    belongs = true;
    if (payload > service.mtu)
      drop = Drop::mtu;
    else if (!from_backbone && !group.valid)
      drop = Drop::no_group;
    else if (!link.found || !egress.found)
      drop = Drop::no_path;
  }

  out.drop = static_cast<bits<6>>(drop);
  out.egress_port = egress.member;
  out.queue = of_host ? 1 : 0;
  out.punt = drop == Drop::slow_protocol || drop == Drop::host_port;
  out.host_class = static_cast<bits<2>>(drop == Drop::slow_protocol ? HostClass::slow_protocols : HostClass::routing);
  out.service_valid = belongs;
  out.service = choice.service;
  out.to_backbone = !from_backbone && !of_host;
  out.group = service.group;
  out.link = link.member;
  out.flow_slot = flowSlot(hash);
  out.hash = hash.path;
  editSTag(in.header, !from_backbone, service.s_tpid, sTagTci(tagged, parsed.tag[0], service.pcp, service.s_vid),
           out.edit);
  if (of_host) out.edit.strip = out.edit.prepend = 0;
}

}  // namespace poplink::kernels
