// SPDX-License-Identifier: Apache-2.0
#include "ecmp_model.h"

#include <cassert>

namespace poplink {

namespace {
const tests::EcmpTables* in_use = nullptr;
}  // namespace

namespace kernels {

GroupEntry lookup_group(bits<10> group) {
  return in_use->group[static_cast<unsigned>(group)];
}
BucketEntry lookup_bucket(bits<16> bucket) {
  return in_use->bucket[static_cast<unsigned>(bucket)];
}
LagEntry lookup_lag(bits<12> link_and_hash) {
  return in_use->lag[static_cast<unsigned>(link_and_hash)];
}
LiveEntry lookup_live(bits<16> links) {
  return {static_cast<bits<16>>(links & in_use->liveLinks())};
}
LinkEntry lookup_link(bits<4> link) {
  const auto number = static_cast<unsigned>(link);
  return {in_use->link[number].valid, in_use->livePorts(number)};
}

}  // namespace kernels

namespace tests {

EcmpTablesInUse::EcmpTablesInUse(const EcmpTables& tables) {
  assert(in_use == nullptr);
  in_use = &tables;
}
EcmpTablesInUse::~EcmpTablesInUse() {
  in_use = nullptr;
}

}  // namespace tests
}  // namespace poplink
