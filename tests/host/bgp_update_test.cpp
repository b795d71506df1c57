// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>

#include "bgp_update_lab.h"
#include "update.h"

namespace poplink::host::bgp {
namespace {

UpdateContext dual() {
  UpdateContext context;
  context.ipv6_unicast = true;
  return context;
}

UpdateContext oldSpeaker() {
  UpdateContext context;
  context.four_octet_asn = false;
  return context;
}

Ipv6 doc(std::uint8_t last) {
  return {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last};
}
constexpr Ipv6 kLinkLocal{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};

std::vector<std::string> prefixes(const Routes& routes) {
  std::vector<std::string> all;
  const auto add = [&all](const auto& prefix) { all.push_back(toString(prefix)); };
  if (routes.family.afi == Afi::ipv4)
    forEachPrefix<Prefix4>(routes.nlri, add);
  else
    forEachPrefix<Prefix6>(routes.nlri, add);
  EXPECT_EQ(all.size(), routes.prefixes);
  return all;
}

using testing::ElementsAre;
using testing::IsEmpty;

/// Octets by hand, as RFC 4271 4.3 has them.
TEST(BgpUpdate, golden_bytes_of_ipv4) {
  const Decoded decoded(
      fromHex("0005 18 cb0071 00"
              "0039"
              "4001 01 00"
              "4002 0a 0202 0000fde9 fa56ea01"
              "4003 04 c0000201"
              "8004 04 0000000a"
              "c008 08 fde90064 ffffff01"
              "c020 0c 0000fde9 00000001 00000002"
              "18 c63364 10 c612"));
  const Update& update = decoded.update;
  EXPECT_EQ(update.findings.count(), 0u);
  EXPECT_THAT(prefixes(update.withdrawn), ElementsAre("203.0.113.0/24", "0.0.0.0/0"));
  EXPECT_THAT(prefixes(update.announced), ElementsAre("198.51.100.0/24", "198.18.0.0/16"));
  EXPECT_EQ(update.announced.next_hop, NextHop{Ipv4{0xc0000201}});
  EXPECT_THAT(prefixes(update.mp_announced), IsEmpty());
  EXPECT_EQ(update.end_of_rib, std::nullopt);
  EXPECT_EQ(decoded.canonical(), fromHex("4001 01 00"
                                         "4002 0a 0202 0000fde9 fa56ea01"
                                         "8004 04 0000000a"
                                         "c008 08 fde90064 ffffff01"
                                         "c020 0c 0000fde9 00000001 00000002"));
  const PathFacts& facts = update.facts;
  EXPECT_EQ(facts.origin, Origin::igp);
  EXPECT_EQ(facts.path_length, 2u);
  EXPECT_EQ(facts.first_as, 65001u);
  EXPECT_EQ(facts.origin_as, 4200000001u);
  EXPECT_EQ(facts.med, 10u);
  EXPECT_EQ(facts.local_pref, std::nullopt);
  EXPECT_TRUE(containsUnit(facts.communities, fromHex("ffffff01")));
  EXPECT_FALSE(containsUnit(facts.communities, fromHex("0064ffff")));
  EXPECT_FALSE(containsUnit(facts.communities, {}));
  EXPECT_EQ(facts.large_communities.size(), 12u);
}

TEST(BgpUpdate, golden_bytes_of_ipv6) {
  const Decoded decoded(
      fromHex("0000 0046"
              "800e 2b 0002 01 20 20010db8000000000000000000000001 fe800000000000000000000000000009 00"
              "20 20010db8 00"
              "800f 08 0002 01 20 20010db9"
              "4001 01 02"
              "4002 06 0201 0000fde9"),
      dual());
  const Update& update = decoded.update;
  EXPECT_EQ(update.findings.count(), 0u);
  EXPECT_EQ(update.mp_announced.family, kIpv6Unicast);
  EXPECT_EQ(update.mp_announced.next_hop, (NextHop{doc(1), kLinkLocal}));
  EXPECT_THAT(prefixes(update.mp_announced), ElementsAre("2001:db8::/32", "::/0"));
  EXPECT_THAT(prefixes(update.mp_withdrawn), ElementsAre("2001:db9::/32"));
  EXPECT_EQ(decoded.canonical(), fromHex("4001 01 02 4002 06 0201 0000fde9"));
}

TEST(BgpUpdate, ipv4_may_have_an_ipv6_next_hop) {
  UpdateContext context;
  const Bytes body = updateBody(
      {}, attribute(0x80, 14, "0001 01 10 20010db8000000000000000000000001 00 18 c63364") + joined(mandatory(context)),
      {});
  EXPECT_EQ(Decoded(body, context).update.findings.decisive().reason, ErrorReason::next_hop_length);
  context.extended_next_hop = true;
  const Decoded decoded(body, context);
  EXPECT_EQ(decoded.update.findings.count(), 0u);
  EXPECT_EQ(decoded.update.mp_announced.next_hop, NextHop{doc(1)});
  EXPECT_THAT(prefixes(decoded.update.mp_announced), ElementsAre("198.51.100.0/24"));
}

/// RFC 4724 section 2.
TEST(BgpUpdate, an_end_of_rib_is_nothing_else) {
  EXPECT_EQ(Decoded(fromHex("0000 0000")).update.end_of_rib, kIpv4Unicast);
  EXPECT_EQ(Decoded(fromHex("0000 0006 800f 03 000201"), dual()).update.end_of_rib, kIpv6Unicast);
  EXPECT_EQ(Decoded(fromHex("0000 0007 900f 0003 000201"), dual()).update.end_of_rib, kIpv6Unicast);
  EXPECT_EQ(Decoded(fromHex("0000 0006 800f 03 000101"), dual()).update.end_of_rib, kIpv4Unicast);
  EXPECT_EQ(Decoded(fromHex("0001 00 0006 800f 03 000201"), dual()).update.end_of_rib, std::nullopt);
  EXPECT_EQ(Decoded(fromHex("0000 000a 800f 03 000201 4001 01 00"), dual()).update.end_of_rib, std::nullopt);
  EXPECT_EQ(Decoded(fromHex("0000 0007 800f 04 000201 00"), dual()).update.end_of_rib, std::nullopt);
  UpdateContext only_ipv6 = dual();
  only_ipv6.ipv4_unicast = false;
  EXPECT_EQ(Decoded(fromHex("0000 0000"), only_ipv6).update.end_of_rib, std::nullopt);
}

/// RFC 4760: what was not agreed on is ignored, also when nobody here could read it.
TEST(BgpUpdate, routes_of_other_families_are_left_out) {
  const UpdateContext context;
  const Decoded decoded(updateBody({},
                                   attribute(0x80, 14, "0019 46 04 c0000201 00 ffff") +
                                       attribute(0x80, 15, "0002 01 ff") + joined(mandatory(context)),
                                   oneRoute()),
                        context);
  EXPECT_EQ(decoded.update.findings.action(), ErrorAction::attribute_discard);
  EXPECT_EQ(decoded.update.findings.count(), 2u);
  EXPECT_EQ(decoded.update.findings.decisive().reason, ErrorReason::family);
  EXPECT_EQ(decoded.update.mp_announced.prefixes, 0u);
  EXPECT_THAT(prefixes(decoded.update.announced), ElementsAre("198.51.100.0/24"));
  UpdateContext only_ipv6 = dual();
  only_ipv6.ipv4_unicast = false;
  const Decoded classic(updateBody(oneRoute(), joined(mandatory(context)), oneRoute()), only_ipv6);
  EXPECT_EQ(classic.update.findings.count(), 2u);
  EXPECT_EQ(classic.update.announced.prefixes + classic.update.withdrawn.prefixes, 0u);
  EXPECT_TRUE(classic.update.canonical.empty());
}

/// RFC 4760 section 3: a NEXT_HOP beside routes of MP_REACH_NLRI alone says nothing.
TEST(BgpUpdate, the_next_hop_of_no_routes_is_not_looked_at) {
  AttributeMap attributes = mandatory(dual());
  attributes[3] = attribute(0x40, 3, "00000000");
  attributes[14] = attribute(0x80, 14, "0002 01 10 20010db8000000000000000000000001 00 2020010db8");
  EXPECT_EQ(Decoded(updateBody({}, joined(attributes), {}), dual()).update.findings.count(), 0u);
  attributes.erase(3);
  EXPECT_EQ(Decoded(updateBody({}, joined(attributes), {}), dual()).update.findings.count(), 0u);
  for (const char* const hop :
       {"00000000000000000000000000000000", "00000000000000000000000000000001", "ff020000000000000000000000000001"}) {
    attributes[14] = attribute(0x80, 14, "0002 01 10" + std::string(hop) + "00 2020010db8");
    const Decoded decoded(updateBody({}, joined(attributes), {}), dual());
    EXPECT_EQ(decoded.update.findings.action(), ErrorAction::treat_as_withdraw) << hop;
    EXPECT_EQ(decoded.update.findings.decisive().reason, ErrorReason::next_hop) << hop;
    EXPECT_EQ(decoded.update.mp_announced.prefixes, 1u);
  }
}

TEST(BgpUpdate, a_second_next_hop_counts_when_it_is_link_local) {
  AttributeMap attributes = mandatory(dual());
  for (const auto& [second, counts] : {std::pair{"fe80", true}, std::pair{"febf", true}, std::pair{"fec0", false},
                                       std::pair{"fd80", false}, std::pair{"2001", false}}) {
    const std::string hop = std::string(second) + "0000000000000000000000000009";
    attributes[14] = attribute(0x80, 14, "0002 01 20 20010db8000000000000000000000001" + hop + "00 2020010db8");
    const Decoded decoded(updateBody({}, joined(attributes), {}), dual());
    EXPECT_EQ(decoded.update.findings.count(), 0u);
    EXPECT_EQ(decoded.update.mp_announced.next_hop.address, Address{doc(1)});
    EXPECT_EQ(decoded.update.mp_announced.next_hop.link_local.has_value(), counts) << second;
  }
}

/// RFC 4271 section 5: receivers take any order.
TEST(BgpUpdate, every_order_of_attributes_is_the_same_route) {
  AttributeMap attributes = mandatory(oldSpeaker());
  attributes[2] = attribute(0x40, 2, "0203 fde9 5ba0 5ba0");
  attributes[7] = attribute(0xc0, 7, "5ba0 c0000209");
  attributes[17] = attribute(0xc0, 17, "0202 fa56ea01 fa56ea02");
  attributes[18] = attribute(0xc0, 18, "fa56ea02 c0000209");
  attributes[99] = attribute(0xc0, 99, "0102");
  std::vector<unsigned> order;
  for (const auto& [type, octets] : attributes) order.push_back(type);
  const Bytes expected =
      fromHex("4001 01 00 4002 0e 0203 0000fde9 fa56ea01 fa56ea02 c007 08 fa56ea02 c0000209 e063 02 0102");
  std::size_t orders = 0;
  do {
    Bytes list;
    for (const unsigned type : order) put(list, attributes[type]);
    const Decoded decoded(updateBody({}, list, oneRoute()), oldSpeaker());
    ASSERT_EQ(decoded.update.findings.count(), 0u);
    ASSERT_EQ(decoded.canonical(), expected);
    ++orders;
  } while (std::ranges::next_permutation(order).found);
  EXPECT_EQ(orders, 5040u);
}

struct Merge {
  const char* what;
  const char* path;
  const char* as4_path;  ///< empty: none
  const char* aggregator;
  const char* as4_aggregator;
  const char* expected_path;
  const char* expected_aggregator;
};

/// RFC 6793 section 4.2.3.
TEST(BgpUpdate, an_old_speakers_path_is_made_whole) {
  for (const Merge& merge :
       {Merge{"nothing to merge", "0202 fde9 fdea", "", "", "", "0202 0000fde9 0000fdea", ""},
        Merge{"longer path: its beginning stays", "0203 fde9 5ba0 5ba0", "0202 00010001 00010002", "", "",
              "0203 0000fde9 00010001 00010002", ""},
        Merge{"same length: all of AS4_PATH", "0202 5ba0 5ba0", "0202 00010001 00010002", "", "",
              "0202 00010001 00010002", ""},
        Merge{"shorter path: AS4_PATH is of another", "0201 fde9", "0202 00010001 00010002", "", "", "0201 0000fde9",
              ""},
        Merge{"segments do not matter", "0201 fde9 0202 5ba0 5ba0", "0201 00010001 0201 00010002", "", "",
              "0203 0000fde9 00010001 00010002", ""},
        Merge{"confederation segments are skipped", "0202 fde9 5ba0", "0301 0000fdff 0201 00010001", "", "",
              "0202 0000fde9 00010001", ""},
        Merge{"aggregated by an old speaker", "0202 fde9 5ba0", "0201 00010001", "fdeb c0000209", "00010009 c0000209",
              "0202 0000fde9 00005ba0", "0000fdeb c0000209"},
        Merge{"aggregated by a new speaker", "0202 fde9 5ba0", "0201 00010001", "5ba0 c0000209", "00010009 c0000209",
              "0202 0000fde9 00010001", "00010009 c0000209"},
        Merge{"an aggregator of two octets", "0202 fde9 5ba0", "0201 00010001", "fdeb c0000209", "",
              "0202 0000fde9 00010001", "0000fdeb c0000209"},
        Merge{"AS_TRANS without its number", "0201 fde9", "", "5ba0 c0000209", "", "0201 0000fde9",
              "00005ba0 c0000209"},
        Merge{"a number without an aggregator", "0201 fde9", "", "", "00010009 c0000209", "0201 0000fde9", ""}}) {
    AttributeMap attributes = mandatory(oldSpeaker());
    const auto set = [&attributes](std::uint8_t flags, std::uint8_t type, const char* hex) {
      if (*hex != '\0') attributes[type] = attribute(flags, type, hex);
    };
    set(0x40, 2, merge.path);
    set(0xc0, 7, merge.aggregator);
    set(0xc0, 17, merge.as4_path);
    set(0xc0, 18, merge.as4_aggregator);
    const Decoded decoded(updateBody({}, joined(attributes), oneRoute()), oldSpeaker());
    Bytes expected = attribute(0x40, 1, "00") + attribute(0x40, 2, merge.expected_path);
    if (*merge.expected_aggregator != '\0') put(expected, attribute(0xc0, 7, merge.expected_aggregator));
    EXPECT_EQ(decoded.canonical(), expected) << merge.what;
    EXPECT_EQ(decoded.update.findings.count(), 0u) << merge.what;
  }
}

TEST(BgpUpdate, equal_paths_are_equal_octets) {
  AttributeMap attributes = mandatory({});
  const auto canonical = [&attributes](const char* path) {
    attributes[2] = attribute(0x40, 2, path);
    return Decoded(updateBody({}, joined(attributes), oneRoute())).canonical();
  };
  EXPECT_EQ(canonical("0201 0000fde9 0202 0000fdea 0000fdeb"), canonical("0203 0000fde9 0000fdea 0000fdeb"));
  attributes[1] = attribute(0x50, 1, "00");
  const Bytes extended = canonical("0201 0000fde9");
  attributes[1] = attribute(0x60, 1, "00");
  EXPECT_EQ(canonical("0201 0000fde9"), extended);
}

/// RFC 4271 section 5: Partial stays where somebody set it, and is set on what is not known here.
TEST(BgpUpdate, partial_is_kept_and_set) {
  AttributeMap attributes = mandatory({});
  attributes[8] = attribute(0xe0, 8, "fde90001");
  attributes[16] = attribute(0xc0, 16, "0002fde900000001");
  attributes[98] = attribute(0x80, 98, "01");
  attributes[99] = attribute(0xd0, 99, Bytes(3, 7));
  attributes[200] = attribute(0xd0, 200, Bytes(300, 8));
  const Decoded decoded(updateBody({}, joined(attributes), oneRoute()));
  EXPECT_EQ(decoded.canonical(), attributes[1] + attributes[2] + attributes[8] + attributes[16] +
                                     attribute(0xe0, 99, Bytes(3, 7)) + attribute(0xf0, 200, Bytes(300, 8)));
}

TEST(BgpUpdate, facts_of_every_attribute) {
  UpdateContext context;
  context.external = false;
  AttributeMap attributes = mandatory(context);
  attributes[2] = attribute(0x40, 2, "");
  attributes[4] = attribute(0x80, 4, "00000007");
  attributes[6] = attribute(0x40, 6, "");
  attributes[9] = attribute(0x80, 9, "c0000209");
  attributes[10] = attribute(0x80, 10, "c000020ac000020b");
  attributes[16] = attribute(0xc0, 16, "0002fde900000001");
  attributes[35] = attribute(0xc0, 35, "0000fde9");
  const Decoded decoded(updateBody({}, joined(attributes), oneRoute()), context);
  const PathFacts& facts = decoded.update.facts;
  EXPECT_EQ(facts.path_length, 0u);
  EXPECT_EQ(facts.first_as, 0u);
  EXPECT_EQ(facts.origin_as, 0u);
  EXPECT_EQ(facts.med, 7u);
  EXPECT_EQ(facts.local_pref, 100u);
  EXPECT_TRUE(facts.atomic_aggregate);
  EXPECT_EQ(facts.originator_id, 0xc0000209u);
  EXPECT_EQ(facts.only_to_customer, 65001u);
  EXPECT_TRUE(containsUnit(facts.cluster_list, fromHex("c000020b")));
  EXPECT_EQ(facts.extended_communities.size(), 8u);
}

/// RFC 4271 9.1.2.2, RFC 5065 5.3.
TEST(BgpAsPath, length_and_loops) {
  const Bytes path = fromHex("0203 00000001 00000002 00000001  0102 00000003 00000004  0301 00000005  0401 00000006");
  EXPECT_EQ(pathLength(path, AsnBytes::four), 4u);
  EXPECT_EQ(timesInPath(path, 1), 2u);
  EXPECT_EQ(timesInPath(path, 2), 1u);
  EXPECT_EQ(timesInPath(path, 9), 0u);
  EXPECT_EQ(pathLength({}, AsnBytes::four), 0u);
  EXPECT_EQ(timesInPath({}, 0), 0u);
}

TEST(BgpUpdate, the_longest_path_of_an_old_speaker_fits) {
  Bytes path;
  for (unsigned segment = 0; segment < 7; ++segment) {
    path.insert(path.end(), {2, 255});
    for (unsigned i = 0; i < 255; ++i) put16(path, static_cast<std::uint16_t>(1 + i));
  }
  path.insert(path.end(), {2, 200});
  for (unsigned i = 0; i < 200; ++i) put16(path, 9);
  AttributeMap attributes = mandatory(oldSpeaker());
  attributes[2] = attribute(0x50, 2, path);
  const Decoded decoded(updateBody({}, joined(attributes), oneRoute()), oldSpeaker());
  EXPECT_EQ(decoded.update.findings.count(), 0u);
  EXPECT_EQ(decoded.update.facts.path_length, 7u * 255 + 200);
  EXPECT_EQ(decoded.update.facts.origin_as, 9u);
}

TEST(BgpUpdate, every_type_at_once_is_kept) {
  Bytes list = joined(mandatory({}));
  std::size_t transitive = 0;
  for (unsigned type = 255; type > 35; --type, ++transitive)
    put(list, attribute(0xc0, static_cast<std::uint8_t>(type), Bytes{static_cast<std::uint8_t>(type)}));
  const Decoded decoded(updateBody({}, list, oneRoute()));
  EXPECT_EQ(decoded.update.findings.count(), 0u);
  std::vector<unsigned> types;
  forEachAttribute(decoded.update.canonical, [&types](const Attribute& attribute) { types.push_back(attribute.type); });
  EXPECT_EQ(types.size(), transitive + 2);
  EXPECT_TRUE(std::ranges::is_sorted(types));
}

TEST(BgpUpdate, a_full_message_of_withdrawals) {
  const Decoded decoded(updateBody(Bytes(kMaxBodyBytes - 4, 0), {}, {}));
  EXPECT_EQ(decoded.update.withdrawn.prefixes, kMaxBodyBytes - 4);
  EXPECT_EQ(decoded.update.findings.count(), 0u);
}

}  // namespace
}  // namespace poplink::host::bgp
