// SPDX-License-Identifier: Apache-2.0
// New settings: what they change, and what they leave alone.
#include "bgp_speaker_lab.h"

namespace poplink::host::bgp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Change {
  const char* name;
  std::function<void(PeerSettings&)> make;
  bool ends = false;  ///< the session
};
void PrintTo(const Change& change, std::ostream* out) {
  *out << change.name;
}

class SpeakerChange : public testing::TestWithParam<Change> {};

TEST_P(SpeakerChange, of_one_peer_ends_its_session_or_not_and_never_anothers) {
  Star star({11, 12});
  star.start();
  star.announce(12, {net4(1)});
  star.runFor(1s);
  GetParam().make(star.settings.peers[0]);
  const std::string expected = GetParam().ends ? "peer 11: changed, session ended" : "peer 11: changed";
  EXPECT_THAT(star.hub.apply(star.settings), ElementsAre(expected));
  star.runFor(10ms);
  EXPECT_EQ(star.hub.peering("11").machine.counters().down, GetParam().ends ? 1u : 0u);
  EXPECT_EQ(star.hub.peering("12").machine.counters().down, 0u);
  ASSERT_EQ(star.peer(11).notification().has_value(), GetParam().ends);
  if (GetParam().ends) {
    EXPECT_EQ(star.peer(11).notification()->subcode,
              star.settings.peers[0].shutdown ? subcode::kAdministrativeShutdown : subcode::kOtherConfigurationChange);
  }
  star.runFor(1s);
  EXPECT_THAT(star.hub.apply(star.settings), IsEmpty());
}

const Change kChanges[] = {
    {"hold_time", [](PeerSettings& peer) { peer.session.open.hold_seconds = 30; }, true},
    {"families", [](PeerSettings& peer) { peer.session.open.families = {kIpv4Unicast}; }, true},
    {"router_id", [](PeerSettings& peer) { peer.session.open.router_id = 99; }, true},
    {"local_as", [](PeerSettings& peer) { peer.session.open.local_as = 64999; }, true},
    {"role", [](PeerSettings& peer) { peer.session.open.role = BgpRole::peer; }, true},
    {"graceful_restart", [](PeerSettings& peer) { peer.session.open.graceful_restart.emplace(); }, true},
    {"md5_key", [](PeerSettings& peer) { peer.md5_key = "secret"; }, true},
    {"ttl_security", [](PeerSettings& peer) { peer.ttl_security = true; }, true},
    {"hops", [](PeerSettings& peer) { peer.hops = 2; }, true},
    {"local_address", [](PeerSettings& peer) { peer.local_address = v4(1); }, true},
    {"port", [](PeerSettings& peer) { peer.remote.port = 1790; }, true},
    {"address", [](PeerSettings& peer) { peer.remote.address = v6(11); }, true},
    {"shutdown", [](PeerSettings& peer) { peer.shutdown = true; }, true},
    {"passive", [](PeerSettings& peer) { peer.session.passive = true; }},
    {"connect_retry", [](PeerSettings& peer) { peer.session.connect_retry = 7s; }},
    {"import_policy", [](PeerSettings& peer) { peer.import_policy.reset(); }},
    {"export_policy", [](PeerSettings& peer) { peer.export_policy.reset(); }},
    {"limits", [](PeerSettings& peer) { peer.limits[kIpv4Unicast].limit = 100; }},
    {"next_hop", [](PeerSettings& peer) { peer.next_hop = NextHopMode::unchanged; }},
    {"route_server_client", [](PeerSettings& peer) { peer.route_server_client = true; }},
    {"allow_own_as", [](PeerSettings& peer) { peer.allow_own_as = 2; }},
    {"drain", [](PeerSettings& peer) { peer.drain = true; }},
    {"shutdown_text", [](PeerSettings& peer) { peer.shutdown_text = "later"; }},
};
INSTANTIATE_TEST_SUITE_P(by, SpeakerChange, testing::ValuesIn(kChanges),
                         [](const auto& info) { return std::string(info.param.name); });

MatchSettings in(const std::string& list) {
  MatchSettings match;
  match.prefix_list = list;
  return match;
}

