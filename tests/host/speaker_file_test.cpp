// SPDX-License-Identifier: Apache-2.0
// Speaker files: what they mean, what is there without being said, and what is refused with which words.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "problems.h"
#include "read_speaker.h"
#include "speaker_values.h"

namespace poplink::host::bgp {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::string refusal(const fs::path& file) {
  try {
    readSpeaker(file.string());
    return "";
  } catch (const ConfigError& error) {
    return error.what();
  }
}

std::vector<std::string> badFiles() {
  std::vector<std::string> names;
  for (const auto& file : fs::directory_iterator(POPLINK_BAD_SPEAKERS))
    if (file.path().extension() == ".yaml") names.push_back(file.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

class BadSpeaker : public ::testing::TestWithParam<std::string> {};

/// The file begins with all that is wrong with it, each as "# expect :LINE: FIELD: TEXT".
TEST_P(BadSpeaker, is_refused_with_these_very_words) {
  const std::string name = GetParam() + ".yaml", folder = POPLINK_BAD_SPEAKERS "/";
  std::string expected;
  std::ifstream in(folder + name);
  for (std::string line; std::getline(in, line) && line.starts_with("# expect ");)
    expected += (expected.empty() ? "" : "\n") + name + line.substr(9);
  ASSERT_FALSE(expected.empty());
  std::string said = refusal(folder + name);
  ASSERT_TRUE(said.starts_with(folder)) << said;
  for (std::size_t at = 0; (at = said.find(folder)) != std::string::npos;) said.erase(at, folder.size());
  EXPECT_EQ(said, expected);
  EXPECT_EQ(said.find("vErySecret"), std::string::npos) << "a key is shown";
}

INSTANTIATE_TEST_SUITE_P(files, BadSpeaker, ::testing::ValuesIn(badFiles()),
                         [](const auto& info) { return info.param; });

TEST(BadSpeakers, are_many) {
  EXPECT_GE(badFiles().size(), 100U);
}

class SpeakerFile : public ::testing::Test {
 protected:
  SpeakerFile() : folder_(fs::temp_directory_path() / ("poplink-speaker-test-" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~SpeakerFile() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  SpeakerSettings read(const std::string& rest) const {
    return readSpeaker(write("speaker.yaml", "bgp: {asn: 64600, router_id: 192.0.2.1}\n" + rest).string());
  }
  PeerSettings peer(const std::string& keys, const std::string& defaults = "") const {
    return read("peer_defaults: {" + defaults + "}\npeers: [{name: acme, address: 192.0.2.2, asn: 65010, " + keys +
                "}]\n")
        .peers.at(0);
  }

  fs::path folder_;
};

TEST_F(SpeakerFile, needs_to_say_only_who_the_speaker_is) {
  SpeakerSettings expected;
  expected.asn = 64600;
  expected.router_id = ipv4(192, 0, 2, 1);
  expected.listen = {{Ipv4{}, 179}, {Ipv6{}, 179}};
  expected.decision = {.compare_med = false, .always_compare_med = false, .multipath = 4};
  EXPECT_EQ(read(""), expected);
}

TEST_F(SpeakerFile, a_peer_needs_to_say_only_who_it_is) {
  PeerSettings expected;
  expected.name = "acme";
  expected.remote = {ipv4(192, 0, 2, 2), 179};
  OpenSettings& open = expected.session.open;
  open.local_as = 64600;
  open.peer_as = 65010;
  open.router_id = ipv4(192, 0, 2, 1);
  open.families = {kIpv4Unicast};
  EXPECT_EQ(peer(""), expected);
  // What the documentation says of them.
  EXPECT_EQ(expected.hops, 1);
  EXPECT_EQ(open.hold_seconds, 90);
  EXPECT_EQ(open.minimum_hold_seconds, 0);
  EXPECT_EQ(open.keepalive_seconds, 0);
  EXPECT_TRUE(open.route_refresh);
  EXPECT_TRUE(open.enhanced_route_refresh);
  EXPECT_FALSE(open.extended_next_hop);
  EXPECT_EQ(expected.session.connect_retry, 30s);
  EXPECT_EQ(expected.session.delay_open, 0s);
  EXPECT_EQ(expected.session.idle_hold_first, 1s);
  EXPECT_EQ(expected.session.idle_hold_longest, 60s);
}

TEST_F(SpeakerFile, families_are_that_of_the_address_unless_said) {
  const auto peers = read(
                         "peers: [{name: a, address: '2001:db8::2', asn: 65010},"
                         " {name: b, address: '2001:db8::3', asn: 65010, families: [ipv4]}]\n")
                         .peers;
  EXPECT_EQ(peers.at(0).session.open.families, std::set{kIpv6Unicast});
  EXPECT_EQ(peers.at(1).session.open.families, std::set{kIpv4Unicast});
}

TEST_F(SpeakerFile, a_peer_of_the_same_as_is_internal) {
  EXPECT_TRUE(peer("local_as: 65010").session.open.allow_internal);
  EXPECT_FALSE(peer("local_as: 65011").session.open.allow_internal);
}

TEST_F(SpeakerFile, a_peer_takes_back_what_the_defaults_say) {
  write("some.key", "secret\n");
  const std::string defaults =
      "md5: file:some.key, role: peer, graceful_restart: {restart_time: 9, forwarding: true}, prefix_limit: {max: 9}, "
      "passive: true, drain: true, idle_hold: {first: 2}";
  const PeerSettings with = peer("", defaults);
  EXPECT_EQ(with.md5_key, "secret");
  EXPECT_EQ(with.session.open.role, BgpRole::peer);
  EXPECT_EQ(with.session.open.graceful_restart->forwarding, std::set{kIpv4Unicast});
  EXPECT_EQ(with.limits.at(kIpv4Unicast).limit, 9U);
  EXPECT_TRUE(with.session.passive);
  EXPECT_EQ(with.session.idle_hold_first, 2s);
  EXPECT_EQ(peer("md5: none, role: none, graceful_restart: none, prefix_limit: none, passive: false, drain: false, "
                 "idle_hold: {first: 1}",
                 defaults),
            peer(""));
}

TEST_F(SpeakerFile, graceful_restart_of_a_peer_takes_nothing_from_that_of_the_defaults) {
  const auto restart =
      peer("graceful_restart: {}", "graceful_restart: {helper: false, restart_time: 9, forwarding: true}")
          .session.open.graceful_restart;
  EXPECT_EQ(restart, LocalGracefulRestart{});
}

TEST_F(SpeakerFile, as_number_may_be_in_the_defaults) {
  const auto peers = read(
                         "peer_defaults: {asn: 65010}\npeers: [{name: a, address: 192.0.2.2},"
                         " {name: b, address: 192.0.2.3, asn: 65020}]\n")
                         .peers;
  EXPECT_EQ(peers.at(0).session.open.peer_as, 65010U);
  EXPECT_EQ(peers.at(1).session.open.peer_as, 65020U);
}

TEST_F(SpeakerFile, default_limits_are_taken_for_the_families_that_a_peer_has) {
  const std::string both = "prefix_limit: {ipv4: {max: 4}, ipv6: {max: 6, action: shut}}";
  const auto limits = peer("families: [ipv6]", both).limits;
  EXPECT_EQ(limits, (std::map<Family, LimitSettings>{{kIpv6Unicast, {.limit = 6, .restart = std::nullopt}}}));
  EXPECT_EQ(peer("families: [ipv4, ipv6]", both).limits.size(), 2U);
  EXPECT_EQ(peer("prefix_limit: {max: 1, action: warn}", both).limits.at(kIpv4Unicast).action, LimitAction::warn);
  EXPECT_EQ(peer("prefix_limit: {max: 1, action: restart}").limits.at(kIpv4Unicast).restart, 300s);
}

TEST_F(SpeakerFile, two_sessions_with_one_host_differ_by_port) {
  const auto peers = read(
                         "peers: [{name: a, address: 192.0.2.2, port: 1179, asn: 65010},"
                         " {name: b, address: 192.0.2.2, port: 2179, asn: 65010}]\n")
                         .peers;
  EXPECT_EQ(peers.size(), 2U);
}

TEST_F(SpeakerFile, ranges_of_prefixes_may_be_open_at_one_side) {
  const auto list = read(
                        "prefix_lists: {x: [{prefix: 10.0.0.0/8, from: 9}, {prefix: 10.0.0.0/8, to: 24},"
                        " {prefix: '2001:db8::/32', from: 48}, {prefix: 10.0.0.0/8}]}\n")
                        .book.prefix_lists.at("x");
  const Prefix4 ten{ipv4(10, 0, 0, 0), 8};
  EXPECT_EQ(
      list,
      (PrefixListSettings{
          {ten, 9, 32, false}, {ten, 8, 24, false}, {Prefix6{ipv6(0, 0), 32}, 48, 128, false}, {ten, 8, 8, false}}));
}

TEST_F(SpeakerFile, communities_are_what_they_are_called) {
  const auto term = read(
                        "policies: {x: [{name: a, match: {communities: ['no-export', 'no-advertise', "
                        "'no-export-subconfed', 'graceful-shutdown', 'blackhole', '65535:65535', "
                        "'4294967295:0:4294967295', 'soo:65535:4294967295', 'rt:65536:65535', 'no-peer', "
                        "'llgr-stale', 'rt:192.0.2.1:7', 'soo:64600L:7', 'ext:4002fc5800000007']}}]}\n")
                        .book.policies.at("x")
                        .terms.at(0);
  EXPECT_EQ(term.match.all_of,
            (std::vector<AnyCommunity>{
                Community{0xFFFF'FF01}, Community{0xFFFF'FF02}, Community{0xFFFF'FF03}, Community{0xFFFF'0000},
                Community{0xFFFF'029A}, Community{0xFFFF'FFFF}, LargeCommunity{0xFFFF'FFFF, 0, 0xFFFF'FFFF},
                extended({0, 3, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}), extended({2, 2, 0, 1, 0, 0, 0xFF, 0xFF}),
                Community{0xFFFF'FF04}, Community{0xFFFF'0006}, extended({1, 2, 192, 0, 2, 1, 0, 7}),
                extended({2, 3, 0, 0, 0xFC, 0x58, 0, 7}), extended({0x40, 2, 0xFC, 0x58, 0, 0, 0, 7})}));
}

TEST_F(SpeakerFile, med_is_compared_as_said) {
  const auto decision = [this](const std::string& med) {
    return readSpeaker(write("med.yaml", "bgp: {asn: 64600, router_id: 192.0.2.1, med: " + med + "}\n").string())
        .decision;
  };
  EXPECT_EQ(decision("ignore"), (DecisionSettings{.multipath = 4}));
  EXPECT_EQ(decision("compare"), (DecisionSettings{.compare_med = true, .multipath = 4}));
  EXPECT_EQ(decision("always-compare"),
            (DecisionSettings{.compare_med = true, .always_compare_med = true, .multipath = 4}));
}

TEST_F(SpeakerFile, listens_nowhere_when_told_so) {
  const auto file = write("speaker.yaml", "bgp: {asn: 64600, router_id: 192.0.2.1, listen: []}\n");
  EXPECT_TRUE(readSpeaker(file.string()).listen.empty());
}

TEST_F(SpeakerFile, bfd_may_be_off_in_every_spelling) {
  EXPECT_EQ(peer("bfd: off"), peer(""));
  EXPECT_EQ(peer("bfd: false"), peer(""));
}

TEST_F(SpeakerFile, key_is_the_first_line_of_a_file) {
  const std::string longest(80, 'k');
  write("unix.key", "a key \nanother\n");
  write("windows.key", "a key\r\n");
  write("open.key", "a key");
  write("longest.key", longest + "\r\n");
  EXPECT_EQ(peer("md5: file:unix.key").md5_key, "a key ");
  EXPECT_EQ(peer("md5: file:windows.key").md5_key, "a key");
  EXPECT_EQ(peer("md5: 'file:" + (folder_ / "open.key").string() + "'").md5_key, "a key") << "not only beside the file";
  EXPECT_EQ(peer("md5: file:longest.key").md5_key, longest);
}

TEST_F(SpeakerFile, an_address_does_not_end_at_a_zero_octet) {
  const auto file = write("speaker.yaml",
                          "bgp: {asn: 64600, router_id: 192.0.2.1}\n"
                          "peers: [{name: acme, address: \"192.0.2.2\\0\", asn: 65010}]\n");
  EXPECT_NE(refusal(file).find(":2: peers[0].address: must be an IPv4 or IPv6 address"), std::string::npos);
}

TEST_F(SpeakerFile, that_is_not_there_is_named) {
  EXPECT_EQ(refusal("/nowhere/speaker.yaml"), "/nowhere/speaker.yaml: cannot be read");
}

}  // namespace
}  // namespace poplink::host::bgp
