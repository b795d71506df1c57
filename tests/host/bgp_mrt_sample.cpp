// SPDX-License-Identifier: Apache-2.0
// A table and a short log as MRT, to standard output, for another reader; bgp_bgpdump_test.py knows what is in it.
#include <cstdio>
#include <cstdlib>

#include "message_log.h"
#include "table_dump.h"
#include "update_builder.h"

using namespace poplink::host::bgp;

namespace {

constexpr Ipv6 kOnes{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

using Bytes = std::vector<std::uint8_t>;

constexpr mrt::Timestamp kTime = 1700000000;
constexpr Ipv6 kGlobal{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
constexpr Ipv6 kOurs{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
constexpr Ipv6 kLinkLocal{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
constexpr Ipv4 kFour = 0xc0000201;

void require(std::optional<mrt::Problem> problem) {
  if (problem) std::abort();
}

/// AS_PATH 65001 65001 4200000001, and most of what a route can have.
Bytes everyAttribute() {
  const Bytes base{0x40, 1, 1, 0, 0x40, 2, 0};
  const std::vector<AttributeChange> changes{
      {AttributeType::multi_exit_disc, Bytes{0, 0, 0, 10}},
      {AttributeType::local_pref, Bytes{0, 0, 0, 200}},
      {AttributeType::atomic_aggregate, Bytes{}},
      {AttributeType::aggregator, Bytes{0xfa, 0x56, 0xea, 1, 192, 0, 2, 9}},
      {AttributeType::communities, Bytes{0xfd, 0xe9, 0, 100, 0xff, 0xff, 0xff, 1}},
      {AttributeType::large_communities, Bytes{0xfa, 0x56, 0xea, 1, 0, 0, 0, 1, 0, 0, 0, 2}}};
  return withPrepended(withPrepended(withChanges(base, changes), 4200000001, 1), 65001, 2);
}

/// AS_PATH 65002, ORIGIN INCOMPLETE.
Bytes fewAttributes() {
  return withPrepended(Bytes{0x40, 1, 1, 2, 0x40, 2, 0}, 65002, 1);
}

void putTable(Bytes& file) {
  const std::vector<mrt::IndexedPeer> peers{{0x0a000001, kFour, 65001}, {0x0a000002, kGlobal, 4200000001}};
  require(mrt::putPeerIndexTable(file, kTime, {0x0a0000fe, "lab", peers}));
  const Bytes many = everyAttribute(), few = fewAttributes();
  std::uint32_t sequence = 0;
  for (unsigned bits = 0; bits <= 32; ++bits) {
    const auto length = static_cast<std::uint8_t>(bits);
    mrt::RibRecord record(file, kTime, sequence++, prefixOf(Ipv4{0xFFFF'FFFF}, length));
    require(record.add({0, kTime - 1, many, {kFour}}));
    require(record.add({1, kTime - 2, few, {kGlobal}}));
    record.end();
  }
  for (std::size_t bits = 0; bits <= 128; ++bits) {
    mrt::RibRecord record(file, kTime, sequence++, prefixOf(kOnes, static_cast<std::uint8_t>(bits)));
    require(record.add({0, kTime - 3, many, {kGlobal, kLinkLocal}}));
    require(record.add({1, kTime - 4, few, {kGlobal}}));
    record.end();
  }
}

void putLog(Bytes& file) {
  const mrt::SessionEnds four{65001, 4200000001, 0, kFour, Ipv4{0xc0000202}};
  const mrt::SessionEnds six{4200000001, 65001, 0, kGlobal, kOurs};
  require(mrt::putStateChange(file, kTime, four, mrt::SessionState::OpenConfirm, mrt::SessionState::Established));
  require(mrt::putStateChange(file, kTime, six, mrt::SessionState::Idle, mrt::SessionState::Active));
  const Bytes many = everyAttribute();
  UpdateBuilder routes = UpdateBuilder::announce(UpdateForm::ipv4, {kFour}, many);
  routes.add(Prefix4{0xc6336400, 24});
  require(mrt::putMessage(file, kTime + 1, four, routes.take()));
  UpdateBuilder routes6 = UpdateBuilder::announce(UpdateForm::ipv6_multiprotocol, {kGlobal}, many);
  routes6.add(Prefix6{{0x20, 1, 0xd, 0xb8}, 32});
  require(mrt::putMessage(file, kTime + 2, six, routes6.take()));
  UpdateBuilder gone = UpdateBuilder::withdraw(UpdateForm::ipv4);
  gone.add(Prefix4{0xc6336400, 24});
  require(mrt::putMessage(file, kTime + 3, four, gone.take()));
}

}  // namespace

int main() {
  Bytes file;
  putTable(file);
  putLog(file);
  return std::fwrite(file.data(), 1, file.size(), stdout) == file.size() ? 0 : 1;
}
