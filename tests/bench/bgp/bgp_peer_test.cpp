// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

#include "heard_routes.h"
#include "scenario.h"
#include "update_builder.h"

namespace poplink::bench {
namespace {

namespace bgp = host::bgp;
using Bytes = std::vector<std::uint8_t>;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;

constexpr std::size_t kRoutes = 500;
constexpr bgp::UpdateContext kContext{.ipv6_unicast = true};

/// Calls visit(update) with each UPDATE of a sender's stream.
template <class Visit>
void forEachUpdate(bgp::Octets stream, Visit&& visit) {
  bgp::DecodeSpace space;
  while (!stream.empty()) {
    const auto message = std::get<bgp::Message>(bgp::nextMessage(stream));
    ASSERT_EQ(message.type, bgp::MessageType::update);
    const bgp::Update update = bgp::decodeUpdate(message.body, kContext, space);
    ASSERT_EQ(update.findings.count(), 0U);
    visit(update);
    stream = stream.subspan(message.size());
  }
}

/// How a speaker may spoil a route.
struct Speaker {
  bgp::Address next_hop;
  bgp::Asn prepended;
  bool communities = true;
  std::size_t passed_on = kRoutes;
};

/// A receiver of one of the scenarios with one sender, and a speaker between them.
class Heard {
 public:
  explicit Heard(const char* name = "load")
      : scenario(makeScenario(name, kRoutes, 7)),
        index(indexOf(scenario.table.prefixes())),
        heard(index, scenario.table.prefixes()),
        right{scenario.speaker.address, scenario.speaker.asn} {
    begin(0);
  }

  void begin(std::size_t phase) { heard.expect(scenario.phases[phase].expected); }

  void passOn(const Speaker& speaker) {
    std::size_t passed_on = 0;
    forEachUpdate(scenario.phases[0].streams[0], [&](const bgp::Update& update) {
      Bytes attributes = bgp::withPrepended(update.canonical, speaker.prepended, 1);
      if (!speaker.communities)
        attributes =
            bgp::withChanges(attributes, std::vector<bgp::AttributeChange>{{bgp::AttributeType::communities, {}}});
      const auto one = [&](const auto& prefix) {
        if (passed_on++ < speaker.passed_on) announce(prefix, speaker.next_hop, attributes);
      };
      bgp::forEachPrefix<bgp::Prefix4>(update.announced.nlri, one);
      bgp::forEachPrefix<bgp::Prefix6>(update.mp_announced.nlri, one);
    });
  }

  template <class Prefix>
  void announce(const Prefix& prefix, const bgp::Address& next_hop, const Bytes& attributes) {
    const auto form =
        std::is_same_v<Prefix, bgp::Prefix4> ? bgp::UpdateForm::ipv4 : bgp::UpdateForm::ipv6_multiprotocol;
    bgp::UpdateBuilder builder =
        bgp::UpdateBuilder::announce(form, {next_hop, std::nullopt}, bgp::wireAttributes(attributes, true));
    builder.add(prefix);
    forEachUpdate(builder.take(), [&](const bgp::Update& update) { heard.take(update); });
  }

