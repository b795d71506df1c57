// SPDX-License-Identifier: Apache-2.0
// Communities as words and as octets.
#include <gmock/gmock.h>

#include <random>

#include "bgp_octets.h"
#include "community.h"

namespace poplink::host::bgp {
namespace {

struct Row {
  const char* words;
  const char* octets;
};

class CommunityWords : public testing::TestWithParam<Row> {};

TEST_P(CommunityWords, are_read_and_written) {
  const auto community = parseCommunity(GetParam().words);
  ASSERT_TRUE(community);
  EXPECT_EQ(words(*community), GetParam().words);
  const CommunityOctets sent(*community);
  const Octets octets = sent.octets();
  EXPECT_EQ(Bytes(octets.begin(), octets.end()), fromHex(GetParam().octets));
}

const Row kRows[] = {
    {"64600:1", "fc58 0001"},
    {"0:0", "0000 0000"},
    {"65535:65535", "ffff ffff"},
    {"graceful-shutdown", "ffff 0000"},
    {"accept-own", "ffff 0001"},
    {"llgr-stale", "ffff 0006"},
    {"no-llgr", "ffff 0007"},
    {"blackhole", "ffff 029a"},
    {"no-export", "ffff ff01"},
    {"no-advertise", "ffff ff02"},
    {"no-export-subconfed", "ffff ff03"},
    {"no-peer", "ffff ff04"},
    {"64600:1:2", "0000fc58 00000001 00000002"},
    {"4294967295:4294967295:4294967295", "ffffffff ffffffff ffffffff"},
    {"rt:64600:7", "00 02 fc58 00000007"},
    {"rt:65535:4294967295", "00 02 ffff ffffffff"},
    {"soo:64600:7", "00 03 fc58 00000007"},
    {"rt:192.0.2.1:7", "01 02 c0000201 0007"},
    {"soo:192.0.2.1:65535", "01 03 c0000201 ffff"},
    {"rt:4200000001:7", "02 02 fa56ea01 0007"},
    {"rt:65536:0", "02 02 00010000 0000"},
    {"rt:64600L:7", "02 02 0000fc58 0007"},
    {"soo:64600L:7", "02 03 0000fc58 0007"},
    {"ext:4002fc5800000007", "40 02 fc58 00000007"},
    {"ext:030c000000000008", "03 0c 000000000008"},
};
INSTANTIATE_TEST_SUITE_P(Each, CommunityWords, testing::ValuesIn(kRows), [](const auto& info) {
  std::string name = info.param.words;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
});

TEST(CommunityWords, what_is_none_is_refused) {
  for (const char* text : {"",
                           ":",
                           "::",
                           ":::",
                           "64600",
                           "64600:",
                           ":1",
                           "65536:1",
                           "1:65536",
                           "-1:1",
                           "+1:1",
                           " 1:1",
                           "1:1 ",
                           "1:0x1",
                           "1:2:",
                           "1::2",
                           "1:2:3:4",
                           "4294967296:1:1",
                           "1:1:4294967296",
                           "No-Export",
                           "no-export ",
                           "rt:64600",
                           "rt:64600:",
                           "rt::7",
                           "rt:64600:4294967296",
                           "rt:65536:65536",
                           "rt:64600L:65536",
                           "rt:L:7",
                           "rt:64600l:7",
                           "rt:4294967296:1",
                           "rt:192.0.2:7",
                           "rt:192.0.2.256:7",
                           "rt:192.0.2.1:65536",
                           "rt:192.0.2.1L:7",
                           "RT:64600:7",
                           "ro:64600:7",
                           "ext:",
                           "ext:000102030405060",
                           "ext:00010203040506070",
                           "ext:000102030405060g",
                           "ext:0x01020304050607",
                           "ext:-001020304050607",
                           "ext:1:2"})
    EXPECT_FALSE(parseCommunity(text)) << text;
  EXPECT_FALSE(parseCommunity(std::string(100000, ':')));
  EXPECT_FALSE(parseCommunity(std::string_view("1:1\0", 4)));
  EXPECT_FALSE(parseCommunity(std::string_view("rt:192.0.2.1\0:7", 15)));
}

TEST(CommunityWords, every_value_comes_back) {
  std::mt19937_64 random(1);
  const auto number = [&random] { return static_cast<std::uint32_t>(random() >> (random() % 33)); };
  for (int round = 0; round < 20000; ++round) {
    ExtendedCommunity extended;
    for (std::uint8_t& octet : extended.octets) octet = static_cast<std::uint8_t>(number());
    extended.octets[0] %= 5;
    extended.octets[1] %= 5;
    for (const AnyCommunity& community :
         {AnyCommunity(Community{number()}), AnyCommunity(LargeCommunity{number(), number(), number()}),
          AnyCommunity(extended)})
      EXPECT_EQ(parseCommunity(words(community)), community) << words(community);
  }
}

TEST(CommunityOctets, belong_to_the_attribute_of_their_kind) {
  const Bytes standard(4), extended(8), large(12);
  PathFacts facts;
  facts.communities = standard;
  facts.extended_communities = extended;
  facts.large_communities = large;
  for (const char* text : {"64600:1", "rt:64600:1", "64600:1:2"}) {
    const CommunityOctets community(*parseCommunity(text));
    EXPECT_EQ(communitiesOf(facts, community.type()).size(), community.octets().size()) << text;
  }
  EXPECT_EQ(CommunityOctets(kNoExport).type(), AttributeType::communities);
  EXPECT_EQ(CommunityOctets(LargeCommunity{}).type(), AttributeType::large_communities);
  EXPECT_EQ(CommunityOctets(ExtendedCommunity{}).type(), AttributeType::extended_communities);
}

}  // namespace
}  // namespace poplink::host::bgp
