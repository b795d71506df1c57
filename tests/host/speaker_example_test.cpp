// SPDX-License-Identifier: Apache-2.0
// docs/examples/speaker.yaml, value by value.
#include <gtest/gtest.h>

#include "read_speaker.h"
#include "speaker_values.h"

namespace poplink::host::bgp {
namespace {

using namespace std::chrono_literals;

TEST(SpeakerExample, says_this_of_the_speaker) {
  const SpeakerSettings speaker = readSpeaker(POPLINK_EXAMPLES "/speaker.yaml");
  EXPECT_EQ(speaker.asn, 64600U);
  EXPECT_EQ(speaker.router_id, ipv4(192, 0, 2, 1));
  EXPECT_EQ(speaker.listen, (std::vector<Endpoint>{{ipv4(192, 0, 2, 1), 179}, {ipv6(0, 1), 179}}));
  EXPECT_EQ(speaker.decision, (DecisionSettings{.compare_med = true, .always_compare_med = false, .multipath = 4}));
  EXPECT_EQ(speaker.reachable, (std::vector<std::variant<Prefix4, Prefix6>>{Prefix4{ipv4(198, 51, 100, 0), 24},
                                                                            Prefix6{ipv6(0x100, 0), 40}}));
  EXPECT_EQ(
      speaker.originate,
      (std::vector<OriginatedRoute>{
          {Prefix4{ipv4(203, 0, 113, 0), 24}, std::nullopt, std::nullopt, {}},
          {Prefix6{ipv6(0x113, 0), 48}, ipv6(0, 9), 20, {Community{64600U << 16 | 1}, LargeCommunity{64600, 1, 1}}}}));
  EXPECT_FALSE(speaker.drain);
}

TEST(SpeakerExample, has_these_lists_and_policies) {
  PolicyBook book;
  book.prefix_lists["customers"] = {{Prefix4{ipv4(10, 9, 0, 0), 16}, 16, 32, true},
                                    {Prefix4{ipv4(10, 0, 0, 0), 8}, 16, 24, false},
                                    {Prefix4{ipv4(203, 0, 113, 0), 24}, 24, 24, false}};
  book.prefix_lists["default-routes"] = {{Prefix4{}, 0, 0, false}, {Prefix6{}, 0, 0, false}};
  constexpr Community kOne{64600U << 16 | 1};
  constexpr LargeCommunity kLargeOne{64600, 1, 1};

  TermSettings blackhole{.name = "blackhole", .match = {}, .set = {}};
  blackhole.match.any_of = {Community{0xFFFF'029A}, Community{64600U << 16 | 666}};
  blackhole.match.path_length_max = 3;
  blackhole.set.local_pref = 300;
  blackhole.set.add = {kNoExport};
  TermSettings own{.name = "own-communities", .match = {}, .set = {}, .then = TermEnd::next};
  own.set.remove = {kOne, kLargeOne};
  TermSettings backup{.name = "backup", .match = {}, .set = {}};
  backup.match.prefix_list = "customers";
  backup.match.all_of = {Community{64600U << 16 | 50}};
  backup.set.local_pref = 50;
  backup.set.remove_med = true;
  TermSettings rest{.name = "rest", .match = {}, .set = {}};
  rest.match.prefix_list = "customers";
  rest.match.family = kIpv4Unicast;
  rest.set.add = {kOne, kLargeOne, extended({0, 2, 0xFC, 0x58, 0, 0, 0, 7})};
  book.policies["from-customers"].terms = {blackhole, own, backup, rest};

  TermSettings no_default{.name = "no-default", .match = {}, .set = {}, .then = TermEnd::reject};
  no_default.match.prefix_list = "default-routes";
  TermSettings far{.name = "far", .match = {}, .set = {}};
  far.match.as_path = "^65030_.*_65666_";
  far.match.neighbor_as = 65030;
  far.match.origin_as = 65099;
  far.match.origin = Origin::incomplete;
  far.match.path_length_min = 2;
  far.match.path_length_max = 50;
  far.set.local_pref = 80;
  far.set.remove_all_communities = true;
  far.set.origin = Origin::igp;
  TermSettings others{.name = "rest", .match = {}, .set = {}};
  others.set.local_pref = 90;
  book.policies["from-transit"].terms = {no_default, far, others};

  TermSettings customers{.name = "customers", .match = {}, .set = {}};
  customers.match.all_of = {kOne};
  customers.set.med = 10;
  customers.set.prepend = 2;
  book.policies["to-transit"].terms = {customers};
  EXPECT_EQ(readSpeaker(POPLINK_EXAMPLES "/speaker.yaml").book, book);
}

/// A peer of the example before its own keys.
PeerSettings examplePeer(const std::string& name, const Address& address, Asn asn) {
  PeerSettings peer;
  peer.name = name;
  peer.remote.address = address;
  OpenSettings& open = peer.session.open;
  open.local_as = 64600;
  open.peer_as = asn;
  open.router_id = ipv4(192, 0, 2, 1);
  open.hold_seconds = 30;
  open.families = {kIpv4Unicast, kIpv6Unicast};
  open.graceful_restart = LocalGracefulRestart{.restart_seconds = 60, .forwarding = {}};
  peer.import_policy = peer.export_policy = "accept-all";
  return peer;
}

TEST(SpeakerExample, has_these_customers) {
  PeerSettings acme = examplePeer("acme", ipv4(192, 0, 2, 2), 65010);
  acme.session.open.role = BgpRole::provider;
  acme.session.open.strict_role = true;
  acme.ttl_security = true;
  acme.import_policy = "from-customers";
  const LimitSettings limit{.limit = 100, .warn_percent = 90, .action = LimitAction::shut, .restart = 600s};
  acme.limits = {{kIpv4Unicast, limit}, {kIpv6Unicast, limit}};

  PeerSettings zenith = examplePeer("zenith", ipv6(0, 2), 65020);
  zenith.session.open.families = {kIpv6Unicast};
  zenith.session.passive = true;
  zenith.import_policy = "from-customers";
  zenith.limits = {
      {kIpv6Unicast, {.limit = 50, .warn_percent = 80, .action = LimitAction::discard, .restart = std::nullopt}}};
  zenith.shutdown = true;
  zenith.shutdown_text = "maintenance until 06:00 UTC";

  const auto peers = readSpeaker(POPLINK_EXAMPLES "/speaker.yaml").peers;
  ASSERT_EQ(peers.size(), 5U);
  EXPECT_EQ(peers[0], acme);
  EXPECT_EQ(peers[1], zenith);
}

TEST(SpeakerExample, has_these_other_peers) {
  PeerSettings transit = examplePeer("transit", ipv4(192, 0, 2, 30), 65030);
  transit.remote.port = 1179;
  transit.local_address = ipv4(192, 0, 2, 1);
  transit.session.open.local_as = 64601;
  transit.hops = 2;
  transit.session.open.role = BgpRole::customer;
  transit.import_policy = "from-transit";
  transit.export_policy = "to-transit";
  transit.session.open.keepalive_seconds = 5;
  transit.session.open.minimum_hold_seconds = 9;
  transit.session.connect_retry = 2500ms;
  transit.session.delay_open = 500ms;
  transit.session.idle_hold_first = 200ms;
  transit.session.idle_hold_longest = 30s;
  transit.allow_own_as = 1;
  transit.drain = true;

  PeerSettings exchange = examplePeer("exchange", ipv4(192, 0, 2, 40), 4'200'000'040);
  exchange.route_server_client = true;
  exchange.session.open.role = BgpRole::route_server;
  exchange.next_hop = NextHopMode::unchanged;
  exchange.session.open.extended_next_hop = true;
  exchange.session.open.graceful_restart.reset();

  PeerSettings inside = examplePeer("inside", ipv4(192, 0, 2, 50), 64600);
  inside.import_policy.reset();
  inside.export_policy.reset();
  inside.session.open.allow_internal = true;
  inside.next_hop = NextHopMode::self;
  inside.session.open.enhanced_route_refresh = false;
  inside.session.open.graceful_restart =
      LocalGracefulRestart{.helper = false, .restart_seconds = 120, .forwarding = {kIpv4Unicast, kIpv6Unicast}};

  const SpeakerSettings speaker = readSpeaker(POPLINK_EXAMPLES "/speaker.yaml");
  ASSERT_EQ(speaker.peers.size(), 5U);
  EXPECT_EQ(speaker.peers[2], transit);
  EXPECT_EQ(speaker.peers[3], exchange);
  EXPECT_EQ(speaker.peers[4], inside);
  EXPECT_EQ(notices(speaker), std::vector<std::string>{});
}

}  // namespace
}  // namespace poplink::host::bgp
