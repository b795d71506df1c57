// SPDX-License-Identifier: Apache-2.0
// Prefix limits (RFC 4486): what counts, and what follows.
#include "bgp_speaker_lab.h"

namespace poplink::host::bgp {
namespace {

SpeakerSettings limited(const LimitSettings& limit, Family family = kIpv4Unicast) {
  SpeakerSettings settings = speakerSettings(1, {11, 12});
  settings.peers[0].limits[family] = limit;
  return settings;
}
std::uint32_t taken(const Star& star, Family family = kIpv4Unicast) {
  return star.hub.speaker().routes(star.hub.peering("11"), family).paths;
}
std::uint32_t counted(const Star& star) {
  return star.hub.peering("11").families.at(kIpv4Unicast).limit->count();
}
std::optional<Notification> tooMany(std::uint32_t limit) {
  return Notification{ErrorCode::cease, subcode::kMaxPrefixes, fromHex("000101") + number(limit)};
}

TEST(SpeakerLimit, that_warns_takes_everything_and_says_so_once) {
  Star star(limited({.limit = 10, .action = LimitAction::warn, .restart = {}}));
  star.start();
  star.announce(11, nets4(0, 8));
  star.runFor(1s);
  EXPECT_EQ(star.hub.countNews("bgp.limit", "8 of 10"), 1u);
  star.announce(11, nets4(8, 92));
  star.announce(11, nets4(100, 100));
  star.runFor(1s);
  EXPECT_EQ(taken(star), 200u);
  EXPECT_EQ(star.hub.countNews("bgp.limit", "more than 10 prefixes"), 1u);
  EXPECT_EQ(star.peer(12).known4.size(), 200u);
}

TEST(SpeakerLimit, that_discards_takes_no_more_and_asks_again_when_there_is_room) {
  Star star(limited({.limit = 100, .action = LimitAction::discard, .restart = {}}));
  star.start();
  star.announce(11, nets4(0, 150));
  star.runFor(1s);
  EXPECT_EQ(taken(star), 100u);
  EXPECT_EQ(star.peer(12).known4.size(), 100u);
  EXPECT_EQ(star.hub.state("11"), State::Established);
  star.peer(11).send(withdrawal(nets4(0, 6)));
  star.runFor(1s);
  EXPECT_THAT(star.peer(11).messages(MessageType::route_refresh),
              testing::ElementsAre(encode(RouteRefresh{kIpv4Unicast, RefreshSubtype::request})));
  star.announce(11, nets4(6, 144));
  star.runFor(1s);
  EXPECT_EQ(taken(star), 100u);
}

TEST(SpeakerLimit, asks_a_peer_that_does_not_read_once) {
  Star star(limited({.limit = 1, .action = LimitAction::discard, .restart = {}}));
  star.start();
  star.peer(11).setWindow(0);
  for (int i = 0; i < 1000; ++i) {
    star.announce(11, nets4(0, 2));
    star.peer(11).send(withdrawal(nets4(0, 2)));
  }
  star.runFor(1s);
  EXPECT_EQ(star.hub.backlog("11"), encode(RouteRefresh{kIpv4Unicast, RefreshSubtype::request}).size());
  star.peer(11).setWindow(VirtualNet::kWindow);
  star.runFor(1s);
  EXPECT_EQ(star.peer(11).count(MessageType::route_refresh), 1u);
  // It may have answered that one by now.
  star.announce(11, nets4(0, 2));
  star.peer(11).send(withdrawal(nets4(0, 2)));
  star.runFor(1s);
  EXPECT_EQ(star.peer(11).count(MessageType::route_refresh), 2u);
}

TEST(SpeakerLimit, that_discards_takes_other_routes_for_prefixes_that_are_there) {
  Star star(limited({.limit = 10, .action = LimitAction::discard, .restart = {}}));
  star.start();
  star.announce(11, nets4(0, 20));
  star.announce(11, nets4(0, 20), attributesOf({65011, 65099}));
  star.runFor(1s);
  EXPECT_EQ(taken(star), 10u);
  EXPECT_EQ(star.peer(12).known4.at(net4(0)).attributes, attributesOf({65001, 65011, 65099}));
}

TEST(SpeakerLimit, counts_no_prefix_twice) {
  Star star(limited({.limit = 10, .action = LimitAction::shut, .restart = {}}));
  star.start();
  for (int i = 0; i < 5; ++i) star.announce(11, nets4(0, 10), attributesOf({65011, 65090u + static_cast<Asn>(i)}));
  star.runFor(1s);
  EXPECT_EQ(star.hub.state("11"), State::Established);
  EXPECT_EQ(counted(star), 10u);
  star.peer(11).send(withdrawal(nets4(0, 4)) + withdrawal(nets4(0, 4)));
  star.announce(11, nets4(20, 4));
  star.runFor(1s);
  EXPECT_EQ(star.hub.state("11"), State::Established);
  EXPECT_EQ(counted(star), 10u);
}

TEST(SpeakerLimit, that_shuts_ends_the_session_until_the_operator_clears_it) {
  Star star(limited({.limit = 10, .action = LimitAction::shut, .restart = {}}));
  star.start();
  star.announce(11, nets4(0, 11));
  star.runFor(1h);
  EXPECT_EQ(star.peer(11).notification(), tooMany(10));
  EXPECT_EQ(star.hub.state("11"), State::Idle);
  EXPECT_EQ(taken(star), 0u);
  EXPECT_THAT(star.peer(12).known4, testing::IsEmpty());
  star.hub.tell([&](Speaker& speaker, TimePoint now) { speaker.clear(star.hub.peering("11").index, "", now); });
  star.runFor(3s);
  EXPECT_EQ(star.hub.state("11"), State::Established);
  EXPECT_EQ(counted(star), 0u);
}

TEST(SpeakerLimit, that_shuts_with_a_restart_lets_it_come_back) {
  Star star(limited({.limit = 10, .action = LimitAction::shut, .restart = 300s}));
  star.start();
  star.announce(11, nets4(0, 11));
  star.runFor(299s);
  EXPECT_EQ(star.hub.state("11"), State::Idle);
  star.runFor(3s);
  EXPECT_EQ(star.hub.state("11"), State::Established);
}

TEST(SpeakerLimit, that_shuts_in_the_middle_of_an_update_leaves_nothing_of_it) {
  Star star(limited({.limit = 1, .action = LimitAction::shut, .restart = {}}));
  star.start();
  // One UPDATE with both families: the first one ends the session.
  UpdateBuilder builder =
      UpdateBuilder::announce(UpdateForm::ipv6_multiprotocol, {v6(11), std::nullopt}, attributesOf({65011}));
  builder.add(net6(1));
  const Bytes six = bodyOf(builder.take(), MessageType::update);
  const Bytes both = Bytes(six.begin() + 4, six.end()) + attribute(0x40, 3, "c000020b");
  star.peer(11).send(encodeMessage(MessageType::update, updateBody({}, both, fromHex("180a0000 180a0001"))));
  star.runFor(1s);
  EXPECT_EQ(star.peer(11).notification(), tooMany(1));
  EXPECT_EQ(taken(star), 0u);
  EXPECT_EQ(taken(star, kIpv6Unicast), 0u);
  EXPECT_EQ(star.hub.speaker().attributes().size(), 0u);
}

TEST(SpeakerLimit, of_a_new_session_does_not_count_routes_of_the_last_that_are_being_swept) {
  Star star(limited({.limit = 20000, .action = LimitAction::shut, .restart = {}}));
  star.start();
  star.announce(11, nets4(0, 20000));
  star.runFor(1s);
  ASSERT_EQ(counted(star), 20000u);
  star.hub.cost = 1s;  // so the sweep outlasts the way back
  star.peer(11).lose();
  star.peer(11).connect(v4(1));
  star.runFor(8s);
  star.announce(11, nets4(10000, 20000));
  star.runFor(5min);
  EXPECT_EQ(star.hub.state("11"), State::Established);
  EXPECT_EQ(star.hub.peering("11").machine.counters().established, 2u);
  EXPECT_EQ(counted(star), 20000u);
  EXPECT_EQ(taken(star), 20000u);
}

TEST(SpeakerLimit, does_not_count_withdrawals_of_routes_that_are_being_swept) {
  Star star(limited({.limit = 20000, .action = LimitAction::shut, .restart = {}}));
  star.start();
  star.announce(11, nets4(0, 20000));
  star.runFor(1s);
  star.hub.cost = 1s;
  star.peer(11).lose();
  star.peer(11).connect(v4(1));
  star.runFor(8s);
  star.announce(11, nets4(30000, 100));
  star.peer(11).send(withdrawal(nets4(0, 20000)));
  star.runFor(5min);
  ASSERT_EQ(star.hub.peering("11").machine.counters().established, 2u);
  EXPECT_EQ(taken(star), 100u);
  EXPECT_EQ(counted(star), 100u);
  EXPECT_EQ(star.hub.peering("11").families.at(kIpv4Unicast).forgotten, 0u);
}

TEST(SpeakerLimit, asks_again_when_a_sweep_makes_room) {
  Star star(limited({.limit = 100, .action = LimitAction::discard, .restart = {}}));
  star.start();
  star.announce(11, nets4(0, 150));
  star.runFor(1s);
  // The peer tells everything again, but half of it is gone.
  star.peer(11).send(encode(RouteRefresh{kIpv4Unicast, RefreshSubtype::begin}));
  star.announce(11, nets4(0, 50));
  star.peer(11).send(encode(RouteRefresh{kIpv4Unicast, RefreshSubtype::end}));
  star.runFor(1s);
  EXPECT_EQ(taken(star), 50u);
  EXPECT_EQ(counted(star), 50u);
  EXPECT_EQ(star.peer(11).count(MessageType::route_refresh), 1u);
}

TEST(SpeakerLimit, that_is_new_counts_what_is_there) {
  for (const LimitAction action : {LimitAction::warn, LimitAction::discard, LimitAction::shut}) {
    Star star({11, 12});
    star.start();
    star.announce(11, nets4(0, 20));
    star.runFor(1s);
    star.hub.apply(limited({.limit = 10, .action = action, .restart = {}}));
    star.runFor(1s);
    EXPECT_EQ(star.hub.countNews("bgp.limit", "more than 10 prefixes"), 1u);
    EXPECT_EQ(taken(star), action == LimitAction::shut ? 0u : 20u);
    EXPECT_EQ(counted(star), taken(star));
    EXPECT_EQ(star.hub.state("11"), action == LimitAction::shut ? State::Idle : State::Established);
  }
}

TEST(SpeakerLimit, that_is_raised_asks_for_what_was_discarded) {
  Star star(limited({.limit = 10, .action = LimitAction::discard, .restart = {}}));
  star.start();
  star.announce(11, nets4(0, 20));
  star.runFor(1s);
  star.hub.apply(limited({.limit = 30, .action = LimitAction::discard, .restart = {}}));
  star.runFor(1s);
  EXPECT_EQ(star.peer(11).count(MessageType::route_refresh), 1u);
  EXPECT_EQ(star.hub.state("11"), State::Established);
}

}  // namespace
}  // namespace poplink::host::bgp