/// 12 and 13 are told by policies "twelve" and "thirteen", 11 is taken by "eleven"; each by a list of that name.
struct Policed : Star {
  Policed() : Star(make()) {
    start();
    announce(11, nets4(0, 10));
    announce(14, nets4(100, 5));
    runFor(1s);
    clear();
  }
  static SpeakerSettings make() {
    SpeakerSettings settings = speakerSettings(1, {11, 12, 13, 14});
    for (const char* name : {"eleven", "twelve", "thirteen"}) {
      settings.book.prefix_lists[name] = {{Prefix4{0x0A000000, 8}, 24, 24, false}};
      settings.book.policies[name] = policyOf(in(name), {});
    }
    settingsFor(settings, 11).import_policy = "eleven";
    settingsFor(settings, 12).export_policy = "twelve";
    settingsFor(settings, 13).export_policy = "thirteen";
    return settings;
  }
  void clear() {
    for (const std::uint8_t n : {std::uint8_t{11}, std::uint8_t{12}, std::uint8_t{13}, std::uint8_t{14}})
      peer(n).heard.clear();
  }
  void apply() {
    hub.apply(settings);
    runFor(1s);
  }
};

TEST(SpeakerReload, of_an_export_policy_changes_what_its_peers_are_told_and_nobody_else) {
  Policed star;
  star.settings.book.prefix_lists["twelve"].insert(star.settings.book.prefix_lists["twelve"].begin(),
                                                   {net4(3), 24, 24, true});
  star.apply();
  EXPECT_EQ(star.peer(12).known4.size(), 14u);
  EXPECT_FALSE(star.peer(12).known4.contains(net4(3)));
  for (const std::uint8_t n : {std::uint8_t{11}, std::uint8_t{13}, std::uint8_t{14}})
    EXPECT_THAT(star.peer(n).heard, IsEmpty()) << unsigned{n};
}

TEST(SpeakerReload, of_an_import_policy_tells_only_routes_that_have_changed) {
  Policed star;
  star.settings.book.prefix_lists["eleven"].insert(star.settings.book.prefix_lists["eleven"].begin(),
                                                   {net4(3), 24, 24, true});
  star.apply();
  for (const std::uint8_t n : {std::uint8_t{12}, std::uint8_t{13}})
    EXPECT_THAT(star.peer(n).messages(MessageType::update), ElementsAre(withdrawal<Prefix4>({net4(3)})));
  star.clear();
  star.settings = Policed::make();
  star.apply();
  EXPECT_EQ(star.peer(12).known4.size(), 15u);
  EXPECT_EQ(star.peer(12).repeated, 0u);
}

TEST(SpeakerReload, of_what_no_peer_uses_is_heard_by_nobody) {
  Policed star;
  star.settings.book.policies["spare"] = policyOf({}, {});
  star.settings.book.prefix_lists["spare"] = {};
  star.apply();
  star.settings = Policed::make();
  star.apply();
  for (const std::uint8_t n : {std::uint8_t{11}, std::uint8_t{12}, std::uint8_t{13}})
    EXPECT_THAT(star.peer(n).heard, IsEmpty());
}

TEST(SpeakerReload, of_decision_settings_chooses_anew) {
  Star star({11, 12, 13});
  star.start();
  star.announce(11, {net4(1)}, attributesOf({65011}, {{4, attribute(0x80, 4, number(9))}}));
  star.announce(12, {net4(1)}, attributesOf({65012}, {{4, attribute(0x80, 4, number(1))}}));
  star.runFor(1s);
  EXPECT_EQ(star.peer(13).known4.at(net4(1)).attributes, attributesOf({65001, 65011}));
  star.settings.decision.compare_med = star.settings.decision.always_compare_med = true;
  EXPECT_THAT(star.hub.apply(star.settings), ElementsAre("decision"));
  star.runFor(1s);
  EXPECT_EQ(star.peer(13).known4.at(net4(1)).attributes, attributesOf({65001, 65012}));
}

TEST(SpeakerReload, that_shuts_a_peer_down_says_why_until_it_is_up_again) {
  Star star({11});
  star.start();
  star.settings.peers[0].shutdown = true;
  star.settings.peers[0].shutdown_text = "moving racks";
  star.hub.apply(star.settings);
  star.runFor(1h);
  ASSERT_TRUE(star.peer(11).notification());
  EXPECT_EQ(star.peer(11).notification()->subcode, subcode::kAdministrativeShutdown);
  EXPECT_EQ(shutdownText(*star.peer(11).notification()), "moving racks");
  EXPECT_EQ(star.hub.state("11"), State::Idle);
  star.settings.peers[0].shutdown = false;
  star.hub.apply(star.settings);
  star.runFor(1s);
  EXPECT_EQ(star.hub.state("11"), State::Established);
}

