// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "bgp_update_lab.h"
#include "update_builder.h"

namespace poplink::host::bgp {
namespace {

const std::string kMarker = "ffffffffffffffffffffffffffffffff ";

Ipv6 doc(std::uint8_t last) {
  return {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last};
}
constexpr Ipv6 kLinkLocal{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
const NextHop kIpv4Hop{Ipv4{0xc0000201}};

Bytes canonical() {
  return fromHex("4001 01 00 4002 0a 0202 0000fde9 fa56ea01 8004 04 0000000a c008 04 fde90064");
}

Decoded decoded(const Bytes& message, const UpdateContext& context = {}) {
  return Decoded(bodyOf(message, MessageType::update), context);
}

TEST(BgpUpdateBuilder, golden_bytes_of_ipv4) {
  UpdateBuilder builder = UpdateBuilder::announce(UpdateForm::ipv4, kIpv4Hop, canonical());
  EXPECT_TRUE(builder.hasRoom());
  EXPECT_TRUE(builder.empty());
  EXPECT_TRUE(builder.add(Prefix4{0xc6336400, 24}));
  EXPECT_TRUE(builder.add(Prefix4{0xc6120000, 16}));
  EXPECT_EQ(builder.prefixes(), 2u);
  EXPECT_EQ(builder.take(), fromHex(kMarker + "0044 02 0000 0026"
                                              "4001 01 00"
                                              "4002 0a 0202 0000fde9 fa56ea01"
                                              "4003 04 c0000201"
                                              "8004 04 0000000a"
                                              "c008 04 fde90064"
                                              "18 c63364 10 c612"));
  EXPECT_TRUE(builder.empty());
  EXPECT_TRUE(builder.add(Prefix4{0, 0}));
  EXPECT_THAT(decoded(builder.take()).update.announced.prefixes, 1u);
}

TEST(BgpUpdateBuilder, golden_bytes_of_ipv6) {
  UpdateBuilder builder = UpdateBuilder::announce(UpdateForm::ipv6_multiprotocol, {doc(1), kLinkLocal}, canonical());
  EXPECT_TRUE(builder.add(Prefix6{doc(0), 32}));
  EXPECT_EQ(builder.take(), fromHex(kMarker + "0064 02 0000 004d"
                                              "900e 002a 0002 01 20 20010db8000000000000000000000001"
                                              "fe800000000000000000000000000009 00 20 20010db8"
                                              "4001 01 00"
                                              "4002 0a 0202 0000fde9 fa56ea01"
                                              "8004 04 0000000a"
                                              "c008 04 fde90064"));
}

TEST(BgpUpdateBuilder, golden_bytes_of_ipv4_over_ipv6) {
  UpdateBuilder builder =
      UpdateBuilder::announce(UpdateForm::ipv4_multiprotocol, {doc(1)}, fromHex("4001 01 00 4002 00"));
  EXPECT_TRUE(builder.add(Prefix4{0xc6336400, 24}));
  EXPECT_EQ(builder.take(), fromHex(kMarker + "003b 02 0000 0024"
                                              "900e 0019 0001 01 10 20010db8000000000000000000000001 00 18 c63364"
                                              "4001 01 00 4002 00"));
}

TEST(BgpUpdateBuilder, golden_bytes_of_withdrawals) {
  UpdateBuilder four = UpdateBuilder::withdraw(UpdateForm::ipv4);
  EXPECT_EQ(four.take(), fromHex(kMarker + "0017 02 0000 0000")) << "End-of-RIB";
  EXPECT_TRUE(four.add(Prefix4{0xc6336400, 24}));
  EXPECT_EQ(four.take(), fromHex(kMarker + "001b 02 0004 18 c63364 0000"));
  UpdateBuilder six = UpdateBuilder::withdraw(UpdateForm::ipv6_multiprotocol);
  EXPECT_EQ(six.take(), fromHex(kMarker + "001e 02 0000 0007 900f 0003 0002 01")) << "End-of-RIB";
  EXPECT_TRUE(six.add(Prefix6{doc(0), 32}));
  EXPECT_EQ(six.take(), fromHex(kMarker + "0023 02 0000 000c 900f 0008 0002 01 20 20010db8"));
  UpdateBuilder mixed = UpdateBuilder::withdraw(UpdateForm::ipv4_multiprotocol);
  EXPECT_TRUE(mixed.add(Prefix4{0xc6336400, 24}));
  EXPECT_EQ(mixed.take(), fromHex(kMarker + "0022 02 0000 000b 900f 0007 0001 01 18 c63364"));
}

TEST(BgpUpdateBuilder, an_end_of_rib_is_read_as_one) {
  UpdateContext context;
  context.ipv6_unicast = true;
  for (const auto& [form, family] :
       {std::pair{UpdateForm::ipv4, kIpv4Unicast}, std::pair{UpdateForm::ipv4_multiprotocol, kIpv4Unicast},
        std::pair{UpdateForm::ipv6_multiprotocol, kIpv6Unicast}})
    EXPECT_EQ(decoded(UpdateBuilder::withdraw(form).take(), context).update.end_of_rib, family);
}

TEST(BgpUpdateBuilder, a_message_takes_all_that_fits) {
  UpdateContext context;
  context.ipv6_unicast = true;
  struct Case {
    UpdateBuilder builder;
    bool six;
    std::size_t fixed;  ///< octets besides prefixes
  };
  const std::size_t list = canonical().size();
  for (Case& c :
       std::array{Case{UpdateBuilder::announce(UpdateForm::ipv4, kIpv4Hop, canonical()), false, 23 + 7 + list},
                  Case{UpdateBuilder::announce(UpdateForm::ipv4_multiprotocol, kIpv4Hop, canonical()), false,
                       23 + 4 + 9 + list},
                  Case{UpdateBuilder::announce(UpdateForm::ipv6_multiprotocol, {doc(1)}, canonical()), true,
                       23 + 4 + 21 + list},
                  Case{UpdateBuilder::withdraw(UpdateForm::ipv4), false, 23},
                  Case{UpdateBuilder::withdraw(UpdateForm::ipv6_multiprotocol), true, 23 + 4 + 3}}) {
    for (unsigned round = 0; round < 2; ++round) {
      std::size_t added = 0;
      while (c.six ? c.builder.add(Prefix6{doc(1), 128}) : c.builder.add(Prefix4{0xc6336401, 32})) ++added;
      const std::size_t each = c.six ? 17 : 5;
      EXPECT_EQ(added, (kMaxMessageBytes - c.fixed) / each);
      const Bytes message = c.builder.take();
      EXPECT_EQ(message.size(), c.fixed + added * each);
      const Decoded again = decoded(message, context);
      EXPECT_EQ(again.update.findings.count(), 0u);
      EXPECT_EQ(again.update.announced.prefixes + again.update.mp_announced.prefixes + again.update.withdrawn.prefixes +
                    again.update.mp_withdrawn.prefixes,
                added);
    }
  }
}

/// RFC 4271 section 9.2: such a route is not advertised.
TEST(BgpUpdateBuilder, attributes_that_fill_a_message_leave_no_room) {
  // 23 octets of the message, 7 of NEXT_HOP, 5 of a prefix.
  const std::size_t most = kMaxMessageBytes - 23 - 7 - 5;
  for (const std::size_t size : {most, most + 1}) {
    const Bytes list = attribute(0xf0, 99, Bytes(size - 4, 1));
    UpdateBuilder builder = UpdateBuilder::announce(UpdateForm::ipv4, kIpv4Hop, list);
    EXPECT_EQ(builder.hasRoom(), size == most);
    EXPECT_EQ(builder.add(Prefix4{1, 32}), size == most);
    EXPECT_FALSE(builder.add(Prefix4{1, 32}));
  }
}

TEST(BgpUpdateBuilder, the_next_hop_stands_at_its_place) {
  const auto types = [](const Bytes& list) {
    UpdateBuilder builder = UpdateBuilder::announce(UpdateForm::ipv4, kIpv4Hop, list);
    builder.add(Prefix4{});
    const Bytes body = bodyOf(builder.take(), MessageType::update);
    std::vector<unsigned> all;
    forEachAttribute(Octets(body).subspan(4, read16(body, 2)), [&all](const Attribute& a) { all.push_back(a.type); });
    return all;
  };
  using testing::ElementsAre;
  EXPECT_THAT(types({}), ElementsAre(3));
  EXPECT_THAT(types(fromHex("4001 01 00 4002 00")), ElementsAre(1, 2, 3));
  EXPECT_THAT(types(fromHex("8004 04 00000001")), ElementsAre(3, 4));
  EXPECT_THAT(types(canonical()), ElementsAre(1, 2, 3, 4, 8));
}

/// RFC 6793 section 4.2.2.
TEST(BgpWireAttributes, an_old_speaker_gets_two_octets_and_the_rest_beside) {
  EXPECT_EQ(wireAttributes(canonical(), true), canonical());
  EXPECT_EQ(
      wireAttributes(canonical(), false),
      fromHex("4001 01 00 4002 06 0202 fde9 5ba0 8004 04 0000000a c008 04 fde90064 c011 0a 0202 0000fde9 fa56ea01"));
  EXPECT_EQ(wireAttributes(fromHex("4002 06 0201 0000ffff c007 08 0000fde9 c0000201"), false),
            fromHex("4002 04 0201 ffff c007 06 fde9 c0000201"));
  EXPECT_EQ(wireAttributes(fromHex("4002 06 0201 0000fde9 c007 08 0000ffff c0000201"), false),
            fromHex("4002 04 0201 fde9 c007 06 ffff c0000201"));
  EXPECT_EQ(wireAttributes(fromHex("4002 06 0201 0000fde9 e007 08 00010000 c0000201 c010 08 0002fde900000001"
                                   "c020 0c 0000fde90000000100000002"),
                           false),
            fromHex("4002 04 0201 fde9 e007 06 5ba0 c0000201 c010 08 0002fde900000001 c012 08 00010000 c0000201"
                    "c020 0c 0000fde90000000100000002"));
  EXPECT_EQ(wireAttributes(fromHex("4002 00"), false), fromHex("4002 00"));
}

TEST(BgpWireAttributes, an_old_speakers_route_comes_back_whole) {
  UpdateContext old;
  old.four_octet_asn = false;
  for (const char* const list : {"4001 01 00 4002 0a 0202 0000fde9 fa56ea01", "4001 01 02 4002 06 0201 00010000",
                                 "4001 01 00 4002 06 0201 fa56ea01 c007 08 00010000 c0000201",
                                 "4001 01 00 4002 06 0201 0000fde9 c007 08 0000fdeb c0000201"}) {
    UpdateBuilder builder = UpdateBuilder::announce(UpdateForm::ipv4, kIpv4Hop, wireAttributes(fromHex(list), false));
    builder.add(Prefix4{0xc6336400, 24});
    const Decoded again = decoded(builder.take(), old);
    EXPECT_EQ(again.update.findings.count(), 0u);
    EXPECT_EQ(again.canonical(), fromHex(list));
  }
}

/// RFC 4271 section 5.1.2 (b).
TEST(BgpWireAttributes, as_numbers_are_prepended) {
  const auto path = [](const Bytes& list) {
    const Octets octets = readFacts(list).as_path;
    return Bytes(octets.begin(), octets.end());
  };
  EXPECT_EQ(withPrepended(canonical(), 7, 0), canonical());
  EXPECT_EQ(withPrepended(canonical(), 7, 2), fromHex("4001 01 00 4002 12 0204 00000007 00000007 0000fde9 fa56ea01"
                                                      "8004 04 0000000a c008 04 fde90064"));
  EXPECT_EQ(path(withPrepended(fromHex("4002 00"), 7, 1)), fromHex("0201 00000007"));
  const Bytes long_path = withPrepended(fromHex("4002 00"), 7, 255);
  EXPECT_EQ(path(long_path).size(), 2u + 255 * 4);
  const Bytes longer = path(withPrepended(long_path, 8, 1));
  EXPECT_EQ(longer.size(), 4u + 256 * 4);
  EXPECT_EQ(Bytes(longer.begin(), longer.begin() + 10), fromHex("02ff 00000008 00000007"));
  EXPECT_EQ(Bytes(longer.end() - 6, longer.end()), fromHex("0201 00000007"));
  EXPECT_EQ(withPrepended(canonical(), 7, 1000000), canonical());
}

TEST(BgpWireAttributes, attributes_are_changed_by_type) {
  const auto changed = [](std::vector<AttributeChange> changes) { return withChanges(canonical(), changes); };
  EXPECT_EQ(changed({}), canonical());
  EXPECT_EQ(changed({{AttributeType::multi_exit_disc, std::nullopt}}),
            fromHex("4001 01 00 4002 0a 0202 0000fde9 fa56ea01 c008 04 fde90064"));
  EXPECT_EQ(changed({{AttributeType::multi_exit_disc, Bytes{0, 0, 0, 1}},
                     {AttributeType::local_pref, Bytes{0, 0, 0, 200}},
                     {AttributeType::only_to_customer, Bytes{0, 0, 0xfd, 0xe9}}}),
            fromHex("4001 01 00 4002 0a 0202 0000fde9 fa56ea01 8004 04 00000001 4005 04 000000c8 c008 04 fde90064"
                    "c023 04 0000fde9"));
  EXPECT_EQ(changed({{AttributeType::local_pref, Bytes{0, 0, 0, 1}}, {AttributeType::local_pref, std::nullopt}}),
            canonical());
  const Bytes unknown = canonical() + attribute(0xe0, 99, "01");
  EXPECT_EQ(withChanges(unknown, std::vector<AttributeChange>{{static_cast<AttributeType>(99), std::nullopt}}),
            canonical());
  EXPECT_EQ(changed({{static_cast<AttributeType>(99), Bytes{1}}}), canonical());
}

/// RFC 4271 section 5: once set, nobody takes it away.
TEST(BgpWireAttributes, changes_leave_partial_to_the_attribute_that_had_it) {
  const Bytes partial = fromHex("4001 01 00 e008 04 fde90064");
  EXPECT_EQ(withChanges(partial, std::vector<AttributeChange>{{AttributeType::communities, Bytes{0, 1, 0, 1}},
                                                              {AttributeType::large_communities, Bytes(12)}}),
            fromHex("4001 01 00 e008 04 00010001 c020 0c 000000000000000000000000"));
}

}  // namespace
}  // namespace poplink::host::bgp
