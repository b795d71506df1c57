// SPDX-License-Identifier: Apache-2.0
// A peer tells its routes again between marks (RFC 7313 section 4), and does not end that, or begins it anew: what of
// its routes goes, and when. With either family the same.
#include "bgp_speaker_lab.h"

namespace poplink::host::bgp {
namespace {

constexpr std::uint32_t kRoutes = 100;

/// Peer 11 has told 100 routes of each family, and 12 knows them.
template <class Prefix>
class SpeakerStaleRefresh : public testing::Test {
 protected:
  static constexpr bool kSix = std::is_same_v<Prefix, Prefix6>;
  static constexpr Family kFamily = kSix ? kIpv6Unicast : kIpv4Unicast;
  static constexpr Family kOther = kSix ? kIpv4Unicast : kIpv6Unicast;

  SpeakerStaleRefresh() {
    star.start();
    announceAll();
    EXPECT_EQ(known(), kRoutes);
  }
  void announceAll() {
    star.peer(11).send(announced<Prefix4>(0, kRoutes) + announced<Prefix6>(0, kRoutes));
    star.runFor(1s);
  }
  template <class Of>
  static Of net(std::uint32_t i) {
    if constexpr (std::is_same_v<Of, Prefix6>)
      return net6(i);
    else
      return net4(i);
  }
  template <class Of>
  static Bytes announced(std::uint32_t from, std::uint32_t count) {
    std::vector<Of> prefixes;
    for (std::uint32_t i = from; i < from + count; ++i) prefixes.push_back(net<Of>(i));
    const Address next_hop = std::is_same_v<Of, Prefix6> ? v6(11) : v4(11);
    return announcement(prefixes, next_hop, attributesOf({65011}));
  }
  static Bytes routes(std::uint32_t from, std::uint32_t count) { return announced<Prefix>(from, count); }
  static Bytes begin() { return encode(RouteRefresh{kFamily, RefreshSubtype::begin}); }
  static Bytes end() { return encode(RouteRefresh{kFamily, RefreshSubtype::end}); }
  void say(Bytes octets) {
    star.peer(11).send(std::move(octets));
    star.runFor(1s);
  }

  auto& prefixes() {
    if constexpr (kSix)
      return star.peer(12).known6;
    else
      return star.peer(12).known4;
  }
  std::size_t known() { return prefixes().size(); }
  std::size_t knownOfOther() { return kSix ? star.peer(12).known4.size() : star.peer(12).known6.size(); }
  std::size_t told() { return star.hub.countNews("bgp.stale", ""); }
  const StaleRoutes& stale() { return star.hub.peering("11").stale; }

