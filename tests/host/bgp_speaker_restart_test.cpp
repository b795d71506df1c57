// SPDX-License-Identifier: Apache-2.0
// Graceful restart of peers and of ourselves (RFC 4724), and routes told again (RFC 2918, 7313).
#include "bgp_speaker_lab.h"

namespace poplink::host::bgp {
namespace {

using testing::IsEmpty;

SpeakerSettings graceful(std::initializer_list<std::uint8_t> peers) {
  SpeakerSettings settings = speakerSettings(1, peers);
  for (PeerSettings& peer : settings.peers) {
    peer.session.open.graceful_restart.emplace();
    peer.session.open.graceful_restart->forwarding = {kIpv4Unicast};
  }
  return settings;
}

Bytes mark(RefreshSubtype subtype) {
  return encode(RouteRefresh{kIpv4Unicast, subtype});
}

/// Peer 11 of two has told 100 routes, and 12 knows them.
struct Restart : Star {
  explicit Restart(std::initializer_list<std::uint8_t> peers = {11, 12}) : Star(graceful(peers)) {
    start();
    announce(11, nets4(0, 100));
    peer(11).send(endOfRib(kIpv4Unicast));
    runFor(1s);
    EXPECT_EQ(known(), 100u);
    peer(12).heard.clear();
  }
  std::size_t known() { return peer(12).known4.size(); }
  std::uint32_t stale() {
    std::uint32_t count = 0;
    const auto& table = hub.speaker().table<Prefix4>();
    for (PrefixId id = 0; id < table.bound(); ++id)
      for (PathId path = table.firstPath(id); path != kNoPath; path = table.path(path).next)
        count += table.old(table.path(path));
    return count;
  }
  /// The peer's program ends and is there again, having kept its forwarding state or not.
  void comeBack(bool forwarded) {
    GracefulRestart& restart = *peer(11).open.capabilities.graceful_restart;
    restart.restarting = true;
    restart.families = {{kIpv4Unicast, forwarded}, {kIpv6Unicast, forwarded}};
    peer(11).lose();
    runFor(100ms);
    peer(11).connect(v4(1));
    runFor(3s);
    EXPECT_TRUE(peer(11).up());
  }
};

TEST(SpeakerHelper, keeps_the_routes_of_a_peer_that_restarts_until_its_end_of_rib) {
  Restart star;
  star.comeBack(true);
  EXPECT_EQ(star.stale(), 100u);
  star.announce(11, nets4(0, 60));
  star.runFor(1s);
  EXPECT_EQ(star.stale(), 40u);
  // Nobody else has noticed anything.
  EXPECT_EQ(star.peer(12).count(MessageType::update), 0u);
  star.peer(11).send(endOfRib(kIpv4Unicast));
  star.runFor(1s);
  EXPECT_EQ(star.known(), 60u);
  EXPECT_EQ(star.stale(), 0u);
  EXPECT_EQ(star.peer(12).repeated, 0u);
}

TEST(SpeakerHelper, waits_no_longer_than_the_peers_restart_time) {
  Restart star;
  star.peer(11).accepts = false;
  star.peer(11).lose();
  star.runFor(119s);
  EXPECT_EQ(star.known(), 100u);
  star.runFor(2s);
  EXPECT_EQ(star.known(), 0u);
}

TEST(SpeakerHelper, lets_routes_go_that_were_not_forwarded_meanwhile) {
  Restart star;
  star.comeBack(false);
  EXPECT_EQ(star.known(), 0u);
}

TEST(SpeakerHelper, lets_routes_go_after_a_notification) {
  Restart star;
  star.peer(11).send(encode(Notification{ErrorCode::cease, subcode::kAdministrativeReset, {}}));
  star.runFor(100ms);
  EXPECT_EQ(star.known(), 0u);
}

TEST(SpeakerHelper, of_a_peer_that_restarts_twice_sweeps_only_what_it_has_not_told_in_between) {
  Restart star;
  star.comeBack(true);
  star.announce(11, nets4(0, 60));
  star.runFor(1s);
  star.comeBack(true);
  EXPECT_EQ(star.known(), 60u);
}

TEST(SpeakerHelper, finds_a_restarted_peer_by_its_new_connection) {
  Restart star;
  star.runFor(1min);
  star.peer(11).forgetConnection();
  star.peer(11).open.capabilities.graceful_restart->families[kIpv4Unicast] = true;
  star.peer(11).connect(v4(1));
  star.runFor(1s);
  EXPECT_TRUE(star.peer(11).up());
  EXPECT_EQ(star.stale(), 100u);
  EXPECT_EQ(star.peer(12).count(MessageType::update), 0u);
}

TEST(SpeakerRestarter, tells_nothing_before_all_peers_have_sent_end_of_rib) {
  Star star(graceful({11, 12}), true);
  star.start();
  const auto decoded = decodeOpen(Octets(star.peer(11).heard[0].octets).subspan(kHeaderBytes));
  const GracefulRestart said = *std::get<Open>(decoded).capabilities.graceful_restart;
  EXPECT_TRUE(said.restarting);
  EXPECT_EQ(said.families, (std::map<Family, bool>{{kIpv4Unicast, true}, {kIpv6Unicast, false}}));
  star.announce(11, nets4(0, 10));
  star.peer(11).send(endOfRib(kIpv4Unicast) + endOfRib(kIpv6Unicast));
  star.runFor(10s);
  EXPECT_TRUE(star.hub.speaker().deferred(kIpv4Unicast));
  EXPECT_EQ(star.peer(12).count(MessageType::update), 0u);
  star.peer(12).send(endOfRib(kIpv4Unicast));
  star.runFor(1s);
  EXPECT_EQ(star.peer(12).known4.size(), 10u);
  EXPECT_EQ(star.peer(12).endsOfRib(kIpv4Unicast), 1u);
  EXPECT_EQ(star.peer(12).endsOfRib(kIpv6Unicast), 0u);
  star.peer(12).send(endOfRib(kIpv6Unicast));
  star.runFor(1s);
  EXPECT_EQ(star.peer(12).endsOfRib(kIpv6Unicast), 1u);
  // It is over: the next OPEN does not speak of it, and no session has ended for that.
  EXPECT_EQ(star.hub.peering("11").machine.counters().down, 0u);
  star.peer(11).heard.clear();
  star.comeAgain(11);
  const auto again = decodeOpen(Octets(star.peer(11).heard[0].octets).subspan(kHeaderBytes));
  EXPECT_FALSE(std::get<Open>(again).capabilities.graceful_restart->restarting);
}

TEST(SpeakerRestarter, waits_for_peers_that_do_not_come_until_its_time_is_over) {
  Star star(graceful({11, 12}), true);
  star.peer(12).accepts = false;
  star.hub.start();
  star.runFor(2s);
  star.peer(11).send(endOfRib(kIpv4Unicast) + endOfRib(kIpv6Unicast));
  star.runFor(117s);
  EXPECT_EQ(star.peer(11).count(MessageType::update), 0u);
  star.runFor(2s);
  EXPECT_EQ(star.peer(11).endsOfRib(kIpv4Unicast), 1u);
}

TEST(SpeakerRestarter, does_not_wait_for_peers_that_the_operator_takes_away) {
  for (const bool removed : {true, false}) {
    Star star(graceful({11, 12}), true);
    star.peer(12).accepts = false;
    star.hub.start();
    star.runFor(2s);
    star.peer(11).send(endOfRib(kIpv4Unicast) + endOfRib(kIpv6Unicast));
    star.runFor(1s);
    if (removed)
      star.settings.peers.pop_back();
    else
      star.settings.peers.back().shutdown = true;
    star.hub.apply(star.settings);
    star.runFor(1s);
    EXPECT_EQ(star.peer(11).endsOfRib(kIpv4Unicast), 1u) << removed;
  }
}

TEST(SpeakerRefresh, gives_everything_again_between_marks) {
  Restart star({11, 12, 13});
  star.peer(13).heard.clear();
  star.peer(12).send(mark(RefreshSubtype::request));
  star.runFor(1s);
  const auto& heard = star.peer(12).heard;
  ASSERT_GE(heard.size(), 3u);
  EXPECT_EQ(heard.front().octets, mark(RefreshSubtype::begin));
  EXPECT_EQ(heard.back().octets, mark(RefreshSubtype::end));
  EXPECT_EQ(star.peer(12).repeated, 100u);
  EXPECT_THAT(star.peer(13).heard, IsEmpty());
}

TEST(SpeakerRefresh, gives_an_old_speaker_everything_again_without_marks) {
  Star star({11, 12});
  star.peer(12).open.capabilities.enhanced_route_refresh = false;
  star.start();
  star.announce(11, nets4(0, 100));
  star.runFor(1s);
  star.peer(12).heard.clear();
  star.peer(12).send(mark(RefreshSubtype::request));
  star.runFor(1s);
  EXPECT_EQ(star.peer(12).repeated, 100u);
  EXPECT_EQ(star.peer(12).count(MessageType::route_refresh), 0u);
}

TEST(SpeakerRefresh, of_a_peer_takes_away_what_it_does_not_repeat) {
  Restart star;
  star.peer(11).send(mark(RefreshSubtype::begin));
  star.announce(11, nets4(0, 30));
  star.runFor(1s);
  EXPECT_EQ(star.known(), 100u);
  star.peer(11).send(mark(RefreshSubtype::end));
  star.runFor(1s);
  EXPECT_EQ(star.known(), 30u);
  EXPECT_EQ(star.peer(12).repeated, 0u);
}

TEST(SpeakerRefresh, that_begins_while_the_last_one_is_swept_takes_nothing_more_away) {
  Star star({11, 12});
  star.start();
  star.announce(11, nets4(0, 20000));
  star.runFor(1s);
  star.hub.cost = 1s;  // the sweep takes five slices
  star.peer(11).send(mark(RefreshSubtype::begin));
  star.announce(11, nets4(0, 10000));
  star.peer(11).send(mark(RefreshSubtype::end) + mark(RefreshSubtype::begin));
  star.runFor(2min);
  EXPECT_EQ(star.peer(12).known4.size(), 10000u);
  EXPECT_EQ(star.peer(12).repeated, 0u);
}

/// As many beginnings as a route's age has values, and one more or less: the end of the session is such an age, too.
TEST(SpeakerRefresh, that_begins_again_and_again_leaves_nothing_when_the_session_ends) {
  for (const int times : {127, 128, 254, 255, 256, 511, 3000}) {
    Restart star;
    for (int i = 0; i < times; ++i) star.peer(11).send(mark(RefreshSubtype::begin));
    star.runFor(1s);
    EXPECT_EQ(star.known(), 100u) << times;
    star.peer(11).send(encode(Notification{ErrorCode::cease, subcode::kAdministrativeReset, {}}));
    star.runFor(1s);
    EXPECT_EQ(star.known(), 0u) << times;
  }
}

TEST(SpeakerRefresh, that_begins_again_and_again_ends_as_one_would) {
  for (const Bytes& between : {Bytes(), mark(RefreshSubtype::end)}) {
    Restart star;
    for (int i = 0; i < 256; ++i) star.peer(11).send(mark(RefreshSubtype::begin) + between);
    star.announce(11, nets4(0, 30));
    star.peer(11).send(mark(RefreshSubtype::end));
    star.runFor(1s);
    EXPECT_EQ(star.known(), 30u);
    star.peer(11).send(mark(RefreshSubtype::begin));
    star.announce(11, nets4(0, 10));
    star.peer(11).send(mark(RefreshSubtype::end));
    star.runFor(1s);
    EXPECT_EQ(star.known(), 10u) << "it is followed again";
  }
}

TEST(SpeakerRefresh, that_makes_no_sense_is_counted_and_ignored) {
  Star star({11});
  star.start();
  star.peer(11).send(encode(RouteRefresh{{Afi{25}, Safi{70}}, RefreshSubtype::request}));
  star.peer(11).send(encodeMessage(MessageType::route_refresh, fromHex("0001 07 01")));
  star.runFor(1s);
  EXPECT_EQ(star.hub.peering("11").counters.unknown_refreshes, 2u);
  EXPECT_EQ(star.hub.state("11"), State::Established);
  star.peer(11).send(encodeMessage(MessageType::route_refresh, fromHex("0001 01 01 00")));
  star.runFor(100ms);
  ASSERT_TRUE(star.peer(11).notification());
  EXPECT_EQ(star.peer(11).notification()->code, ErrorCode::route_refresh);
}

TEST(SpeakerRefresh, asked_for_again_and_again_by_a_peer_that_does_not_read_costs_no_memory) {
  Restart star;
  star.peer(12).setWindow(0);
  for (int i = 0; i < 10000; ++i) star.peer(12).send(mark(RefreshSubtype::request));
  star.runFor(1min);
  EXPECT_LT(star.hub.backlog("12"), 10000u);
  star.peer(12).setWindow(VirtualNet::kWindow);
  star.runFor(1s);
  EXPECT_THAT(star.peer(12).messages(MessageType::route_refresh),
              testing::ElementsAre(mark(RefreshSubtype::begin), mark(RefreshSubtype::end)));
  EXPECT_EQ(star.known(), 100u);
}

TEST(SpeakerRefresh, is_what_the_operator_can_ask_for_too) {
  Restart star;
  star.hub.tell([&](Speaker& speaker, TimePoint) { speaker.clearSoftOut(star.hub.peering("12").index); });
  star.runFor(1s);
  EXPECT_EQ(star.peer(12).repeated, 100u);
}

}  // namespace
}  // namespace poplink::host::bgp
