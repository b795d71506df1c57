// SPDX-License-Identifier: Apache-2.0
// Which routes of a peer are taken, and why others are not (RFC 4271 section 9.1.2, RFC 8212, 8326, 9234).
#include "bgp_speaker_lab.h"

namespace poplink::host::bgp {
namespace {

/// Why the peer's route to net4(1) is no candidate; nullopt: it has none.
std::optional<Ineligible> why(const Star& star, std::uint8_t n) {
  const auto& table = star.hub.speaker().table<Prefix4>();
  const PrefixId id = table.find(net4(1));
  if (id == kNoPrefix) return std::nullopt;
  for (PathId path = table.firstPath(id); path != kNoPath; path = table.path(path).next)
    if (table.path(path).peer == star.hub.peering(std::to_string(n)).index) return table.path(path).why;
  return std::nullopt;
}

/// A route to net4(1) of peer 11, taken or not.
struct OneRoute {
  const char* name;
  std::function<void(PeerSettings&)> change = [](PeerSettings&) {};
  std::vector<Asn> path = {65011};
  Address next_hop = v4(11);
  Ineligible expected = Ineligible::none;
};

void PrintTo(const OneRoute& one, std::ostream* out) {
  *out << one.name;
}

class SpeakerImport : public testing::TestWithParam<OneRoute> {};

TEST_P(SpeakerImport, takes_it_or_says_why_not) {
  SpeakerSettings settings = speakerSettings(1, {11, 12});
  GetParam().change(settings.peers[0]);
  Star star(settings);
  star.start();
  star.peer(11).send(announcement<Prefix4>({net4(1)}, GetParam().next_hop, attributesOf(GetParam().path)));
  star.runFor(1s);
  ASSERT_EQ(star.hub.state("11"), State::Established);
  EXPECT_EQ(why(star, 11), GetParam().expected);
  EXPECT_EQ(star.peer(12).known4.size(), GetParam().expected == Ineligible::none ? 1u : 0u);
}

const OneRoute kRoutes[] = {
    {.name = "plain"},
    {.name = "own_as", .path = {65011, 65001}, .expected = Ineligible::own_as},
    {.name = "own_as_once_allowed",
     .change = [](PeerSettings& peer) { peer.allow_own_as = 1; },
     .path = {65011, 65001}},
    {.name = "own_as_twice_where_once_is_allowed",
     .change = [](PeerSettings& peer) { peer.allow_own_as = 1; },
     .path = {65011, 65001, 65001},
     .expected = Ineligible::own_as},
    {.name = "local_as_of_the_session",
     .change = [](PeerSettings& peer) { peer.session.open.local_as = 64999; },
     .path = {65011, 64999},
     .expected = Ineligible::own_as},
    {.name = "as_of_the_instance_where_the_session_has_another",
     .change = [](PeerSettings& peer) { peer.session.open.local_as = 64999; },
     .path = {65011, 65001},
     .expected = Ineligible::own_as},
    {.name = "path_of_somebody_else", .path = {65012, 65011}, .expected = Ineligible::first_as},
    {.name = "empty_path", .path = {}, .expected = Ineligible::first_as},
    {.name = "path_of_somebody_else_from_a_route_server",
     .change = [](PeerSettings& peer) { peer.session.open.role = BgpRole::route_server_client; },
     .path = {65012, 65011}},
    {.name = "next_hop_of_another_host_on_the_network", .next_hop = v4(200)},
    {.name = "next_hop_elsewhere", .next_hop = Ipv4{0xC6336401}, .expected = Ineligible::next_hop_unreachable},
    {.name = "next_hop_ourselves", .next_hop = v4(1), .expected = Ineligible::own_next_hop},
    {.name = "without_policy",
     .change = [](PeerSettings& peer) { peer.import_policy.reset(); },
     .expected = Ineligible::policy},
};

INSTANTIATE_TEST_SUITE_P(by, SpeakerImport, testing::ValuesIn(kRoutes),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(SpeakerImportOf, an_internal_peer_needs_no_policy_and_no_first_as) {
  SpeakerSettings settings = speakerSettings(1, {11});
  settings.peers[0].session.open.peer_as = 65001;
  settings.peers[0].session.open.allow_internal = true;
  settings.peers[0].import_policy.reset();
  Star star(settings);
  star.start();
  star.announce(11, {net4(1)}, attributesOf({65099}, {{5, attribute(0x40, 5, number(100))}}));
  star.runFor(1s);
  EXPECT_EQ(why(star, 11), Ineligible::none);
}

TEST(SpeakerImportOf, our_own_route_that_an_internal_peer_reflects_is_refused) {
  SpeakerSettings settings = speakerSettings(1, {11});
  settings.peers[0].session.open.peer_as = 65001;
  settings.peers[0].session.open.allow_internal = true;
  Star star(settings);
  star.start();
  star.announce(11, {net4(1)},
                attributesOf({65099}, {{5, attribute(0x40, 5, number(100))}, {9, attribute(0x80, 9, number(1))}}));
  star.runFor(1s);
  EXPECT_EQ(why(star, 11), Ineligible::own_router_id);
}

TEST(SpeakerImportOf, a_next_hop_depends_on_interfaces_and_settings_as_they_are_now) {
  SpeakerSettings settings = speakerSettings(1, {11, 12});
  settings.peers[0].hops = 2;  // not reachable by being a neighbor
  Star star(settings);
  star.start();
  star.announce(11, {net4(1)});
  star.runFor(1s);
  ASSERT_EQ(why(star, 11), Ineligible::none);
  star.hub.tell([](Speaker& speaker, TimePoint) { speaker.setInterfaces({}); });
  star.runFor(1s);
  EXPECT_EQ(why(star, 11), Ineligible::next_hop_unreachable);
  EXPECT_THAT(star.peer(12).known4, testing::IsEmpty());
  settings.reachable = {Prefix4{0xC0000200, 24}};
  EXPECT_THAT(star.hub.apply(settings), testing::ElementsAre("reachable"));
  star.runFor(1s);
  EXPECT_EQ(why(star, 11), Ineligible::none);
  EXPECT_EQ(star.peer(12).known4.size(), 1u);
}

TEST(SpeakerImportOf, a_route_with_graceful_shutdown_comes_last_whatever_policy_prefers) {
  SpeakerSettings settings = speakerSettings(1, {11, 12, 13});
  SetSettings preferred;
  preferred.local_pref = 500;
  settings.book.policies["preferred"] = policyOf({}, preferred);
  settingsFor(settings, 11).import_policy = "preferred";
  Star star(settings);
  star.start();
  star.announce(11, {net4(1)}, attributesOf({65011}));
  star.announce(12, {net4(1)}, attributesOf({65012, 65098, 65099}));
  star.runFor(1s);
  EXPECT_EQ(star.peer(13).known4.at(net4(1)).attributes, attributesOf({65001, 65011}));
  star.announce(11, {net4(1)}, attributesOf({65011}, {{8, communities({0xFFFF0000})}}));
  star.runFor(1s);
  EXPECT_EQ(star.peer(13).known4.at(net4(1)).attributes, attributesOf({65001, 65012, 65098, 65099}));
}

// RFC 9234 section 5: our role in both sessions, what came, and what is told of it; nothing: it is not.
struct Leak {
  BgpRole with_source, with_sink;
  std::optional<Asn> came, goes;
};

class SpeakerRoles : public testing::TestWithParam<Leak> {};

TEST_P(SpeakerRoles, of_ingress_and_egress) {
  const Leak& leak = GetParam();
  SpeakerSettings settings = speakerSettings(1, {11, 12});
  settings.peers[0].session.open.role = leak.with_source;
  settings.peers[1].session.open.role = leak.with_sink;
  Star star(settings);
  star.start();
  AttributeMap others;
  if (leak.came) others[35] = attribute(0xC0, 35, number(*leak.came));
  star.announce(11, {net4(1)}, attributesOf({65011}, others));
  star.runFor(1s);
  ASSERT_EQ(star.peer(12).known4.size(), leak.goes ? 1u : 0u);
  if (!leak.goes) return;
  EXPECT_EQ(star.peer(12).known4.at(net4(1)).attributes,
            attributesOf({65001, 65011}, {{35, attribute(0xC0, 35, number(*leak.goes))}}));
}

constexpr auto kProvider = BgpRole::provider, kCustomer = BgpRole::customer, kLateral = BgpRole::peer,
               kServer = BgpRole::route_server, kClient = BgpRole::route_server_client;

INSTANTIATE_TEST_SUITE_P(
    by, SpeakerRoles,
    testing::Values(
        // Ingress 1: from a customer, or a client of ours as a route server, with OTC: a leak.
        Leak{kProvider, kProvider, 65099, {}}, Leak{kServer, kProvider, 65099, {}},
        // Ingress 2: from a lateral peer with another's OTC: a leak; with its own it goes to customers.
        Leak{kLateral, kProvider, 65099, {}}, Leak{kLateral, kProvider, 65011, 65011},
        // Ingress 3: from above without OTC it gets the sender's.
        Leak{kCustomer, kProvider, {}, 65011}, Leak{kLateral, kProvider, {}, 65011},
        Leak{kClient, kProvider, {}, 65011}, Leak{kCustomer, kProvider, 65099, 65099},
        // Egress 1: downwards without OTC it gets ours.
        Leak{kProvider, kProvider, {}, 65001}, Leak{kProvider, kLateral, {}, 65001},
        Leak{kProvider, kServer, {}, 65001}, Leak{kServer, kServer, {}, 65001},
        // Egress 2: upwards and sideways nothing with OTC goes.
        Leak{kCustomer, kCustomer, {}, {}}, Leak{kCustomer, kLateral, {}, {}}, Leak{kCustomer, kClient, {}, {}},
        Leak{kLateral, kLateral, {}, {}}, Leak{kClient, kCustomer, 65011, {}}));

TEST(SpeakerRolesOf, a_customers_route_go_up_as_they_came) {
  SpeakerSettings settings = speakerSettings(1, {11, 12});
  settings.peers[0].session.open.role = kProvider;
  settings.peers[1].session.open.role = kCustomer;
  Star star(settings);
  star.start();
  star.announce(11, {net4(1)});
  star.runFor(1s);
  EXPECT_EQ(star.peer(12).known4.at(net4(1)).attributes, attributesOf({65001, 65011}));
}

}  // namespace
}  // namespace poplink::host::bgp
