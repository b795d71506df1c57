// SPDX-License-Identifier: Apache-2.0
// Sessions between speakers, and that a route goes through.
#include "bgp_speaker_lab.h"

namespace poplink::host::bgp {
namespace {

TEST(SpeakerSession, comes_up_between_two_that_both_connect) {
  SpeakerLab lab;
  SpeakerHost& one = lab.speaker(1, speakerSettings(1, {2}));
  SpeakerHost& two = lab.speaker(2, speakerSettings(2, {1}));
  one.start();
  two.start();
  lab.runFor(2s);
  EXPECT_EQ(one.state("2"), State::Established);
  EXPECT_EQ(two.state("1"), State::Established);
  lab.runFor(1h);
  EXPECT_EQ(one.peering("2").machine.counters().established, 1u);
  EXPECT_EQ(two.peering("1").machine.counters().down, 0u);
}

TEST(SpeakerSession, takes_a_route_from_one_peer_to_another) {
  SpeakerLab lab;
  SpeakerHost& one = lab.speaker(1, speakerSettings(1, {11, 2}));
  SpeakerHost& two = lab.speaker(2, speakerSettings(2, {1, 12}));
  RawPeer& source = lab.raw(11, 1);
  RawPeer& sink = lab.raw(12, 2);
  one.start();
  two.start();
  lab.runFor(3s);
  ASSERT_TRUE(source.up());
  ASSERT_TRUE(sink.up());
  source.send(announcement<Prefix4>({net4(1)}, v4(11), attributesOf({65011, 65099})));
  lab.runFor(1s);
  const Known expected{{v4(2), {}}, attributesOf({65002, 65001, 65011, 65099})};
  EXPECT_THAT(sink.known4, testing::ElementsAre(testing::Pair(net4(1), expected)));
  EXPECT_THAT(source.known4, testing::IsEmpty());
  source.send(withdrawal<Prefix4>({net4(1)}));
  lab.runFor(1s);
  EXPECT_THAT(sink.known4, testing::IsEmpty());
}

}  // namespace
}  // namespace poplink::host::bgp
