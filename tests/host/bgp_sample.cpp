// SPDX-License-Identifier: Apache-2.0
// One message of each kind as the codec writes it, for another dissector to read: a name and hexadecimal octets a line.
#include <cstdio>

#include "open.h"
#include "route_refresh.h"
#include "update_builder.h"

using namespace poplink::host::bgp;

namespace {

void print(const char* name, Octets message) {
  std::printf("%s ", name);
  for (const std::uint8_t octet : message) std::printf("%02x", octet);
  std::printf("\n");
}

Open open() {
  Open open;
  open.two_octet_asn = kAsTrans;
  open.hold_seconds = 90;
  open.router_id = 0xc0000201;
  Capabilities& capabilities = open.capabilities;
  capabilities.families = {kIpv4Unicast, kIpv6Unicast};
  capabilities.four_octet_asn = 4200000001;
  capabilities.route_refresh = capabilities.enhanced_route_refresh = capabilities.extended_next_hop = true;
  capabilities.graceful_restart = GracefulRestart{true, false, 120, {{kIpv4Unicast, true}}};
  capabilities.role = BgpRole::customer;
  return open;
}

std::vector<std::uint8_t> attributes(bool four_octet_asn) {
  const std::vector<std::uint8_t> empty_path{0x40, 1, 1, 0, 0x40, 2, 0};
  const std::vector<AttributeChange> changes{
      {AttributeType::multi_exit_disc, std::vector<std::uint8_t>{0, 0, 0, 10}},
      {AttributeType::local_pref, std::vector<std::uint8_t>{0, 0, 0, 200}},
      {AttributeType::aggregator, std::vector<std::uint8_t>{0xfa, 0x56, 0xea, 1, 192, 0, 2, 9}},
      {AttributeType::communities, std::vector<std::uint8_t>{0xfd, 0xe9, 0, 100}},
      {AttributeType::large_communities, std::vector<std::uint8_t>{0, 0, 0xfd, 0xe9, 0, 0, 0, 1, 0, 0, 0, 2}},
      {AttributeType::only_to_customer, std::vector<std::uint8_t>{0, 0, 0xfd, 0xea}}};
  const std::vector<std::uint8_t> origin = withPrepended(withChanges(empty_path, changes), 4200000001, 1);
  return wireAttributes(withPrepended(origin, 65001, 2), four_octet_asn);
}

void printUpdates() {
  const NextHop four{Ipv4{0xc0000201}};
  const NextHop six{Ipv6{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
                    Ipv6{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}};
  UpdateBuilder ipv4 = UpdateBuilder::announce(UpdateForm::ipv4, four, attributes(true));
  ipv4.add(Prefix4{0xc6336400, 24});
  ipv4.add(Prefix4{0xc6120000, 15});
  print("update_ipv4", ipv4.take());
  UpdateBuilder ipv6 = UpdateBuilder::announce(UpdateForm::ipv6_multiprotocol, six, attributes(true));
  ipv6.add(Prefix6{{0x20, 1, 0xd, 0xb8}, 32});
  print("update_ipv6", ipv6.take());
  UpdateBuilder old = UpdateBuilder::announce(UpdateForm::ipv4, four, attributes(false));
  old.add(Prefix4{0xc6336400, 24});
  print("update_old_speaker", old.take());
  UpdateBuilder gone = UpdateBuilder::withdraw(UpdateForm::ipv4);
  gone.add(Prefix4{0xc6336400, 24});
  print("withdrawal_ipv4", gone.take());
  UpdateBuilder gone6 = UpdateBuilder::withdraw(UpdateForm::ipv6_multiprotocol);
  gone6.add(Prefix6{{0x20, 1, 0xd, 0xb8}, 32});
  print("withdrawal_ipv6", gone6.take());
}

}  // namespace

int main() {
  print("open", encode(open()));
  print("keepalive", kKeepalive);
  printUpdates();
  print("notification",
        encode(Notification{ErrorCode::cease, subcode::kAdministrativeShutdown, shutdownData("works")}));
  print("route_refresh", encode(RouteRefresh{kIpv6Unicast, RefreshSubtype::begin}));
}
