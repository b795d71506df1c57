// SPDX-License-Identifier: Apache-2.0
// What a peer is told of another's route, as octets (RFC 4271 sections 5.1 and 9.2).
#include "bgp_speaker_lab.h"

namespace poplink::host::bgp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr std::uint32_t kNoExportValue = 0xFFFFFF01, kNoAdvertiseValue = 0xFFFFFF02,
                        kGracefulShutdownValue = 0xFFFF0000;

Known told(const Address& next_hop, const Bytes& attributes) {
  return {{next_hop, std::nullopt}, attributes};
}

/// Internal: of the speaker's own AS.
void makeInternal(PeerSettings& peer) {
  peer.session.open.peer_as = peer.session.open.local_as;
  peer.session.open.allow_internal = true;
}

TEST(SpeakerExport, to_an_external_peer_prepends_the_as_and_takes_local_pref_and_med_away) {
  Star star({11, 12});
  star.start();
  const Bytes others = communities({65011u << 16 | 7});
  const Bytes large = attribute(0xC0, 32, "0000fdf3 00000001 00000002");
  star.announce(11, {net4(1)},
                attributesOf({65011, 65099}, {{4, attribute(0x80, 4, number(50))}, {8, others}, {32, large}}));
  star.runFor(1s);
  const Known expected = told(v4(1), attributesOf({65001, 65011, 65099}, {{8, others}, {32, large}}));
  EXPECT_THAT(star.peer(12).known4, ElementsAre(Pair(net4(1), expected)));
  // As octets: the whole message.
  EXPECT_EQ(star.peer(12).messages(MessageType::update).back(),
            announcement<Prefix4>({net4(1)}, v4(1), expected.attributes));
}

TEST(SpeakerExport, tells_no_peer_its_own_routes) {
  Star star({11, 12});
  star.start();
  star.announce(11, {net4(1)});
  star.announce(12, {net4(2)});
  star.runFor(1s);
  EXPECT_THAT(star.peer(11).known4, ElementsAre(Pair(net4(2), testing::_)));
  EXPECT_THAT(star.peer(12).known4, ElementsAre(Pair(net4(1), testing::_)));
}

TEST(SpeakerExport, withdraws_from_a_peer_whose_own_route_becomes_the_best) {
  Star star({11, 12});
  star.start();
  star.announce(11, {net4(1)}, attributesOf({65011, 65098, 65099}));
  star.runFor(1s);
  ASSERT_EQ(star.peer(12).known4.size(), 1u);
  star.announce(12, {net4(1)});
  star.runFor(1s);
  EXPECT_THAT(star.peer(12).known4, IsEmpty());
  EXPECT_EQ(star.peer(11).known4.at(net4(1)).attributes, attributesOf({65001, 65012}));
  star.peer(12).send(withdrawal<Prefix4>({net4(1)}));
  star.runFor(1s);
  EXPECT_THAT(star.peer(11).known4, IsEmpty());
  EXPECT_EQ(star.peer(12).known4.size(), 1u);
}

TEST(SpeakerExport, keeps_unknown_transitive_attributes_octet_for_octet_with_partial) {
  Star star({11, 12});
  star.start();
  const Bytes value = fromHex("00ff10deadbeef");
  star.announce(11, {net4(1)},
                attributesOf({65011}, {{99, attribute(0xC0, 99, value)}, {100, attribute(0x80, 100, value)}}));
  star.runFor(1s);
  EXPECT_EQ(star.peer(12).known4.at(net4(1)).attributes,
            attributesOf({65001, 65011}, {{99, attribute(0xE0, 99, value)}}));
}

TEST(SpeakerExport, to_a_speaker_of_two_octets_has_as_trans_and_as4_path) {
  Star star({11, 12});
  star.peer(12).open.capabilities.four_octet_asn.reset();
  star.start();
  star.announce(11, {net4(1)}, attributesOf({65011, 4200000001}));
  star.runFor(1s);
  const Bytes attributes = attribute(0x40, 1, "00") + attribute(0x40, 2, "0203 fde9 fdf3 5ba0") +
                           attribute(0xC0, 17, pathOf({65001, 65011, 4200000001}));
  EXPECT_EQ(star.peer(12).messages(MessageType::update).back(), announcement<Prefix4>({net4(1)}, v4(1), attributes));
  EXPECT_EQ(star.peer(12).known4.at(net4(1)).attributes, attributesOf({65001, 65011, 4200000001}));
}