  Star star{11, 12};
};

using Prefixes = testing::Types<Prefix4, Prefix6>;
TYPED_TEST_SUITE(SpeakerStaleRefresh, Prefixes);

TYPED_TEST(SpeakerStaleRefresh, without_end_is_ended_when_its_time_is_over) {
  this->say(this->begin() + this->routes(0, 30));
  this->star.runFor(358s);
  EXPECT_EQ(this->known(), kRoutes);
  EXPECT_THAT(this->stale().stale(), testing::ElementsAre(this->kFamily));
  this->star.runFor(2s);
  EXPECT_EQ(this->known(), 30u);
  EXPECT_EQ(this->knownOfOther(), kRoutes);
  EXPECT_EQ(this->star.peer(12).repeated, 0u);
  EXPECT_EQ(this->star.hub.countNews("bgp.stale", toString(this->kFamily)), 1u);
  EXPECT_EQ(this->told(), 1u);
  EXPECT_EQ(this->star.hub.state("11"), State::Established);
}

TYPED_TEST(SpeakerStaleRefresh, whose_end_comes_too_late_takes_nothing_more_away) {
  this->say(this->begin() + this->routes(0, 30));
  this->star.runFor(360s);
  this->say(this->routes(30, 10) + this->end());
  EXPECT_EQ(this->known(), 40u);
}

TYPED_TEST(SpeakerStaleRefresh, that_has_ended_is_not_waited_for) {
  this->say(this->begin() + this->routes(0, 30) + this->end());
  EXPECT_EQ(this->known(), 30u);
  EXPECT_FALSE(this->stale().deadline());
  this->star.runFor(10min);
  EXPECT_EQ(this->known(), 30u);
  EXPECT_EQ(this->told(), 0u);
}

TYPED_TEST(SpeakerStaleRefresh, that_begins_anew_has_its_full_time_again) {
  this->say(this->begin() + this->routes(0, 30));
  this->star.runFor(299s);
  this->say(this->begin() + this->routes(20, 20));
  this->star.runFor(358s);
  EXPECT_EQ(this->known(), kRoutes);
  this->star.runFor(2s);
  EXPECT_EQ(this->known(), 20u);
  EXPECT_TRUE(this->prefixes().contains(this->template net<TypeParam>(39)));
  EXPECT_EQ(this->told(), 1u);
}

TYPED_TEST(SpeakerStaleRefresh, of_one_family_says_nothing_of_the_other) {
  this->say(this->begin());
  this->star.runFor(100s);
  this->say(encode(RouteRefresh{this->kOther, RefreshSubtype::begin}));
  this->star.runFor(260s);
  EXPECT_EQ(this->known(), 0u);
  EXPECT_EQ(this->knownOfOther(), kRoutes);
  this->star.runFor(100s);
  EXPECT_EQ(this->knownOfOther(), 0u);
}

TYPED_TEST(SpeakerStaleRefresh, that_begins_hundreds_of_times_leaves_what_was_told_since_the_last_one) {
  for (const std::uint32_t times : {300u, 9000u}) {
    Bytes said;
    for (std::uint32_t i = 0; i < times; ++i) put(said, this->begin() + this->routes(i, 1));
    this->say(said);
    EXPECT_EQ(this->known(), times);
    this->say(this->begin() + this->routes(times - 5, 10));
    EXPECT_EQ(this->known(), times + 5u);
    this->say(this->end());
    EXPECT_EQ(this->known(), 10u);
    EXPECT_EQ(this->knownOfOther(), kRoutes);
  }
}

TYPED_TEST(SpeakerStaleRefresh, that_begins_hundreds_of_times_and_never_ends_is_ended_all_the_same) {
  Bytes said;
  for (std::uint32_t i = 0; i < 300; ++i) put(said, this->begin() + this->routes(i, 1));
  this->say(said);
  this->star.runFor(360s);
  EXPECT_EQ(this->known(), 1u);
}

/// As many as a generation has values, and one more or less: the end of the session is such a beginning, too.
TYPED_TEST(SpeakerStaleRefresh, that_begins_as_often_as_can_be_counted_leaves_nothing_when_the_session_ends) {
  for (const int times : {255, 8189, 8190, 8191}) {
    Bytes said;
    for (int i = 0; i < times; ++i) put(said, this->begin());
    this->say(said);
    EXPECT_EQ(this->known(), kRoutes) << times;
    this->star.comeAgain(11);
    EXPECT_EQ(this->known(), 0u) << times;
    this->announceAll();
    EXPECT_EQ(this->known(), kRoutes) << times;
    this->star.runFor(6min);  // so that its next end is not one of many in a row
  }
}

TYPED_TEST(SpeakerStaleRefresh, is_over_when_its_session_is) {
  this->say(this->begin() + this->routes(0, 30));
  this->star.comeAgain(11);
  EXPECT_EQ(this->known(), 0u);
  this->announceAll();
  EXPECT_FALSE(this->stale().deadline());
  this->say(this->end());
  this->star.runFor(10min);
  EXPECT_EQ(this->known(), kRoutes);
  EXPECT_EQ(this->told(), 0u);
}

TYPED_TEST(SpeakerStaleRefresh, is_over_when_its_peer_is_shut_down_or_taken_away) {
  this->say(this->begin() + this->routes(0, 30));
  this->star.hub.tell(
      [&](Speaker& speaker, TimePoint now) { speaker.shutdown(this->star.hub.peering("11").index, "", now); });
  EXPECT_FALSE(this->stale().deadline());
  this->star.runFor(1s);
  EXPECT_EQ(this->known(), 0u);
  this->star.hub.tell([&](Speaker& speaker, TimePoint now) { speaker.start(this->star.hub.peering("11").index, now); });
  this->star.runFor(5s);
  this->announceAll();
  this->say(this->begin());
  std::erase_if(this->star.settings.peers, [](const PeerSettings& peer) { return peer.name == "11"; });
  this->star.hub.apply(this->star.settings);
  this->star.runFor(10min);
  EXPECT_EQ(this->known(), 0u);
  EXPECT_EQ(this->told(), 0u);
}

TYPED_TEST(SpeakerStaleRefresh, that_ends_without_a_beginning_takes_nothing_away) {
  this->say(this->end());
  this->say(this->begin() + this->routes(0, kRoutes) + this->end() + this->end());
  EXPECT_EQ(this->known(), kRoutes);
}

}  // namespace
}  // namespace poplink::host::bgp
