// SPDX-License-Identifier: Apache-2.0
// Another export policy: what it makes something else of is told, and what it does not is not.
#include "bgp_speaker_lab.h"

namespace poplink::host::bgp {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// 11 has a thousand routes and more, 13 two, and 12 is told them by a policy: routes of the list "marked" get a
/// community.
struct Marked : Star {
  Marked() : Star(make()) {
    start();
    announce(11, nets4(0, kRoutes - 2));
    announce(13, {net4(20000), net4(20001)});
    runFor(1s);
    peer(12).heard.clear();
  }
  static SpeakerSettings make() {
    SpeakerSettings settings = speakerSettings(1, {11, 12, 13});
    settingsFor(settings, 12).export_policy = "out";
    settings.book.prefix_lists["marked"] = {};
    mark(settings, 7);
    return settings;
  }
  static void mark(SpeakerSettings& settings, std::uint32_t community, const char* name = "marks") {
    MatchSettings match;
    match.prefix_list = "marked";
    SetSettings set;
    set.add = {Community{community}};
    PolicySettings policy = policyOf(match, set);
    policy.terms[0].name = name;
    policy.terms.emplace_back().name = "others";
    settings.book.policies["out"] = policy;
  }
  void apply() {
    peer(12).heard.clear();
    hub.apply(settings);
    runFor(1s);
  }
  static Bytes marked(std::uint8_t from, std::uint32_t prefix, std::uint32_t community) {
    return announcement<Prefix4>({net4(prefix)}, v4(1),
                                 attributesOf({65001, 65000u + from}, {{8, communities({community})}}));
  }