TEST(SpeakerExport, of_ipv6_names_our_address_on_the_sessions_interface) {
  Star star({11, 12});
  star.start();
  star.peer(11).send(announcement<Prefix6>({net6(1)}, v6(11), attributesOf({65011})));
  star.runFor(1s);
  const Known expected = told(v6(1), attributesOf({65001, 65011}));
  EXPECT_THAT(star.peer(12).known6, ElementsAre(Pair(net6(1), expected)));
  EXPECT_EQ(star.peer(12).messages(MessageType::update).back(),
            announcement<Prefix6>({net6(1)}, v6(1), expected.attributes));
}

TEST(SpeakerExport, of_ipv4_over_an_ipv6_next_hop_where_both_can) {
  SpeakerSettings settings = speakerSettings(1, {11, 12, 13});
  settingsFor(settings, 11).session.open.extended_next_hop = true;
  settingsFor(settings, 12).session.open.extended_next_hop = true;
  settingsFor(settings, 12).next_hop = NextHopMode::unchanged;
  settingsFor(settings, 13).next_hop = NextHopMode::unchanged;
  Star star(settings);
  star.start();
  star.peer(11).send(announcement<Prefix4>({net4(1)}, v6(11), attributesOf({65011})));
  star.runFor(1s);
  EXPECT_EQ(star.peer(12).known4.at(net4(1)), told(v6(11), attributesOf({65001, 65011})));
  // Who does not understand it is told our own address.
  EXPECT_EQ(star.peer(13).known4.at(net4(1)), told(v4(1), attributesOf({65001, 65011})));
}

TEST(SpeakerExport, of_ipv4_to_an_ipv6_peer_without_an_ipv4_address_of_ours_is_over_ipv6) {
  SpeakerSettings settings = speakerSettings(1, {11, 12});
  PeerSettings& peer = settingsFor(settings, 12);
  peer.remote.address = v6(12);
  peer.session.open.extended_next_hop = true;
  Star star(settings);
  star.hub.tell([](Speaker& speaker, TimePoint) { speaker.setInterfaces({{"net0", v6(1), 64}, {"net1", v4(1), 24}}); });
  star.start();
  star.announce(11, {net4(1)});
  star.runFor(1s);
  EXPECT_EQ(star.peer(12).known4.at(net4(1)), told(v6(1), attributesOf({65001, 65011})));
}

/// 11 and 13 are routers of one neighbor, with the same routes; that of 11 is the best while it is there.
TEST(SpeakerExport, says_nothing_where_another_router_has_the_same_routes) {
  SpeakerSettings settings = speakerSettings(1, {11, 12, 13});
  settingsFor(settings, 13).session.open.peer_as = 65011;
  Star star(settings);
  star.start();
  const Bytes attributes = attributesOf({65011}), told_others = attributesOf({65001, 65011});
  star.announce(11, nets4(0, 100), attributes);
  star.announce(13, nets4(0, 100), attributes);
  star.runFor(1s);
  ASSERT_EQ(star.peer(12).known4.size(), 100u);
  ASSERT_EQ(star.peer(13).known4.size(), 100u);
  ASSERT_EQ(star.peer(11).known4.size(), 0u);
  star.peer(12).heard.clear();
  star.peer(11).send(withdrawal(nets4(0, 40)));
  star.runFor(1s);
  EXPECT_THAT(star.peer(12).messages(MessageType::update), IsEmpty());
  EXPECT_EQ(star.peer(11).known4.size(), 40u) << "it has not been told of them";
  EXPECT_EQ(star.peer(11).known4.at(net4(39)), told(v4(1), told_others));
  EXPECT_EQ(star.peer(13).known4.size(), 60u) << "those are its own now";
  star.announce(11, nets4(0, 40), attributes);
  star.runFor(1s);
  EXPECT_THAT(star.peer(12).messages(MessageType::update), IsEmpty());
  EXPECT_EQ(star.peer(11).known4.size(), 0u);
  EXPECT_EQ(star.peer(13).known4.size(), 100u);
}

