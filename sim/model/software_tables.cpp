// SPDX-License-Identifier: Apache-2.0
#include "software_tables.h"

#include <cassert>

namespace poplink {

namespace {
thread_local const sim::SoftwareTables* in_use = nullptr;
}  // namespace

namespace kernels {

PortEntry lookup_port(bits<4> port) {
  PortEntry entry = in_use->port[static_cast<unsigned>(port)];
  if ((in_use->held_ports >> static_cast<unsigned>(port) & 1) != 0) entry.collecting = false;
  return entry;
}
AttachmentEntry lookup_attachment(bits<4> attachment) {
  return in_use->attachment[static_cast<unsigned>(attachment)];
}
VidEntry lookup_vid(bits<16> attachment_and_vid) {
  return in_use->vid[static_cast<unsigned>(attachment_and_vid)];
}
ServiceEntry lookup_service(bits<12> service) {
  return in_use->service[static_cast<unsigned>(service)];
}
GroupEntry lookup_group(bits<10> group) {
  return in_use->group[static_cast<unsigned>(group)];
}
BucketEntry lookup_bucket(bits<16> bucket) {
  return in_use->bucket[static_cast<unsigned>(bucket)];
}
LiveEntry lookup_live(bits<16> links) {
  return {static_cast<bits<16>>(links & in_use->liveLinks())};
}
LagEntry lookup_lag(bits<12> link_and_hash) {
  return in_use->lag[static_cast<unsigned>(link_and_hash)];
}
LinkEntry lookup_link(bits<4> link) {
  const auto number = static_cast<unsigned>(link);
  return {in_use->link[number].valid, in_use->livePorts(number)};
}

}  // namespace kernels

namespace sim {

TablesInUse::TablesInUse(const SoftwareTables& tables) {
  assert(in_use == nullptr);
  in_use = &tables;
}

TablesInUse::~TablesInUse() {
  in_use = nullptr;
}

}  // namespace sim
}  // namespace poplink
