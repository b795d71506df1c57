// SPDX-License-Identifier: Apache-2.0
// Sessions: between speakers, however they find each other, and what ends them.
#include "bgp_speaker_lab.h"

namespace poplink::host::bgp {
namespace {

/// Two speakers that are configured for each other.
struct Two {
  SpeakerSettings first = speakerSettings(1, {2}), second = speakerSettings(2, {1});
  SpeakerLab lab;
  SpeakerHost* one = nullptr;
  SpeakerHost* two = nullptr;

  void start() {
    one = &lab.speaker(1, first);
    two = &lab.speaker(2, second);
    one->start();
    two->start();
    lab.runFor(2s);
  }
  bool up() const { return one->state("2") == State::Established && two->state("1") == State::Established; }
};

TEST(SpeakerSession, comes_up_between_two_that_both_connect_and_stays) {
  Two pair;
  pair.start();
  EXPECT_TRUE(pair.up());
  pair.lab.runFor(1h);
  EXPECT_EQ(pair.one->peering("2").machine.counters().established, 1u);
  EXPECT_EQ(pair.two->peering("1").machine.counters().down, 0u);
}

TEST(SpeakerSession, comes_up_with_one_side_passive) {
  Two pair;
  pair.first.peers[0].session.passive = true;
  pair.start();
  EXPECT_TRUE(pair.up());
  EXPECT_EQ(pair.one->peering("2").machine.counters().attempts, 0u);
}

TEST(SpeakerSession, comes_up_over_ipv6_and_carries_both_families) {
  Two pair;
  pair.first.peers[0].remote.address = v6(2);
  pair.second.peers[0].remote.address = v6(1);
  pair.start();
  ASSERT_TRUE(pair.up());
  EXPECT_EQ(pair.one->peering("2").negotiated.families, (std::set<Family>{kIpv4Unicast, kIpv6Unicast}));
  EXPECT_EQ(pair.one->peering("2").local.address, v6(1));
}

TEST(SpeakerSession, ends_with_tcp_and_comes_back) {
  Star star({11});
  star.start();
  star.peer(11).lose();
  star.runFor(1ms);
  EXPECT_EQ(star.hub.state("11"), State::Idle);
  star.runFor(3s);
  EXPECT_EQ(star.hub.state("11"), State::Established);
}

TEST(SpeakerSession, is_refused_to_strangers) {
  Star star({11});
  RawPeer& stranger = star.raw(12, 1);
  star.start();
  stranger.connect(v4(1));
  star.runFor(1s);
  EXPECT_FALSE(stranger.connected());
  EXPECT_THAT(stranger.heard, testing::IsEmpty());
}

TEST(SpeakerSession, tells_its_own_as_and_identifier_in_an_open_that_comes_before_any_other_word) {
  Star star({11});
  star.peer(11).open.two_octet_asn = 65012;
  star.peer(11).open.capabilities.four_octet_asn = 65012;
  star.hub.start();
  star.runFor(500ms);
  const RawPeer& peer = star.peer(11);
  ASSERT_GE(peer.heard.size(), 2u);
  EXPECT_EQ(peer.heard[0].octets, encode(makeOpen(star.settings.peers[0].session.open)));
  EXPECT_EQ(peer.notification(), (Notification{ErrorCode::open_message, subcode::kBadPeerAs, {}}));
}

TEST(SpeakerSession, refuses_an_open_that_comes_before_its_own_with_both_words) {
  SpeakerSettings settings = speakerSettings(1, {11});
  settings.peers[0].session.passive = true;
  settings.peers[0].session.delay_open = 10s;
  Star star(settings);
  star.peer(11).open.two_octet_asn = 65012;
  star.peer(11).open.capabilities.four_octet_asn = 65012;
  star.hub.start();
  star.peer(11).connect(v4(1));
  star.runFor(100ms);
  ASSERT_EQ(star.peer(11).heard.size(), 2u);
  EXPECT_EQ(star.peer(11).heard[0].type, MessageType::open);
  EXPECT_EQ(star.peer(11).heard[1].type, MessageType::notification);
}

TEST(SpeakerSession, counts_messages_of_both_directions) {
  Star star({11, 12});
  star.start();
  star.announce(11, {net4(1)});
  star.runFor(1s);
  const auto at = [](MessageType type) { return static_cast<std::size_t>(type); };
  const PeerCounters& from = star.hub.peering("11").counters;
  EXPECT_EQ(from.received[at(MessageType::open)], 1u);
  EXPECT_EQ(from.received[at(MessageType::update)], 1u);
  const PeerCounters& to = star.hub.peering("12").counters;
  for (const MessageType type : {MessageType::open, MessageType::update, MessageType::keepalive})
    EXPECT_EQ(to.sent[at(type)], star.peer(12).count(type)) << words(type);
  EXPECT_EQ(to.sent[at(MessageType::update)], 3u);  // the route and two End-of-RIBs
  std::size_t octets = 0;
  for (const RawPeer::Heard& one : star.peer(12).heard) octets += one.octets.size();
  EXPECT_EQ(to.octets_sent, octets);
}

TEST(SpeakerSession, shows_what_the_peer_said_when_it_ended_it) {
  Star star({11});
  star.start();
  star.peer(11).send(encode(
      Notification{ErrorCode::cease, subcode::kAdministrativeShutdown, shutdownData("new line cards until noon")}));
  star.peer(11).close();
  star.runFor(10ms);
  EXPECT_EQ(star.hub.peering("11").shutdown_text, "new line cards until noon");
  EXPECT_EQ(star.hub.countNews("bgp.session", "new line cards until noon"), 1u);
}

TEST(SpeakerSession, of_a_silent_peer_ends_with_its_hold_time) {
  Star star({11});
  star.start();
  star.peer(11).keeps_alive = false;
  star.runFor(150s);
  EXPECT_EQ(star.peer(11).notification(), (Notification{ErrorCode::hold_timer_expired, 0, {}}));
}

TEST(SpeakerSession, that_the_operator_clears_says_so_and_begins_anew) {
  Star star({11});
  star.start();
  star.hub.tell(
      [&](Speaker& speaker, TimePoint now) { speaker.clear(star.hub.peering("11").index, "try again", now); });
  star.runFor(10ms);
  const auto last = star.peer(11).notification();
  ASSERT_TRUE(last);
  EXPECT_EQ(last->subcode, subcode::kAdministrativeReset);
  EXPECT_EQ(shutdownText(*last), "try again");
  star.runFor(3s);
  EXPECT_EQ(star.hub.state("11"), State::Established);
}

TEST(SpeakerSession, ends_with_the_program_by_a_cease_unless_restart_is_graceful) {
  SpeakerSettings settings = speakerSettings(1, {11, 12});
  settingsFor(settings, 12).session.open.graceful_restart.emplace();
  Star star(settings);
  star.start();
  star.hub.tell([](Speaker& speaker, TimePoint now) { speaker.stop(now); });
  star.runFor(10ms);
  EXPECT_EQ(star.peer(11).notification(), (Notification{ErrorCode::cease, subcode::kAdministrativeShutdown, {}}));
  EXPECT_FALSE(star.peer(11).connected());
  EXPECT_TRUE(star.peer(12).up());
}

TEST(SpeakerSession, bfd_that_goes_down_ends_it) {
  SpeakerSettings settings = speakerSettings(1, {11});
  settings.peers[0].session.bfd = BfdMode::watch;
  Star star(settings);
  star.start();
  const auto bfd = [&](bool up) {
    star.hub.tell([&](Speaker& speaker, TimePoint now) { speaker.bfd(star.hub.peering("11").index, up, false, now); });
    star.runFor(10ms);
  };
  bfd(true);
  EXPECT_EQ(star.hub.state("11"), State::Established);
  bfd(false);
  EXPECT_EQ(star.peer(11).notification(), (Notification{ErrorCode::cease, subcode::kBfdDown, {}}));
}

}  // namespace
}  // namespace poplink::host::bgp