  static constexpr std::uint32_t kRoutes = 5000;
};

TEST(SpeakerReloadOfExport, tells_only_routes_that_it_changes) {
  Marked star;
  star.settings.book.prefix_lists["marked"] = {{net4(3), 24, 24, false}, {net4(20001), 24, 24, false}};
  star.apply();
  EXPECT_THAT(star.peer(12).messages(MessageType::update),
              UnorderedElementsAre(Marked::marked(11, 3, 7), Marked::marked(13, 20001, 7)));
  star.settings.book.prefix_lists["marked"].pop_back();
  star.apply();
  EXPECT_THAT(star.peer(12).messages(MessageType::update),
              UnorderedElementsAre(announcement<Prefix4>({net4(20001)}, v4(1), attributesOf({65001, 65013}))));
  EXPECT_EQ(star.peer(12).repeated, 0u);
}

TEST(SpeakerReloadOfExport, says_nothing_where_another_policy_makes_the_same_of_all) {
  Marked star;
  star.settings.book.prefix_lists["marked"] = {{net4(30000), 24, 24, false}};
  Marked::mark(star.settings, 8, "another name");
  star.apply();
  EXPECT_THAT(star.peer(12).heard, IsEmpty());
}

TEST(SpeakerReloadOfExport, leaves_a_refresh_to_tell_everything) {
  Marked star;
  star.settings.book.prefix_lists["marked"] = {{net4(30000), 24, 24, false}};
  star.apply();
  star.peer(12).send(encode(RouteRefresh{kIpv4Unicast, RefreshSubtype::request}));
  star.runFor(1s);
  EXPECT_EQ(star.peer(12).repeated, Marked::kRoutes);
  // Also while other rules are on their way.
  star.settings.book.prefix_lists["marked"] = {{net4(30001), 24, 24, false}};
  star.hub.apply(star.settings);
  star.hub.tell([&](Speaker& speaker, TimePoint now) {
    EXPECT_TRUE(speaker.work(now)) << "one slice is not all";
    speaker.clearSoftOut(star.hub.peering("12").index);
  });
  star.runFor(1s);
  EXPECT_EQ(star.peer(12).repeated, 2 * Marked::kRoutes);
}

TEST(SpeakerReloadOfExport, takes_the_place_of_one_that_is_still_being_told) {
  // What was told before, what is being told, and what is told then.
  const std::uint32_t cases[][3] = {{7, 8, 7}, {7, 8, 8}, {7, 8, 9}};
  for (const auto& [before, meanwhile, then] : cases) {
    Marked star;
    star.settings.book.prefix_lists["marked"] = {{Prefix4{0x0A000000, 8}, 24, 24, false}};
    Marked::mark(star.settings, before);
    star.apply();
    star.hub.tell([&](Speaker& speaker, TimePoint now) {
      Marked::mark(star.settings, meanwhile, "meanwhile");
      speaker.apply(star.settings, now);
      EXPECT_TRUE(speaker.work(now)) << "one slice is not all";
      Marked::mark(star.settings, then, "then");
      speaker.apply(star.settings, now);
    });
    star.runFor(1s);
    EXPECT_EQ(star.peer(12).known4.size(), Marked::kRoutes);
    const Bytes attributes = communities({then});
    for (const auto& [prefix, known] : star.peer(12).known4)
      EXPECT_FALSE(std::ranges::search(known.attributes, attributes).empty()) << toString(prefix) << " " << then;
  }
}

/// 11 has five thousand routes, 12 to 17 are told them by one policy, 18 by another.
struct Equals : Star {
  Equals() : Star(make()) {
    start();
    announce(11, nets4(0, Marked::kRoutes));
    runFor(1s);
  }
  static SpeakerSettings make() {
    SpeakerSettings settings = speakerSettings(1, {11, 12, 13, 14, 15, 16, 17, 18});
    settings.book.prefix_lists["marked"] = {{net4(3), 24, 24, false}};
    Marked::mark(settings, 7);
    for (std::uint8_t n = 12; n < 18; ++n) settingsFor(settings, n).export_policy = "out";
    return settings;
  }
  std::size_t groups() { return hub.speaker().groups<Prefix4>().groups(); }
};

TEST(SpeakerReloadOfExport, copies_what_peers_know_once_where_they_stay_equal) {
  Equals star;
  EXPECT_EQ(star.groups(), 2u);
  Marked::mark(star.settings, 8);
  settingsFor(star.settings, 17).export_policy = "accept-all";
  star.hub.apply(star.settings);
  EXPECT_EQ(star.groups(), 3u) << "17 of the rules that 18 has, but on its way to them";
  star.runFor(1s);
  EXPECT_EQ(star.groups(), 2u);
  for (std::uint8_t n = 12; n < 17; ++n) {
    EXPECT_EQ(star.peer(n).known4.at(net4(3)).attributes, attributesOf({65001, 65011}, {{8, communities({8})}})) << +n;
    EXPECT_EQ(star.peer(n).repeated, 0u) << +n;
  }
  EXPECT_EQ(star.peer(17).known4.at(net4(3)).attributes, attributesOf({65001, 65011})) << "17";
}

TEST(SpeakerReloadOfExport, and_a_refresh_of_all_have_a_group_for_equals_each) {
  Equals star;
  const auto refresh = [&star](Speaker& speaker, TimePoint) {
    for (std::uint8_t n = 12; n < 18; ++n) speaker.clearSoftOut(star.hub.peering(std::to_string(n)).index);
  };
  star.hub.tell(refresh);
  EXPECT_EQ(star.groups(), 2u);
  star.hub.tell([&](Speaker& speaker, TimePoint now) {
    EXPECT_TRUE(speaker.work(now)) << "one slice is not all";
    refresh(speaker, now);
  });
  EXPECT_EQ(star.groups(), 2u);
  star.runFor(1s);
  EXPECT_EQ(star.groups(), 2u);
  for (std::uint8_t n = 12; n < 18; ++n) {
    EXPECT_EQ(star.peer(n).known4.size(), Marked::kRoutes) << +n;
    EXPECT_GE(star.peer(n).repeated, Marked::kRoutes) << +n;
  }
}

}  // namespace
}  // namespace poplink::host::bgp