/// What is taken out of it on its way makes no difference.
TEST(SpeakerExport, says_nothing_of_a_med_that_goes_no_further) {
  Star star({11, 12});
  star.start();
  star.announce(11, {net4(1)}, attributesOf({65011}, {{4, attribute(0x80, 4, number(7))}}));
  star.runFor(1s);
  star.peer(12).heard.clear();
  star.announce(11, {net4(1)}, attributesOf({65011}, {{4, attribute(0x80, 4, number(8))}}));
  star.runFor(1s);
  EXPECT_THAT(star.peer(12).messages(MessageType::update), IsEmpty());
  star.announce(11, {net4(1)}, attributesOf({65011, 65022}, {{4, attribute(0x80, 4, number(8))}}));
  star.runFor(1s);
  EXPECT_EQ(star.peer(12).known4.at(net4(1)), told(v4(1), attributesOf({65001, 65011, 65022})));
}

TEST(SpeakerExport, says_end_of_rib_once_after_the_table) {
  Star star({11, 12});
  star.peer(12).accepts = false;
  star.hub.start();
  star.runFor(2s);
  star.announce(11, nets4(0, 10000));
  star.runFor(1s);
  star.peer(12).accepts = true;
  star.runFor(1min);
  ASSERT_EQ(star.peer(12).known4.size(), 10000u);
  EXPECT_EQ(star.peer(12).repeated, 0u);
  for (const Family family : {kIpv4Unicast, kIpv6Unicast}) EXPECT_EQ(star.peer(12).endsOfRib(family), 1u);
  star.announce(11, {net4(20000)});
  star.runFor(1s);
  const auto updates = star.peer(12).messages(MessageType::update);
  EXPECT_EQ(updates.size() - 1,
            static_cast<std::size_t>(std::ranges::find(updates, endOfRib(kIpv4Unicast)) - updates.begin()) + 1);
  EXPECT_EQ(star.peer(12).endsOfRib(kIpv4Unicast), 1u);
}

TEST(SpeakerExport, heeds_well_known_communities) {
  SpeakerSettings settings = speakerSettings(1, {11, 12, 13});
  makeInternal(settingsFor(settings, 13));
  Star star(settings);
  star.start();
  star.announce(11, {net4(1)}, attributesOf({65011}, {{8, communities({5, kNoExportValue})}}));
  star.announce(11, {net4(2)}, attributesOf({65011}, {{8, communities({kNoAdvertiseValue})}}));
  star.announce(11, {net4(3)}, attributesOf({65011}, {{8, communities({0xFFFFFF03})}}));
  star.runFor(1s);
  EXPECT_THAT(star.peer(12).known4, IsEmpty());
  EXPECT_THAT(star.peer(13).known4, ElementsAre(Pair(net4(1), testing::_), Pair(net4(3), testing::_)));
}

TEST(SpeakerExport, inside_the_as_keeps_next_hop_and_path_and_tells_no_internal_route) {
  SpeakerSettings settings = speakerSettings(1, {11, 12, 13});
  makeInternal(settingsFor(settings, 12));
  makeInternal(settingsFor(settings, 13));
  Star star(settings);
  star.start();
  star.announce(11, {net4(1)}, attributesOf({65011}, {{4, attribute(0x80, 4, number(50))}}));
  const Bytes preferred = attribute(0x40, 5, number(200));
  star.announce(12, {net4(2)}, attributesOf({65099}, {{5, preferred}}));
  star.runFor(1s);
  const Bytes inside =
      attributesOf({65011}, {{4, attribute(0x80, 4, number(50))}, {5, attribute(0x40, 5, number(100))}});
  EXPECT_THAT(star.peer(12).known4, ElementsAre(Pair(net4(1), told(v4(11), inside))));
  EXPECT_THAT(star.peer(13).known4, ElementsAre(Pair(net4(1), told(v4(11), inside))));
  EXPECT_THAT(star.peer(11).known4, ElementsAre(Pair(net4(2), told(v4(1), attributesOf({65001, 65099})))));
}

TEST(SpeakerExport, to_a_client_of_a_route_server_changes_nothing) {
  SpeakerSettings settings = speakerSettings(1, {11, 12});
  for (PeerSettings& peer : settings.peers) peer.route_server_client = true;
  Star star(settings);
  star.start();
  const Bytes attributes = attributesOf({65011}, {{4, attribute(0x80, 4, number(50))}, {8, communities({77})}});
  star.announce(11, {net4(1)}, attributes);
  star.runFor(1s);
  EXPECT_EQ(star.peer(12).known4.at(net4(1)), told(v4(11), attributes));
}

