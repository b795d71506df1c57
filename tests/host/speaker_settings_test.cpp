// SPDX-License-Identifier: Apache-2.0
// Rules of a speaker's settings that come from no file, and what is said of them.
#include "speaker_settings.h"

#include <gtest/gtest.h>

namespace poplink::host::bgp {
namespace {

constexpr Ipv4 kAcme = 0xC000'0202, kUs = 0xC000'0201;

PeerSettings external(const std::string& name, const Address& address) {
  PeerSettings peer;
  peer.name = name;
  peer.remote.address = address;
  peer.session.open.local_as = 64600;
  peer.session.open.peer_as = 65010;
  peer.session.open.router_id = kUs;
  return peer;
}

SpeakerSettings speaker() {
  SpeakerSettings settings;
  settings.asn = 64600;
  settings.router_id = kUs;
  settings.listen = {{Ipv4{}, 179}};
  settings.peers = {external("acme", kAcme)};
  settings.book.policies["in"].terms = {{.name = "first", .match = {}, .set = {}}};
  settings.book.prefix_lists["list"] = {{Prefix4{0x0A00'0000, 8}, 8, 24, false}};
  return settings;
}

struct Rule {
  const char* name;
  void (*break_it)(SpeakerSettings&);
  std::vector<std::string> said;
};

void PrintTo(const Rule& rule, std::ostream* to) {
  *to << rule.name;
}

class SpeakerRule : public ::testing::TestWithParam<Rule> {};

TEST_P(SpeakerRule, is_told_by_name_and_alone) {
  SpeakerSettings settings = speaker();
  GetParam().break_it(settings);
  EXPECT_EQ(problems(settings), GetParam().said);
}

using S = SpeakerSettings&;
INSTANTIATE_TEST_SUITE_P(
    settings, SpeakerRule,
    ::testing::Values(
        Rule{"none", [](S) {}, {}},
        Rule{"policy", [](S s) { s.peers[0].import_policy = "x"; }, {"peers[acme].import: there is no policy 'x'"}},
        Rule{"built_in_policies",
             [](S s) {
               s.peers[0].import_policy = kDenyAll;
               s.peers[0].export_policy = kAcceptAll;
             },
             {}},
        Rule{"no_name",
             [](S s) { s.peers[0].name.clear(); },
             {"peers[0].name: a name has 1 to 64 letters, digits and -._:"}},
        Rule{"term",
             [](S s) { s.book.policies["in"].terms[0].match.prefix_list = "x"; },
             {"policies.in[first].match.prefix_list: there is no prefix list 'x'"}},
        Rule{"set_and_removed",
             [](S s) {
               s.book.policies["in"].terms[0].set.med = 1;
               s.book.policies["in"].terms[0].set.remove_med = true;
             },
             {"policies.in[first].set.med: cannot be set and removed"}},
        Rule{"prepend",
             [](S s) { s.book.policies["in"].terms[0].set.prepend = 33; },
             {"policies.in[first].set.prepend: must not exceed 32"}},
        Rule{"range",
             [](S s) { s.book.prefix_lists["list"][0].to_bits = 33; },
             {"prefix_lists.list[0].to: must not exceed 32"}},
        Rule{"multipath_none", [](S s) { s.decision.multipath = 0; }, {"bgp.multipath: must be from 1 to 64"}},
        Rule{"multipath_many", [](S s) { s.decision.multipath = 65; }, {"bgp.multipath: must be from 1 to 64"}},
        Rule{"listen_port", [](S s) { s.listen[0].port = 0; }, {"bgp.listen[0].port: must not be 0"}},
        Rule{"port", [](S s) { s.peers[0].remote.port = 0; }, {"peers[acme].port: must not be 0"}},
        Rule{"hops", [](S s) { s.peers[0].hops = 0; }, {"peers[acme].hops: must be at least 1"}},
        Rule{"own_as", [](S s) { s.peers[0].allow_own_as = 11; }, {"peers[acme].allow_own_as: must not exceed 10"}},
        Rule{"md5",
             [](S s) { s.peers[0].md5_key = std::string(81, 'k'); },
             {"peers[acme].md5: the key must have 1 to 80 octets"}},
        Rule{"internal_by_accident",
             [](S s) { s.peers[0].session.open.peer_as = 64600; },
             {"peers[acme].asn: must differ from local_as, the session is external"}},
        Rule{"other_router_id",
             [](S s) { s.peers[0].session.open.router_id = 7; },
             {"peers[acme].router_id: must be the speaker's (RFC 4271 section 4.2)"}},
        Rule{"restart_time",
             [](S s) {
               s.peers[0].session.open.graceful_restart =
                   LocalGracefulRestart{.restart_seconds = 4096, .forwarding = {}};
             },
             {"peers[acme].graceful_restart.restart_time: must not exceed 4095 (RFC 4724)"}},
        Rule{"limit",
             [](S s) { s.peers[0].limits[kIpv4Unicast] = {.limit = 0, .restart = std::nullopt}; },
             {"peers[acme].prefix_limit.ipv4.max: must be at least 1"}},
        Rule{"limit_of_no_family",
             [](S s) { s.peers[0].limits[kIpv6Unicast] = {.limit = 1, .restart = std::nullopt}; },
             {"peers[acme].prefix_limit: IPv6 unicast is none of families"}},
        Rule{"shutdown_text",
             [](S s) { s.peers[0].shutdown_text = "no UTF-8: \xff"; },
             {"peers[acme].shutdown_text: must be at most 255 octets of UTF-8 (RFC 9003)"}},
        Rule{"all_at_once",
             [](S s) {
               s.asn = 0;
               s.peers[0].hops = 0;
               s.peers.push_back(external("acme", 0xC000'0203));
             },
             {"bgp.asn: must not be 0 (RFC 7607)", "peers[acme].hops: must be at least 1",
              "peers[acme].name: 'acme' is another peer's name too"}}),
    [](const auto& info) { return info.param.name; });

TEST(SpeakerSettings, shutdown_text_of_255_octets_is_sent_whole) {
  SpeakerSettings settings = speaker();
  settings.peers[0].shutdown_text = std::string(255, 'x');
  EXPECT_TRUE(problems(settings).empty());
}

TEST(SpeakerSettings, a_full_policy_is_none_too_many) {
  SpeakerSettings settings = speaker();
  auto& terms = settings.book.policies["in"].terms;
  for (std::size_t i = terms.size(); i < kMaxTerms; ++i)
    terms.push_back({.name = "t" + std::to_string(i), .match = {}, .set = {}});
  EXPECT_TRUE(problems(settings).empty());
}

TEST(SpeakerSettings, external_peers_without_policies_are_noticed) {
  SpeakerSettings settings = speaker();
  settings.peers.push_back(external("zenith", 0xC000'0203));
  settings.peers[1].import_policy = kAcceptAll;
  settings.peers.push_back(external("inside", 0xC000'0204));
  settings.peers[2].session.open.peer_as = 64600;
  settings.peers[2].session.open.allow_internal = true;
  EXPECT_TRUE(problems(settings).empty());
  EXPECT_EQ(notices(settings),
            (std::vector<std::string>{
                "peers[acme].import: no policy, so nothing of this external peer is taken (RFC 8212)",
                "peers[acme].export: no policy, so nothing is sent to this external peer (RFC 8212)",
                "peers[zenith].export: no policy, so nothing is sent to this external peer (RFC 8212)"}));
}

}  // namespace
}  // namespace poplink::host::bgp