TEST(SpeakerReload, before_the_start_begins_nothing) {
  SpeakerSettings settings = speakerSettings(1, {11});
  settings.peers[0].shutdown = true;
  Star star(settings);
  settings.peers[0].shutdown = false;
  star.hub.apply(settings);
  star.runFor(5s);
  EXPECT_EQ(star.hub.peering("11").machine.counters().attempts, 0u);
  star.start();
}

TEST(SpeakerReload, that_removes_a_peer_takes_its_routes_from_all) {
  Star star({11, 12});
  star.start();
  star.announce(11, nets4(0, 20000));
  star.runFor(1s);
  star.settings.peers.erase(star.settings.peers.begin());
  EXPECT_THAT(star.hub.apply(star.settings), ElementsAre("peer 11: removed"));
  EXPECT_EQ(star.hub.speaker().peering("11"), nullptr);
  star.runFor(1s);
  EXPECT_EQ(star.peer(11).notification(), (Notification{ErrorCode::cease, subcode::kPeerDeconfigured, {}}));
  EXPECT_THAT(star.peer(12).known4, IsEmpty());
  EXPECT_EQ(star.hub.speaker().attributes().size(), 0u);
  EXPECT_EQ(star.hub.speaker().peering(PeerIndex{1}), nullptr);
}

TEST(SpeakerReload, that_adds_a_peer_again_at_once_mixes_no_old_routes_with_new_ones) {
  Star star({11, 12});
  star.start();
  star.announce(11, nets4(0, 20000));
  star.runFor(1s);
  star.hub.cost = 1s;
  const SpeakerSettings both = star.settings;
  star.settings.peers.erase(star.settings.peers.begin());
  star.hub.apply(star.settings);
  EXPECT_THAT(star.hub.apply(both), ElementsAre("peer 11: added"));
  star.runFor(6s);
  star.announce(11, nets4(19000, 2000), attributesOf({65011, 65099}));
  star.runFor(2min);
  EXPECT_EQ(star.hub.state("11"), State::Established);
  EXPECT_EQ(star.peer(12).known4.size(), 2000u);
  EXPECT_EQ(star.hub.speaker().routes(star.hub.peering("11"), kIpv4Unicast).paths, 2000u);
  EXPECT_EQ(star.hub.speaker().advertised(star.hub.peering("12"), kIpv4Unicast), 2000u);
}

TEST(SpeakerReload, that_removes_a_peer_with_its_policy_survives_other_interfaces) {
  Policed star;
  star.hub.cost = 1s;
  star.settings.peers.erase(star.settings.peers.begin());
  star.settings.book.policies.erase("eleven");
  star.hub.tell([&](Speaker& speaker, TimePoint now) {
    speaker.apply(star.settings, now);
    speaker.setInterfaces(interfacesOf(1));
  });
  star.runFor(1min);
  EXPECT_EQ(star.peer(12).known4.size(), 5u);
}

TEST(SpeakerReload, that_removes_a_peer_while_it_is_connected_to_leaves_the_connection_to_nobody) {
  Star star({11, 12});
  star.net.delay = 500ms;
  star.hub.start();
  star.runFor(100ms);
  star.settings.peers.erase(star.settings.peers.begin());
  star.hub.apply(star.settings);
  star.runFor(100ms);
  ASSERT_EQ(star.hub.speaker().peering(PeerIndex{1}), nullptr);
  // What has come of the attempt is known by now, but crosses the cancellation.
  star.hub.tell([&](Speaker& speaker, TimePoint now) {
    speaker.connectFailed(1, AttemptId{1}, "refused", now);
    speaker.connected(1, AttemptId{1}, star.net.lone(star.hub), {v4(1), 50000}, now);
  });
  star.runFor(5s);
  EXPECT_FALSE(star.peer(11).connected());
  EXPECT_TRUE(star.peer(12).up());
}

}  // namespace
}  // namespace poplink::host::bgp
