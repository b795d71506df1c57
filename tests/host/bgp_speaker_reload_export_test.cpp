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

}  // namespace
}  // namespace poplink::host::bgp
