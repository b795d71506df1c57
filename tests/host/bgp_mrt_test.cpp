// SPDX-License-Identifier: Apache-2.0
// MRT records, octet for octet; sections are those of RFC 6396.
#include <gmock/gmock.h>

#include <string>

#include "attribute_sink.h"
#include "bgp_octets.h"
#include "message_log.h"
#include "table_dump.h"

namespace poplink::host::bgp::mrt {
namespace {

constexpr Timestamp kTime = 0x65000001;
const std::string kAtTime = "65000001 ";
constexpr Ipv6 kGlobal{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
constexpr Ipv6 kLinkLocal{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
const std::string kGlobalHex = "20010db8000000000000000000000001 ";
const std::string kLinkLocalHex = "fe800000000000000000000000000009 ";
const Prefix4 kPrefix4{0xc6336400, 24};
const Prefix6 kPrefix6{{0x20, 0x01, 0x0d, 0xb8}, 33};

/// ORIGIN, AS_PATH, MULTI_EXIT_DISC, COMMUNITIES.
Bytes canonical() {
  return fromHex("4001 01 00 4002 0a 0202 0000fde9 fa56ea01 8004 04 0000000a c008 04 fde90064");
}

RibEntry entry(Octets attributes, const NextHop& next_hop) {
  return {3, 0x64000002, attributes, next_hop};
}

/// An attribute that nobody knows, and the list is `size` octets.
Bytes listOf(std::size_t size) {
  Bytes list;
  VectorSink sink(list);
  const Bytes value(size - 4);
  putAttribute(sink, {99, kOptional | kTransitive, value});
  return list;
}

// --- PEER_INDEX_TABLE

TEST(BgpMrt, golden_octets_of_a_peer_index_table) {  // 2, 4.3.1
  const std::vector<IndexedPeer> peers{{0x0a000001, Ipv4{0xc0000201}, 65001}, {0x0a000002, kGlobal, 4200000001}};
  Bytes file;
  EXPECT_EQ(putPeerIndexTable(file, kTime, {0x0a0000fe, "lab", peers}), std::nullopt);
  EXPECT_EQ(file, fromHex(kAtTime +
                          "000d 0001 00000031"
                          "0a0000fe 0003 6c6162 0002"
                          "02 0a000001 c0000201 0000fde9"
                          "03 0a000002" +
                          kGlobalHex + "fa56ea01"));
}

TEST(BgpMrt, a_table_without_name_and_peers) {  // 4.3.1
  Bytes file;
  EXPECT_EQ(putPeerIndexTable(file, kTime, {0x0a0000fe}), std::nullopt);
  EXPECT_EQ(file, fromHex(kAtTime + "000d 0001 00000008 0a0000fe 0000 0000"));
}

TEST(BgpMrt, as_many_peers_as_an_index_can_number) {
  std::vector<IndexedPeer> peers(0xffff);
  Bytes file;
  EXPECT_EQ(putPeerIndexTable(file, kTime, {1, "", peers}), std::nullopt);
  EXPECT_EQ(file.size(), 12u + 8 + 13 * 0xffff);
  EXPECT_EQ(read32(file, 8), file.size() - 12);
  peers.emplace_back();
  file.clear();
  EXPECT_EQ(putPeerIndexTable(file, kTime, {1, "", peers}), Problem::too_many_peers);
  EXPECT_TRUE(file.empty());
}

TEST(BgpMrt, a_view_as_long_as_its_length_can_say) {
  std::string view(0xffff, 'v');
  Bytes file;
  EXPECT_EQ(putPeerIndexTable(file, kTime, {1, view, {}}), std::nullopt);
  EXPECT_EQ(file.size(), 12u + 8 + 0xffff);
  view += 'v';
  file.clear();
  EXPECT_EQ(putPeerIndexTable(file, kTime, {1, view, {}}), Problem::view_too_long);
  EXPECT_TRUE(file.empty());
}

// --- RIB_IPV4_UNICAST, RIB_IPV6_UNICAST

TEST(BgpMrt, golden_octets_of_ipv4_routes) {  // 4.3.2, 4.3.4: NEXT_HOP in its place
  const Bytes first = canonical(), second = fromHex("4001 01 02 4002 00");
  Bytes file;
  RibRecord record(file, kTime, 7, kPrefix4);
  EXPECT_EQ(record.add(entry(first, {Ipv4{0xc0000201}})), std::nullopt);
  EXPECT_EQ(record.add({4, 5, second, {Ipv4{0xc0000202}}}), std::nullopt);
  EXPECT_EQ(record.end(), 2u);
  EXPECT_EQ(file, fromHex(kAtTime + "000d 0002 0000004e"
                                    "00000007 18 c63364 0002"
                                    "0003 64000002 0026"
                                    "4001 01 00"
                                    "4002 0a 0202 0000fde9 fa56ea01"
                                    "4003 04 c0000201"
                                    "8004 04 0000000a"
                                    "c008 04 fde90064"
                                    "0004 00000005 000e"
                                    "4001 01 02 4002 00 4003 04 c0000202"));
}

TEST(BgpMrt, golden_octets_of_an_ipv6_route) {  // 4.3.4: of MP_REACH_NLRI the next hop only
  const Bytes attributes = canonical();
  Bytes file;
  RibRecord record(file, kTime, 8, kPrefix6);
  EXPECT_EQ(record.add(entry(attributes, {kGlobal, kLinkLocal})), std::nullopt);
  EXPECT_EQ(record.end(), 1u);
  EXPECT_EQ(file, fromHex(kAtTime +
                          "000d 0004 00000057"
                          "00000008 21 20010db800 0001"
                          "0003 64000002 0043"
                          "4001 01 00"
                          "4002 0a 0202 0000fde9 fa56ea01"
                          "8004 04 0000000a"
                          "c008 04 fde90064"
                          "800e 21 20" +
                          kGlobalHex + kLinkLocalHex));
}

TEST(BgpMrt, golden_octets_of_an_ipv4_route_over_ipv6) {  // 4.3.4, RFC 8950
  const Bytes attributes = fromHex("4001 01 00 4002 00 c010 08 0002fde900000001");
  Bytes file;
  RibRecord record(file, kTime, 9, kPrefix4);
  EXPECT_EQ(record.add(entry(attributes, {kGlobal})), std::nullopt);
  EXPECT_EQ(record.end(), 1u);
  EXPECT_EQ(file, fromHex(kAtTime +
                          "000d 0002 00000038"
                          "00000009 18 c63364 0001"
                          "0003 64000002 0026"
                          "4001 01 00 4002 00 800e 11 10" +
                          kGlobalHex + "c010 08 0002fde900000001"));
}

TEST(BgpMrt, prefixes_of_no_and_of_all_bits) {  // 4.3.2
  const Bytes attributes = fromHex("4001 01 00 4002 00");
  for (const auto& [prefix, hex] : {std::pair{Prefix4{0, 0}, "00"}, {Prefix4{0xc0000205, 32}, "20 c0000205"}}) {
    Bytes file;
    RibRecord record(file, kTime, 0, prefix);
    EXPECT_EQ(record.add(entry(attributes, {Ipv4{1}})), std::nullopt);
    EXPECT_EQ(record.end(), 1u);
    const Bytes octets = fromHex(hex);
    EXPECT_THAT(Bytes(file.begin() + 16, file.begin() + 16 + static_cast<std::ptrdiff_t>(octets.size())), octets);
  }
}

TEST(BgpMrt, an_ipv6_prefix_needs_an_ipv6_next_hop) {
  const Bytes attributes = canonical();
  Bytes file{1, 2, 3};
  RibRecord record(file, kTime, 0, kPrefix6);
  EXPECT_EQ(record.add(entry(attributes, {Ipv4{1}})), Problem::next_hop_family);
  EXPECT_EQ(record.end(), 0u);
  EXPECT_EQ(file, (Bytes{1, 2, 3}));  // a record without entries is none
}

TEST(BgpMrt, an_entry_that_is_refused_leaves_the_others) {
  const Bytes attributes = canonical(), most = listOf(kMaxAttributeBytes - 7),
              too_long = listOf(kMaxAttributeBytes - 6);
  Bytes expected, file;
  RibRecord without(expected, kTime, 0, kPrefix4);
  RibRecord with(file, kTime, 0, kPrefix4);
  for (const Bytes& fits : {attributes, most}) {
    EXPECT_EQ(without.add(entry(fits, {Ipv4{1}})), std::nullopt);
    EXPECT_EQ(with.add(entry(fits, {Ipv4{1}})), std::nullopt);
    EXPECT_EQ(with.add(entry(too_long, {Ipv4{1}})), Problem::attributes_too_long);  // NEXT_HOP takes 7
  }
  EXPECT_EQ(without.end(), 2u);
  EXPECT_EQ(with.end(), 2u);
  EXPECT_EQ(file, expected);
}

TEST(BgpMrt, as_many_entries_as_a_count_can_say) {
  const Bytes attributes = fromHex("4001 01 00 4002 00");
  Bytes file;
  RibRecord record(file, kTime, 0, Prefix4{});
  std::size_t refused = 0;
  for (std::size_t i = 0; i < 0xffff; ++i) refused += record.add(entry(attributes, {Ipv4{1}})) != std::nullopt;
  EXPECT_EQ(refused, 0u);
  EXPECT_EQ(record.add(entry(attributes, {Ipv4{1}})), Problem::too_many_entries);
  EXPECT_EQ(record.end(), 0xffffu);
  EXPECT_EQ(file.size(), 12u + 7 + 0xffff * 22);
  EXPECT_EQ(read32(file, 8), file.size() - 12);
  EXPECT_EQ(read16(file, 17), 0xffff);
}

TEST(BgpMrt, records_follow_each_other) {
  const Bytes attributes = canonical();
  Bytes together, second;
  EXPECT_EQ(putPeerIndexTable(together, kTime, {1}), std::nullopt);
  const Bytes first = together;
  for (Bytes* file : {&together, &second}) {
    RibRecord record(*file, kTime, 0, kPrefix4);
    EXPECT_EQ(record.add(entry(attributes, {Ipv4{1}})), std::nullopt);
    record.end();
  }
  EXPECT_EQ(together, first + second);
}

// --- BGP4MP

const SessionEnds kIpv4Ends{65002, 4200000001, 5, Ipv4{0xc0000202}, Ipv4{0xc0000201}};
const std::string kIpv4EndsHex = "0000fdea fa56ea01 0005 0001 c0000202 c0000201 ";
const SessionEnds kMixedEnds{65002, 65001, 0, kGlobal, Ipv4{0xc0000201}};

TEST(BgpMrt, golden_octets_of_a_message) {  // 4.4.3
  Bytes file;
  EXPECT_EQ(putMessage(file, kTime, kIpv4Ends, kKeepalive), std::nullopt);
  EXPECT_EQ(file, fromHex(kAtTime + "0010 0004 00000027" + kIpv4EndsHex + "ffffffffffffffffffffffffffffffff 0013 04"));
}

TEST(BgpMrt, golden_octets_of_a_state_change) {  // 4.4.4, numbers of 4.4.1
  Bytes file;
  EXPECT_EQ(putStateChange(file, kTime, kIpv4Ends, SessionState::OpenConfirm, SessionState::Established), std::nullopt);
  EXPECT_EQ(file, fromHex(kAtTime + "0010 0005 00000018" + kIpv4EndsHex + "0005 0006"));
  file.clear();
  const SessionEnds ipv6{65002, 65001, 0, kGlobal, kLinkLocal};
  EXPECT_EQ(putStateChange(file, kTime, ipv6, SessionState::Idle, SessionState::Connect), std::nullopt);
  EXPECT_EQ(file, fromHex(kAtTime + "0010 0005 00000030 0000fdea 0000fde9 0000 0002" + kGlobalHex + kLinkLocalHex +
                          "0001 0002"));
}

TEST(BgpMrt, a_session_between_two_families_is_refused) {
  Bytes file;
  EXPECT_EQ(putMessage(file, kTime, kMixedEnds, kKeepalive), Problem::address_families);
  EXPECT_EQ(putStateChange(file, kTime, kMixedEnds, SessionState::Idle, SessionState::Active),
            Problem::address_families);
  EXPECT_TRUE(file.empty());
}

TEST(BgpMrt, what_is_not_one_message_is_refused) {
  const Bytes keepalive(kKeepalive.begin(), kKeepalive.end());
  Bytes file;
  for (const Bytes& wrong :
       {Bytes{}, Bytes(keepalive.begin(), keepalive.end() - 1), keepalive + Bytes{0}, keepalive + keepalive})
    EXPECT_EQ(putMessage(file, kTime, kIpv4Ends, wrong), Problem::not_a_message);
  EXPECT_TRUE(file.empty());
}

TEST(BgpMrt, every_problem_has_words_of_its_own) {
  std::vector<std::string_view> seen;
  for (int i = 0; i <= static_cast<int>(Problem::not_a_message); ++i) {
    const std::string_view text = words(static_cast<Problem>(i));
    EXPECT_FALSE(text.empty());
    EXPECT_THAT(seen, testing::Not(testing::Contains(text)));
    seen.push_back(text);
  }
}

}  // namespace
}  // namespace poplink::host::bgp::mrt