TEST(SpeakerExport, with_another_local_as_prepends_that_one) {
  SpeakerSettings settings = speakerSettings(1, {11, 12});
  settingsFor(settings, 12).session.open.local_as = 64999;
  Star star(settings);
  star.start();
  star.announce(11, {net4(1)});
  star.runFor(1s);
  EXPECT_EQ(star.peer(12).known4.at(net4(1)).attributes, attributesOf({64999, 65011}));
}

TEST(SpeakerExport, without_a_policy_tells_an_external_peer_nothing) {
  SpeakerSettings settings = speakerSettings(1, {11, 12, 13});
  settingsFor(settings, 12).export_policy.reset();
  makeInternal(settingsFor(settings, 13));
  settingsFor(settings, 13).export_policy.reset();
  Star star(settings);
  star.start();
  star.announce(11, {net4(1)});
  star.runFor(1s);
  EXPECT_THAT(star.peer(12).known4, IsEmpty());
  EXPECT_EQ(star.peer(13).known4.size(), 1u);
}

TEST(SpeakerExport, by_a_policy_changes_what_it_says_but_gives_no_local_pref_away) {
  SpeakerSettings settings = speakerSettings(1, {11, 12});
  settingsFor(settings, 12).export_policy = "out";
  SetSettings set;
  set.local_pref = 300;
  set.med = 9;
  set.prepend = 2;
  set.add = {Community{123}};
  settings.book.policies["out"] = policyOf({}, set);
  Star star(settings);
  star.start();
  star.announce(11, {net4(1)}, attributesOf({65011}, {{4, attribute(0x80, 4, number(50))}}));
  star.runFor(1s);
  EXPECT_EQ(star.peer(12).known4.at(net4(1)).attributes,
            attributesOf({65001, 65001, 65001, 65011}, {{4, attribute(0x80, 4, number(9))}, {8, communities({123})}}));
  EXPECT_EQ(star.peer(12).malformed, 0u);
}

TEST(SpeakerExport, of_a_speaker_that_drains_has_graceful_shutdown_whatever_policy_does) {
  SpeakerSettings settings = speakerSettings(1, {11, 12, 13});
  settingsFor(settings, 12).export_policy = "bare";
  SetSettings bare;
  bare.remove_all_communities = true;
  settings.book.policies["bare"] = policyOf({}, bare);
  Star star(settings);
  star.start();
  star.announce(11, {net4(1)}, attributesOf({65011}, {{8, communities({7})}}));
  star.runFor(1s);
  EXPECT_EQ(star.peer(12).known4.at(net4(1)).attributes, attributesOf({65001, 65011}));
  settings.drain = true;
  star.hub.apply(settings);
  star.runFor(1s);
  EXPECT_EQ(star.peer(12).known4.at(net4(1)).attributes,
            attributesOf({65001, 65011}, {{8, communities({kGracefulShutdownValue})}}));
  EXPECT_EQ(star.peer(13).known4.at(net4(1)).attributes,
            attributesOf({65001, 65011}, {{8, communities({7, kGracefulShutdownValue})}}));
  settings.drain = false;
  star.hub.apply(settings);
  star.runFor(1s);
  EXPECT_EQ(star.peer(13).known4.at(net4(1)).attributes, attributesOf({65001, 65011}, {{8, communities({7})}}));
}

TEST(SpeakerExport, of_attributes_that_fit_into_no_message_is_left_out_and_counted) {
  Star star({11, 12});
  star.start();
  star.announce(11, {net4(1)});
  star.runFor(1s);
  ASSERT_EQ(star.peer(12).known4.size(), 1u);
  // Room for one prefix as it came, and none with one AS more in front.
  constexpr std::size_t kLengths = 2 + 2, kOrigin = 4, kPath = 9, kNextHop = 7, kHeader = 4, kRoute = 4;
  const Bytes filler(kMaxBodyBytes - kLengths - kOrigin - kPath - kNextHop - kHeader - kRoute);
  star.announce(11, {net4(1)}, attributesOf({65011}, {{99, attribute(0xF0, 99, filler)}}));
  star.runFor(1s);
  EXPECT_EQ(star.hub.speaker().routes(star.hub.peering("11"), kIpv4Unicast).best, 1u);
  EXPECT_THAT(star.peer(12).known4, IsEmpty());
  EXPECT_EQ(star.hub.peering("12").counters.too_long, 1u);
  EXPECT_EQ(star.hub.speaker().advertised(star.hub.peering("12"), kIpv4Unicast), 0u);
}

}  // namespace
}  // namespace poplink::host::bgp