  Scenario scenario;
  PrefixIndex index;
  HeardRoutes heard;
  Speaker right;
};

TEST(BgpBench, routes_are_the_same_for_the_same_seed_only) {
  const RouteTable one(bgp::kIpv4Unicast, kRoutes, 7), again(bgp::kIpv4Unicast, kRoutes, 7),
      other(bgp::kIpv4Unicast, kRoutes, 8);
  EXPECT_TRUE(std::ranges::equal(one.prefixes(), again.prefixes()));
  EXPECT_FALSE(std::ranges::equal(one.prefixes(), other.prefixes()));
}

TEST(BgpBench, prefixes_differ_and_about_six_share_their_attributes) {
  for (const bgp::Family family : {bgp::kIpv4Unicast, bgp::kIpv6Unicast}) {
    const RouteTable table(family, 20'000, 7);
    const std::set<Prefix> different(table.prefixes().begin(), table.prefixes().end());
    EXPECT_EQ(different.size(), 20'000U);
    EXPECT_EQ(table.end(table.sets() - 1), 20'000U);
    EXPECT_NEAR(20'000.0 / static_cast<double>(table.sets()), 6.0, 0.3);
  }
}

TEST(BgpBench, a_right_speaker_is_found_right_in_both_families) {
  for (const char* name : {"load", "ipv6"}) {
    Heard one(name);
    EXPECT_FALSE(one.heard.asExpected());
    one.passOn(one.right);
    EXPECT_TRUE(one.heard.asExpected());
    EXPECT_THAT(one.heard.differences(), IsEmpty());
    one.begin(1);
    EXPECT_FALSE(one.heard.asExpected());
    forEachUpdate(one.scenario.phases[1].streams[0], [&](const bgp::Update& update) { one.heard.take(update); });
    EXPECT_TRUE(one.heard.asExpected());
  }
}

TEST(BgpBench, a_route_that_is_not_passed_on_is_missing) {
  Heard one;
  Speaker forgetful = one.right;
  forgetful.passed_on = kRoutes - 1;
  one.passOn(forgetful);
  EXPECT_FALSE(one.heard.asExpected());
  EXPECT_THAT(one.heard.differences(), ElementsAre(MatchesRegex("1 routes missing, such as .*/.*")));
}

TEST(BgpBench, another_path_other_communities_and_another_next_hop_are_wrong) {
  Heard one;
  Speaker wrong_asn = one.right, without_communities = one.right, wrong_next_hop = one.right;
  wrong_asn.prepended = 64999;
  without_communities.communities = false;
  wrong_next_hop.next_hop = one.scenario.senders[0].address;
  for (const Speaker& wrong : {wrong_asn, without_communities, wrong_next_hop}) {
    one.passOn(one.right);
    ASSERT_TRUE(one.heard.asExpected());
    one.passOn(wrong);
    EXPECT_FALSE(one.heard.asExpected());
    EXPECT_THAT(one.heard.differences(), ElementsAre(MatchesRegex(".* routes with other attributes, such as .*")));
  }
}

TEST(BgpBench, a_route_of_nobody_is_told_until_it_is_withdrawn) {
  Heard one;
  one.passOn(one.right);
  const bgp::Prefix4 foreign{0xc6120000, 24};
  one.announce(foreign, one.right.next_hop, Bytes{0x40, 1, 1, 0, 0x40, 2, 6, 2, 1, 0, 0, 0xfc, 0x58});
  EXPECT_FALSE(one.heard.asExpected());
  EXPECT_THAT(one.heard.differences(), ElementsAre("1 routes that nobody announced, such as 198.18.0.0/24"));
  bgp::UpdateBuilder gone = bgp::UpdateBuilder::withdraw(bgp::UpdateForm::ipv4);
  gone.add(foreign);
  forEachUpdate(gone.take(), [&](const bgp::Update& update) { one.heard.take(update); });
  EXPECT_TRUE(one.heard.asExpected());
}

TEST(BgpBench, a_route_that_stays_is_not_withdrawn) {
  Heard one;
  one.passOn(one.right);
  one.begin(1);
  EXPECT_THAT(one.heard.differences(), ElementsAre(MatchesRegex("500 routes not withdrawn, such as .*")));
}

/// Lengths of the paths of each prefix that the phase's senders announce.
std::map<Prefix, std::vector<std::size_t>> pathLengths(const Phase& phase) {
  std::map<Prefix, std::vector<std::size_t>> lengths;
  for (const Bytes& stream : phase.streams) {
    forEachUpdate(stream, [&](const bgp::Update& update) {
      bgp::forEachPrefix<bgp::Prefix4>(update.announced.nlri, [&](const bgp::Prefix4& prefix) {
        lengths[prefix].push_back(update.facts.path_length);
      });
    });
  }
  return lengths;
}

TEST(BgpBench, of_ten_senders_one_has_the_shortest_path) {
  const Scenario scenario = makeScenario("same", kRoutes, 7);
  const auto lengths = pathLengths(scenario.phases[0]);
  EXPECT_EQ(lengths.size(), kRoutes);
  for (const auto& [prefix, of_prefix] : lengths) {
    ASSERT_EQ(of_prefix.size(), 10U);
    EXPECT_EQ(std::ranges::count(of_prefix, std::ranges::min(of_prefix)), 1);
  }
}

TEST(BgpBench, half_of_the_routes_flip) {
  const Scenario scenario = makeScenario("flips", kRoutes, 7);
  std::size_t flipped = 0;
  for (std::size_t i = 0; i < kRoutes; ++i) flipped += scenario.phases[0].expected[i] != scenario.phases[1].expected[i];
  EXPECT_NEAR(static_cast<double>(flipped), kRoutes / 2.0, 30.0);
  EXPECT_EQ(pathLengths(scenario.phases[1]).size(), flipped);
}

TEST(BgpBench, another_name_is_no_scenario) {
  EXPECT_THROW(makeScenario("nonsense", 1, 1), std::invalid_argument);
}

}  // namespace
}  // namespace poplink::bench
