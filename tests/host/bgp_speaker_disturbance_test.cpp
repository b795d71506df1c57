// SPDX-License-Identifier: Apache-2.0
// Peers that disturb: who do not read, who flood, who talk nonsense. Nobody else is to notice.
#include "bgp_speaker_lab.h"

namespace poplink::host::bgp {
namespace {

/// Routes that share nothing, in UPDATEs of their own.
Bytes distinct(std::uint32_t from, std::uint32_t count, Asn variant) {
  Bytes octets;
  for (std::uint32_t i = from; i < from + count; ++i)
    put(octets, announcement<Prefix4>({net4(i)}, v4(11), attributesOf({65011, 100000 + i, variant})));
  return octets;
}

constexpr std::uint32_t kMany = 200'000;

/// Peer 16 of a group of five does not read, and there are more routes than may wait for it.
struct Deaf : Star {
  Deaf() : Star({11, 12, 13, 14, 15, 16}) {
    start();
    peer(16).setWindow(0);
    for (std::uint32_t from = 0; from < kMany; from += 10000) {
      peer(11).send(distinct(from, 10000, 7));
      runFor(10ms);
    }
    runFor(10s);
  }
};

TEST(SpeakerDisturbance, by_a_peer_that_does_not_read_holds_up_none_of_its_group) {
  Deaf star;
  for (const std::uint8_t n : {std::uint8_t{12}, std::uint8_t{13}, std::uint8_t{14}, std::uint8_t{15}})
    EXPECT_EQ(star.peer(n).known4.size(), kMany);
  EXPECT_GT(star.hub.backlog("16"), std::size_t{8} << 20);
  EXPECT_LE(star.hub.backlog("16"), std::size_t{9} << 20);
  // More does not wait for it.
  star.peer(11).send(distinct(0, 50000, 8));
  star.runFor(1s);
  EXPECT_LE(star.hub.backlog("16"), std::size_t{9} << 20);
  star.peer(16).setWindow(VirtualNet::kWindow);
  star.runFor(10s);
  EXPECT_EQ(star.peer(16).known4, star.peer(12).known4);
  EXPECT_EQ(star.hub.state("16"), State::Established);
  EXPECT_EQ(star.hub.speaker().groups<Prefix4>().groups(), 1u);  // it has joined the others again
}

TEST(SpeakerDisturbance, by_a_peer_that_never_reads_ends_after_eight_minutes) {
  Deaf star;
  star.runFor(7min);
  EXPECT_EQ(star.hub.peering("16").machine.counters().down, 0u);
  star.runFor(1min + 5s);
  EXPECT_EQ(star.hub.peering("16").machine.counters().down, 1u);
  EXPECT_EQ(star.hub.countNews("bgp.session", "send hold timer expired"), 1u);
  EXPECT_EQ(star.hub.peering("12").machine.counters().down, 0u);
}

/// The longest time between two KEEPALIVEs that a peer has heard.
Duration longestSilence(const RawPeer& peer) {
  Duration longest{};
  std::optional<TimePoint> last;
  for (const RawPeer::Heard& one : peer.heard) {
    if (one.type != MessageType::keepalive) continue;
    if (last) longest = std::max(longest, one.at - *last);
    last = one.at;
  }
  return longest;
}

TEST(SpeakerDisturbance, by_many_routes_delays_no_keepalive) {
  SpeakerSettings settings = speakerSettings(1, {11, 12, 13, 14});
  settingsFor(settings, 14).session.open.hold_seconds = 3;  // a KEEPALIVE each second
  Star star(settings);
  star.peer(13).accepts = false;
  star.hub.cost = 1ms;
  star.hub.start();
  star.runFor(2s);
  for (std::uint32_t round = 0; round < 3; ++round) {
    for (std::uint32_t from = 0; from < kMany; from += 2000)
      star.announce(11, nets4(from, 2000), attributesOf({65011, 70000 + round}));
    star.runFor(20s);
    star.peer(13).accepts = round == 0;  // somebody new wants everything
  }
  star.peer(11).lose();
  star.runFor(1min);
  EXPECT_GE(star.peer(14).count(MessageType::keepalive), 110u);
  EXPECT_LE(longestSilence(star.peer(14)), 1100ms);
  EXPECT_LE(longestSilence(star.peer(12)), 33s);
  EXPECT_EQ(star.peer(12).refused, 0u);
  EXPECT_THAT(star.peer(12).known4, testing::IsEmpty());
}

struct Nonsense {
  const char* name;
  Bytes octets;
  Notification answer;
};
class SpeakerNonsense : public testing::TestWithParam<Nonsense> {};

TEST_P(SpeakerNonsense, ends_the_session_it_comes_in_and_no_other) {
  Star star({11, 12, 13});
  star.start();
  star.announce(11, {net4(1)});
  star.announce(12, {net4(2)});
  star.runFor(1s);
  // What comes behind it in the same octets is not read any more.
  star.peer(11).send(GetParam().octets + announcement<Prefix4>({net4(3)}, v4(11), attributesOf({65011})));
  star.runFor(100ms);
  const auto answer = star.peer(11).notification();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, GetParam().answer.code);
  EXPECT_EQ(answer->subcode, GetParam().answer.subcode);
  EXPECT_FALSE(star.peer(11).connected());
  EXPECT_THAT(star.peer(13).known4, testing::ElementsAre(testing::Pair(net4(2), testing::_)));
  star.runFor(5s);
  EXPECT_EQ(star.hub.state("11"), State::Established);
  for (const char* other : {"12", "13"}) EXPECT_EQ(star.hub.peering(other).machine.counters().down, 0u);
}

Bytes header(std::uint16_t length, std::uint8_t type) {
  Bytes octets(kMarkerBytes, 0xff);
  put16(octets, length);
  octets.push_back(type);
  return octets;
}

INSTANTIATE_TEST_SUITE_P(
    by, SpeakerNonsense,
    testing::Values(
        Nonsense{"marker", Bytes(19, 0), {ErrorCode::message_header, subcode::kConnectionNotSynchronized, {}}},
        Nonsense{"length", header(18, 4), {ErrorCode::message_header, subcode::kBadMessageLength, {}}},
        Nonsense{"type", header(19, 9), {ErrorCode::message_header, subcode::kBadMessageType, {}}},
        Nonsense{"update",
                 encodeMessage(MessageType::update, fromHex("0040 0000")),
                 {ErrorCode::update_message, subcode::kMalformedAttributeList, {}}},
        Nonsense{"second_open", encode(openOf(2)), {ErrorCode::finite_state_machine, subcode::kInEstablished, {}}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(SpeakerDisturbance, by_messages_before_their_time_ends_that_connection_only) {
  for (const Bytes& early : {Bytes(kKeepalive.begin(), kKeepalive.end()), endOfRib(kIpv4Unicast),
                             encode(RouteRefresh{kIpv4Unicast, RefreshSubtype::request})}) {
    Star star({11, 12});
    star.peer(11).speaks = false;
    star.hub.start();
    star.runFor(100ms);
    ASSERT_TRUE(star.peer(11).connected());
    star.peer(11).send(early);
    star.runFor(100ms);
    EXPECT_EQ(star.peer(11).notification(), (Notification{ErrorCode::finite_state_machine, subcode::kInOpenSent, {}}));
    EXPECT_EQ(star.peer(11).count(MessageType::open), 1u);
    star.runFor(2s);
    EXPECT_TRUE(star.peer(12).up());
  }
}

TEST(SpeakerDisturbance, by_errors_that_end_no_session_is_told_once_for_each_kind) {
  Star star({11, 12});
  star.start();
  star.announce(11, {net4(1)});
  star.runFor(1s);
  for (int i = 0; i < 100; ++i) star.announce(11, {net4(1)}, attributesOf({65011, 0}));
  star.runFor(1s);
  EXPECT_EQ(star.hub.state("11"), State::Established);
  EXPECT_THAT(star.peer(12).known4, testing::IsEmpty());
  const auto action = static_cast<std::size_t>(ErrorAction::treat_as_withdraw);
  EXPECT_EQ(star.hub.peering("11").counters.findings[action], 100u);
  EXPECT_EQ(star.hub.countNews("bgp.update", ""), 1u);
}

TEST(SpeakerDisturbance, by_errors_of_changing_kinds_is_told_so_often_only_and_how_often_it_was_not) {
  Star star({11, 12});
  star.start();
  const auto both = [&star] {
    star.announce(11, {net4(1)}, attributesOf({65011, 0}));
    star.announce(11, {net4(1)}, attributesOf({65011}, {{4, attribute(0x80, 4, "000001")}}));
  };
  for (int i = 0; i < 100; ++i) both();
  star.runFor(1s);
  EXPECT_EQ(star.hub.countNews("bgp.update", ""), 10u);
  star.runFor(10s);
  both();
  star.runFor(1s);
  EXPECT_EQ(star.hub.countNews("bgp.update", ""), 12u);
  EXPECT_EQ(star.hub.countNews("bgp.update", "190 before it that were not told"), 1u);
}

TEST(SpeakerDisturbance, is_none_by_two_hundred_peers_at_once) {
  SpeakerSettings settings = speakerSettings(1, {});
  for (std::uint8_t n = 2; n <= 201; ++n) settings.peers.push_back(peerOf(1, n));
  Star star(settings);
  star.start();
  for (std::uint8_t n = 2; n <= 201; ++n) star.announce(n, {net4(n)});
  star.runFor(1s);
  for (std::uint8_t n = 2; n <= 201; ++n) {
    EXPECT_EQ(star.peer(n).known4.size(), 199u);
    EXPECT_FALSE(star.peer(n).known4.contains(net4(n)));
  }
  EXPECT_EQ(star.hub.speaker().groups<Prefix4>().groups(), 1u);
}

}  // namespace
}  // namespace poplink::host::bgp
