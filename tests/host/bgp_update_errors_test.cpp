// SPDX-License-Identifier: Apache-2.0
// RFC 7606: each attribute, each error, from an external and an internal peer; what follows, and why.
#include <gmock/gmock.h>

#include <functional>

#include "bgp_update_lab.h"

namespace poplink::host::bgp {
namespace {

enum class Peer : std::uint8_t { external, internal, old };  ///< old: external, two-octet AS numbers

UpdateContext context(Peer peer) {
  UpdateContext c;
  c.external = peer != Peer::internal;
  c.four_octet_asn = peer != Peer::old;
  c.ipv6_unicast = true;
  return c;
}

constexpr ErrorAction kDiscard = ErrorAction::attribute_discard, kWithdraw = ErrorAction::treat_as_withdraw,
                      kReset = ErrorAction::session_reset, kNone = ErrorAction::none;

struct Row {
  std::string name;
  const char* section;
  std::uint8_t type;
  std::string octets;  ///< the whole attribute; empty: it is missing
  ErrorAction external;
  ErrorAction internal;
  ErrorReason reason{};
  std::optional<ErrorReason> internal_reason{};
};

class BgpUpdateMatrix : public testing::TestWithParam<Row> {
 protected:
  static void expect(Peer peer, ErrorAction action, ErrorReason reason) {
    const Row& row = GetParam();
    AttributeMap attributes = mandatory(context(peer));
    attributes.erase(row.type);
    if (!row.octets.empty()) attributes[row.type] = fromHex(row.octets);
    const Decoded decoded(updateBody({}, joined(attributes), oneRoute()), context(peer));
    const Findings& findings = decoded.update.findings;
    EXPECT_EQ(findings.action(), action) << row.section;
    if (action == kNone) {
      EXPECT_EQ(findings.count(), 0u);
    } else {
      ASSERT_EQ(findings.count(), 1u) << row.section;
      EXPECT_EQ(findings.decisive().reason, reason) << words(findings.decisive());
      EXPECT_EQ(findings.decisive().type, row.type);
    }
    // An attribute that is discarded is not there; without attributes nothing is announced.
    EXPECT_EQ(decoded.update.canonical.empty(), action >= kWithdraw);
    if (action != kDiscard) return;
    forEachAttribute(decoded.update.canonical, [&row](const Attribute& kept) { EXPECT_NE(kept.type, row.type); });
  }
};

TEST_P(BgpUpdateMatrix, external) {
  expect(Peer::external, GetParam().external, GetParam().reason);
}

TEST_P(BgpUpdateMatrix, internal) {
  expect(Peer::internal, GetParam().internal, GetParam().internal_reason.value_or(GetParam().reason));
}

std::vector<Row> lengthsAndValues() {
  return {
      {"origin_missing", "3 (d)", 1, "", kWithdraw, kWithdraw, ErrorReason::missing},
      {"origin_of_0", "7.1", 1, "400100", kWithdraw, kWithdraw, ErrorReason::length},
      {"origin_of_2", "7.1", 1, "400102 0000", kWithdraw, kWithdraw, ErrorReason::length},
      {"origin_incomplete", "7.1", 1, "400101 02", kNone, kNone},
      {"origin_3", "7.1", 1, "400101 03", kWithdraw, kWithdraw, ErrorReason::origin},
      {"origin_255", "7.1", 1, "400101 ff", kWithdraw, kWithdraw, ErrorReason::origin},
      {"as_path_missing", "3 (d)", 2, "", kWithdraw, kWithdraw, ErrorReason::missing},
      {"as_path_empty", "4", 2, "400200", kNone, kNone},
      {"as_path_of_1", "7.2", 2, "400201 02", kWithdraw, kWithdraw, ErrorReason::as_path},
      {"as_path_without_as", "7.2", 2, "400202 0200", kWithdraw, kWithdraw, ErrorReason::as_path},
      {"as_path_second_without_as", "7.2", 2, "400208 0201 0000fde9 0200", kWithdraw, kWithdraw, ErrorReason::as_path},
      {"as_path_overrun", "7.2", 2, "400206 0202 0000fde9", kWithdraw, kWithdraw, ErrorReason::as_path},
      {"as_path_underrun", "7.2", 2, "400207 0201 0000fde9 02", kWithdraw, kWithdraw, ErrorReason::as_path},
      {"as_path_type_0", "7.2", 2, "400206 0001 0000fde9", kWithdraw, kWithdraw, ErrorReason::as_path},
      {"as_path_type_5", "7.2", 2, "400206 0501 0000fde9", kWithdraw, kWithdraw, ErrorReason::as_path},
      {"as_path_set", "RFC 9774 3", 2, "40020c 0201 0000fde9 0101 0000fdea", kWithdraw, kWithdraw, ErrorReason::as_set},
      {"as_path_confed_set", "RFC 9774 3", 2, "400206 0401 0000fde9", kWithdraw, kWithdraw, ErrorReason::as_set},
      {"as_path_confed_sequence", "RFC 5065 5", 2, "400206 0301 0000fde9", kWithdraw, kWithdraw,
       ErrorReason::confederation},
      {"as_path_zero", "RFC 7607 2", 2, "40020a 0202 0000fde9 00000000", kWithdraw, kWithdraw, ErrorReason::as_zero},
      {"next_hop_missing", "3 (d)", 3, "", kWithdraw, kWithdraw, ErrorReason::missing},
      {"next_hop_of_0", "7.3", 3, "400300", kWithdraw, kWithdraw, ErrorReason::length},
      {"next_hop_of_3", "7.3", 3, "400303 c00002", kWithdraw, kWithdraw, ErrorReason::length},
      {"next_hop_of_16", "7.3", 3, "400310 00000000000000000000000000000001", kWithdraw, kWithdraw,
       ErrorReason::length},
      {"next_hop_unspecified", "RFC 4271 6.3", 3, "400304 00000000", kWithdraw, kWithdraw, ErrorReason::next_hop},
      {"next_hop_loopback", "RFC 4271 6.3", 3, "400304 7f000001", kWithdraw, kWithdraw, ErrorReason::next_hop},
      {"next_hop_multicast", "RFC 4271 6.3", 3, "400304 e0000001", kWithdraw, kWithdraw, ErrorReason::next_hop},
      {"next_hop_broadcast", "RFC 4271 6.3", 3, "400304 ffffffff", kWithdraw, kWithdraw, ErrorReason::next_hop},
      {"med", "7.4", 4, "800404 00000001", kNone, kNone},
      {"med_of_0", "7.4", 4, "800400", kWithdraw, kWithdraw, ErrorReason::length},
      {"med_of_3", "7.4", 4, "800403 000001", kWithdraw, kWithdraw, ErrorReason::length},
      {"med_of_8", "7.4", 4, "800408 0000000100000001", kWithdraw, kWithdraw, ErrorReason::length},
      {"local_pref_missing", "3 (d), RFC 4271 5.1.5", 5, "", kNone, kWithdraw, ErrorReason::missing},
      {"local_pref", "7.5", 5, "400504 00000001", kDiscard, kNone, ErrorReason::not_from_external},
      {"local_pref_of_0", "7.5", 5, "400500", kDiscard, kWithdraw, ErrorReason::not_from_external, ErrorReason::length},
      {"local_pref_of_5", "7.5", 5, "400505 0000000001", kDiscard, kWithdraw, ErrorReason::not_from_external,
       ErrorReason::length},
      {"atomic_aggregate", "7.6", 6, "400600", kNone, kNone},
      {"atomic_aggregate_of_1", "7.6", 6, "400601 00", kDiscard, kDiscard, ErrorReason::length},
      {"aggregator", "7.7", 7, "c00708 0000fde9 c0000201", kNone, kNone},
      {"aggregator_of_0", "7.7", 7, "c00700", kDiscard, kDiscard, ErrorReason::length},
      {"aggregator_of_6", "7.7", 7, "c00706 fde9 c0000201", kDiscard, kDiscard, ErrorReason::length},
      {"aggregator_zero", "RFC 7607 2", 7, "c00708 00000000 c0000201", kDiscard, kDiscard, ErrorReason::as_zero},
      {"communities", "7.8", 8, "c00808 fde90001 ffffff01", kNone, kNone},
      {"communities_of_0", "7.8", 8, "c00800", kWithdraw, kWithdraw, ErrorReason::length},
      {"communities_of_5", "7.8", 8, "c00805 fde9000100", kWithdraw, kWithdraw, ErrorReason::length},
      {"originator_id", "7.9", 9, "800904 c0000201", kDiscard, kNone, ErrorReason::not_from_external},
      {"originator_id_of_3", "7.9", 9, "800903 c00002", kDiscard, kWithdraw, ErrorReason::not_from_external,
       ErrorReason::length},
      {"cluster_list", "7.10", 10, "800a08 c0000201c0000202", kDiscard, kNone, ErrorReason::not_from_external},
      {"cluster_list_of_0", "7.10", 10, "800a00", kDiscard, kWithdraw, ErrorReason::not_from_external,
       ErrorReason::length},
      {"cluster_list_of_6", "7.10", 10, "800a06 c0000201c000", kDiscard, kWithdraw, ErrorReason::not_from_external,
       ErrorReason::length},
      {"extended_communities", "7.14", 16, "c01008 0002fde900000001", kNone, kNone},
      {"extended_communities_of_0", "7.14", 16, "c01000", kWithdraw, kWithdraw, ErrorReason::length},
      {"extended_communities_of_9", "7.14", 16, "c01009 0002fde90000000100", kWithdraw, kWithdraw, ErrorReason::length},
      {"as4_path", "RFC 6793 4.1", 17, "c01106 0201 0000fde9", kDiscard, kDiscard, ErrorReason::not_from_new_speaker},
      {"as4_aggregator", "RFC 6793 4.1", 18, "c01208 0000fde9c0000201", kDiscard, kDiscard,
       ErrorReason::not_from_new_speaker},
      {"ipv6_extended_communities_of_0", "7.15", 25, "c01900", kWithdraw, kWithdraw, ErrorReason::length},
      {"ipv6_extended_communities_of_8", "7.15", 25, "c01908 0002fde900000001", kWithdraw, kWithdraw,
       ErrorReason::length},
      {"large_communities", "RFC 8092 6", 32, "c0200c 0000fde90000000100000002", kNone, kNone},
      {"large_communities_of_0", "RFC 8092 6", 32, "c02000", kWithdraw, kWithdraw, ErrorReason::length},
      {"large_communities_of_8", "RFC 8092 6", 32, "c02008 0000fde900000001", kWithdraw, kWithdraw,
       ErrorReason::length},
      {"only_to_customer", "RFC 9234 5", 35, "c02304 0000fde9", kNone, kNone},
      {"only_to_customer_of_0", "RFC 9234 5", 35, "c02300", kWithdraw, kWithdraw, ErrorReason::length},
      {"only_to_customer_of_8", "RFC 9234 5", 35, "c02308 0000fde90000fde9", kWithdraw, kWithdraw, ErrorReason::length},
      {"unknown_transitive", "RFC 4271 5", 99, "c06303 010203", kNone, kNone},
      {"unknown_transitive_empty", "RFC 4271 5", 99, "c06300", kNone, kNone},
      {"unknown_non_transitive", "RFC 4271 5", 99, "806303 010203", kNone, kNone},
      {"unknown_well_known", "RFC 4271 6.3", 99, "406303 010203", kReset, kReset, ErrorReason::unrecognized_well_known},
  };
}

/// 3 (c): Optional or Transitive other than the type has them; Partial says nothing.
std::vector<Row> flagRows() {
  const std::vector<std::pair<std::uint8_t, std::string>> fine{{1, "01 00"},
                                                               {2, "06 0201 0000fde9"},
                                                               {3, "04 c0000201"},
                                                               {4, "04 00000001"},
                                                               {5, "04 00000001"},
                                                               {6, "00"},
                                                               {7, "08 0000fde9c0000201"},
                                                               {8, "04 fde90001"},
                                                               {9, "04 c0000201"},
                                                               {10, "04 c0000201"},
                                                               {16, "08 0002fde900000001"},
                                                               {32, "0c 0000fde90000000100000002"},
                                                               {35, "04 0000fde9"}};
  const auto hex = [](unsigned value) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    return std::string{kDigits[value / 16], kDigits[value % 16]};
  };
  std::vector<Row> rows;
  for (const auto& [type, rest] : fine)
    for (const unsigned flags : {0x00u, 0x40u, 0x80u, 0xc0u, 0x20u, 0x60u, 0xa0u, 0xe0u, 0x0fu}) {
      const std::uint8_t right = attributeRule(type)->flags;
      const bool external_has_no_say = type == 5 || type == 9 || type == 10;
      const ErrorAction action = (flags & 0xc0) == right ? kNone : kWithdraw;
      rows.push_back({"type_" + std::to_string(type) + "_flags_" + hex(flags), "3 (c)", type,
                      hex(flags) + hex(type) + rest, external_has_no_say ? kDiscard : action, action,
                      external_has_no_say ? ErrorReason::not_from_external : ErrorReason::flags, ErrorReason::flags});
    }
  return rows;
}

const auto kRowName = [](const auto& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(rows, BgpUpdateMatrix, testing::ValuesIn(lengthsAndValues()), kRowName);
INSTANTIATE_TEST_SUITE_P(flags, BgpUpdateMatrix, testing::ValuesIn(flagRows()), kRowName);

/// What an UPDATE with this list and NLRI leads to, and what is told the peer.
struct Outcome {
  ErrorAction action{};
  ErrorReason reason{};
  Notification notification{};
};
Outcome outcome(const Bytes& body, Peer peer = Peer::external) {
  const Decoded decoded(body, context(peer));
  const Findings& findings = decoded.update.findings;
  if (findings.action() == kNone) return {};
  const bool reset = findings.action() == kReset;
  return {findings.action(), findings.decisive().reason, reset ? findings.notification() : Notification{}};
}

Notification updateError(std::uint8_t sub, const Bytes& data = {}) {
  return {ErrorCode::update_message, sub, data};
}

Bytes plainList() {
  return joined(mandatory(context(Peer::external)));
}

/// 7.2, 7.7 and RFC 6793 section 6, of a speaker of two-octet AS numbers.
TEST(BgpUpdateErrors, from_an_old_speaker) {
  struct Case {
    std::uint8_t type;
    const char* octets;
    ErrorAction action;
    ErrorReason reason;
  };
  for (const Case& c : {Case{2, "400206 0201 0000fde9", kWithdraw, ErrorReason::as_path},
                        Case{2, "400204 0201 0000", kWithdraw, ErrorReason::as_zero},
                        Case{2, "400204 0101 fde9", kWithdraw, ErrorReason::as_set},
                        Case{7, "c00708 0000fde9c0000201", kDiscard, ErrorReason::length},
                        Case{7, "c00706 0000c0000201", kDiscard, ErrorReason::as_zero},
                        Case{17, "c01100", kDiscard, ErrorReason::as_path},
                        Case{17, "c01104 0201 fde9", kDiscard, ErrorReason::as_path},
                        Case{17, "c01106 0601 0000fde9", kDiscard, ErrorReason::as_path},
                        Case{17, "c01106 0201 00000000", kDiscard, ErrorReason::as_zero},
                        Case{17, "c01106 0101 0000fde9", kWithdraw, ErrorReason::as_set},
                        Case{17, "c01106 0401 0000fde9", kWithdraw, ErrorReason::as_set},
                        Case{17, "c01106 0301 0000fde9", kNone, ErrorReason{}},
                        Case{17, "801106 0201 0000fde9", kWithdraw, ErrorReason::flags},
                        Case{18, "c01206 fde9c0000201", kDiscard, ErrorReason::length},
                        Case{18, "c01208 00000000c0000201", kDiscard, ErrorReason::as_zero},
                        Case{18, "c01208 0000fde9c0000201", kNone, ErrorReason{}}}) {
    AttributeMap attributes = mandatory(context(Peer::old));
    attributes[c.type] = fromHex(c.octets);
    const Outcome found = outcome(updateBody({}, joined(attributes), oneRoute()), Peer::old);
    EXPECT_EQ(found.action, c.action) << c.octets;
    EXPECT_EQ(found.reason, c.reason) << c.octets;
  }
}

/// Every length up to beyond the largest unit, and the longest that a message has room for.
TEST(BgpUpdateErrors, only_the_lengths_of_a_type_are_accepted) {
  struct Lengths {
    std::uint8_t type;
    std::uint8_t flags;
    std::size_t unit;
    bool multiple;
    ErrorAction wrong;
  };
  for (const Lengths& rule : {Lengths{1, 0x40, 1, false, kWithdraw}, Lengths{3, 0x40, 4, false, kWithdraw},
                              Lengths{4, 0x80, 4, false, kWithdraw}, Lengths{5, 0x40, 4, false, kWithdraw},
                              Lengths{6, 0x40, 0, false, kDiscard}, Lengths{7, 0xc0, 8, false, kDiscard},
                              Lengths{8, 0xc0, 4, true, kWithdraw}, Lengths{9, 0x80, 4, false, kWithdraw},
                              Lengths{10, 0x80, 4, true, kWithdraw}, Lengths{16, 0xc0, 8, true, kWithdraw},
                              Lengths{25, 0xc0, 20, true, kWithdraw}, Lengths{32, 0xc0, 12, true, kWithdraw},
                              Lengths{35, 0xc0, 4, false, kWithdraw}}) {
    std::vector<std::size_t> sizes;
    for (std::size_t size = 0; size <= 64; ++size) sizes.push_back(size);
    for (std::size_t size = 3980; size <= 4000; ++size) sizes.push_back(size);
    for (const std::size_t size : sizes) {
      AttributeMap attributes = mandatory(context(Peer::internal));
      attributes[rule.type] = attribute(rule.flags | kExtendedLength, rule.type, Bytes(size, 1));
      const bool right = rule.multiple ? size != 0 && size % rule.unit == 0 : size == rule.unit;
      const Outcome found = outcome(updateBody({}, joined(attributes), oneRoute()), Peer::internal);
      EXPECT_EQ(found.action, right ? kNone : rule.wrong) << unsigned(rule.type) << " of " << size;
      if (!right) EXPECT_EQ(found.reason, ErrorReason::length);
    }
  }
}

/// 4, 3 (d): wherever the list ends, the prefixes behind it are found.
TEST(BgpUpdateErrors, a_list_cut_anywhere_withdraws) {
  const Bytes list = plainList();
  for (std::size_t size = 0; size < list.size(); ++size) {
    const Decoded decoded(updateBody({}, {list.begin(), list.begin() + static_cast<std::ptrdiff_t>(size)}, oneRoute()));
    EXPECT_EQ(decoded.update.findings.action(), kWithdraw) << size;
    EXPECT_EQ(decoded.update.announced.prefixes, 1u) << size;
    EXPECT_TRUE(decoded.update.canonical.empty());
  }
}

/// 3 (c), 5.1: the routes are in an attribute with wrong flags all the same.
TEST(BgpUpdateErrors, routes_behind_wrong_flags_are_withdrawn) {
  for (const std::uint8_t flags : {std::uint8_t{0xc0}, std::uint8_t{0x40}, std::uint8_t{0x00}}) {
    const Bytes reach = attribute(flags, 14, "00020110 20010db8000000000000000000000001 00 2020010db8");
    const Decoded decoded(updateBody({}, reach + plainList(), {}), context(Peer::external));
    EXPECT_EQ(decoded.update.findings.action(), kWithdraw);
    EXPECT_EQ(decoded.update.findings.decisive().reason, ErrorReason::flags);
    EXPECT_EQ(decoded.update.mp_announced.prefixes, 1u);
  }
}

/// RFC 4271 6.3, RFC 7606 3 (b).
TEST(BgpUpdateErrors, fields_that_are_longer_than_the_message_reset) {
  const Bytes whole = updateBody(oneRoute(), plainList(), oneRoute());
  for (const auto& [at, value] :
       std::vector<std::pair<std::size_t, std::uint16_t>>{{0, static_cast<std::uint16_t>(whole.size() - 3)},
                                                          {0, 0xffff},
                                                          {6, 0xffff},
                                                          {6, static_cast<std::uint16_t>(whole.size() - 7)}}) {
    Bytes body = whole;
    write16(body, at, value);
    const Outcome found = outcome(body);
    EXPECT_EQ(found.reason, ErrorReason::field_lengths) << at << " " << value;
    EXPECT_EQ(found.notification, updateError(subcode::kMalformedAttributeList));
  }
  for (std::size_t size = 0; size < 4; ++size) EXPECT_EQ(outcome(Bytes(size, 0)).reason, ErrorReason::field_lengths);
  EXPECT_EQ(outcome(Bytes(kMaxBodyBytes + 1, 0)).reason, ErrorReason::field_lengths);
}

/// 5.3: prefixes that cannot be read.
TEST(BgpUpdateErrors, malformed_prefixes_reset) {
  for (const char* const nlri : {"21 c633640000", "18 c633", "08 0a 20 c63364", "ff"}) {
    for (const Bytes& body : {updateBody(fromHex(nlri), {}, {}), updateBody({}, plainList(), fromHex(nlri))}) {
      const Outcome found = outcome(body);
      EXPECT_EQ(found.action, kReset) << nlri;
      EXPECT_EQ(found.notification, updateError(subcode::kInvalidNetworkField)) << nlri;
    }
  }
}

/// RFC 4760 section 7, 7606 5.3, 7.11, 7.12: the attribute is sent back.
TEST(BgpUpdateErrors, routes_that_cannot_be_found_reset) {
  const std::string hop = "20010db8000000000000000000000001";
  for (const auto& [hex, reason] : std::vector<std::pair<std::string, ErrorReason>>{
           {"800e00", ErrorReason::length},
           {"800e04 00020100", ErrorReason::length},
           {"800e05 0002011000", ErrorReason::length},
           {"800e14 00020110" + hop, ErrorReason::length},
           {"800e05 0002010000", ErrorReason::next_hop_length},
           {"800e09 00020104 c0000201 00", ErrorReason::next_hop_length},
           {"800e1d 00020118 0000000000000000" + hop + "00", ErrorReason::next_hop_length},
           {"800e15 00010110" + hop + "00", ErrorReason::next_hop_length},
           {"800e16 00020110" + hop + "00 81", ErrorReason::network_field},
           {"800e18 00020110" + hop + "00 18 2001", ErrorReason::network_field},
           {"800f00", ErrorReason::length},
           {"800f02 0002", ErrorReason::length},
           {"800f05 000201 10 20", ErrorReason::network_field},
           {"800f04 000201 ff", ErrorReason::network_field}}) {
    const Bytes wrong = fromHex(hex);
    const Outcome found = outcome(updateBody({}, wrong + plainList(), {}));
    EXPECT_EQ(found.action, kReset) << hex;
    EXPECT_EQ(found.reason, reason) << hex;
    EXPECT_EQ(found.notification, updateError(subcode::kOptionalAttributeError, wrong)) << hex;
  }
}

/// 3 (g).
TEST(BgpUpdateErrors, a_second_list_of_routes_resets) {
  const Bytes reach = attribute(0x80, 14, "00020110 20010db8000000000000000000000001 00 2020010db8"),
              unreach = attribute(0x80, 15, "000201 2020010db8");
  for (const Bytes& twice : {reach + reach, unreach + unreach}) {
    const Outcome found = outcome(updateBody({}, twice + plainList(), oneRoute()));
    EXPECT_EQ(found.action, kReset);
    EXPECT_EQ(found.reason, ErrorReason::duplicate_multiprotocol);
    EXPECT_EQ(found.notification, updateError(subcode::kMalformedAttributeList));
  }
}

/// 3 (g): the first counts, whatever the others hold.
TEST(BgpUpdateErrors, of_other_duplicates_the_first_counts) {
  for (const char* const second : {"400101 02", "400101 ff", "400100", "c00101 00"}) {
    const Decoded decoded(updateBody({}, plainList() + fromHex(second), oneRoute()));
    EXPECT_EQ(decoded.update.findings.action(), kDiscard) << second;
    EXPECT_EQ(decoded.update.findings.decisive().reason, ErrorReason::duplicate);
    EXPECT_EQ(decoded.update.facts.origin, Origin::igp);
  }
  const Decoded unknown(updateBody({}, plainList() + fromHex("c06301 01 c06301 02"), oneRoute()));
  EXPECT_EQ(unknown.update.findings.decisive().reason, ErrorReason::duplicate);
}

/// 4: the NLRI is where the Total Path Attribute Length says.
TEST(BgpUpdateErrors, a_list_that_ends_inside_an_attribute_withdraws) {
  for (const char* const last : {"40", "4005", "400504", "400504 000000", "5005 00", "500500ff 00", "c063ff"}) {
    const Decoded decoded(updateBody({}, plainList() + fromHex(last), oneRoute()));
    EXPECT_EQ(decoded.update.findings.action(), kWithdraw) << last;
    EXPECT_EQ(decoded.update.findings.decisive().reason, ErrorReason::truncated_list) << last;
    EXPECT_EQ(decoded.update.announced.prefixes, 1u);
  }
}

/// 5.2: there may have been routes, and nobody knows which.
TEST(BgpUpdateErrors, withdrawing_nothing_resets) {
  const Bytes bad_origin = attribute(0x40, 1, "09");
  Outcome found = outcome(updateBody({}, bad_origin, {}));
  EXPECT_EQ(found.action, kReset);
  EXPECT_EQ(found.notification, updateError(subcode::kInvalidOrigin, bad_origin));
  found = outcome(updateBody(oneRoute(), fromHex("400504 0000"), {}));
  EXPECT_EQ(found.action, kReset);
  EXPECT_EQ(found.notification, updateError(subcode::kMalformedAttributeList));
  found = outcome(updateBody({}, attribute(0x80, 15, "000201 2020010db8") + bad_origin, {}));
  EXPECT_EQ(found.action, kReset);
  // MP_REACH_NLRI without prefixes announces nothing, so that mandatory attributes need not be there.
  const Bytes no_routes = attribute(0x80, 14, "00020110 20010db8000000000000000000000001 00");
  EXPECT_EQ(outcome(updateBody({}, no_routes + bad_origin, {})).action, kReset);
  EXPECT_EQ(outcome(updateBody({}, no_routes, {})).action, kNone);
  // Discarding needs no routes, and attributes without routes may be incomplete.
  EXPECT_EQ(outcome(updateBody({}, fromHex("400601 00"), {})).action, kDiscard);
  EXPECT_EQ(outcome(updateBody(oneRoute(), attribute(0x40, 1, "00"), {})).action, kNone);
}

/// 3 (h).
TEST(BgpUpdateErrors, the_strongest_of_several_decides) {
  AttributeMap attributes = mandatory(context(Peer::external));
  attributes[6] = fromHex("400601 00");
  attributes[4] = fromHex("800401 00");
  const Decoded both(updateBody({}, joined(attributes), oneRoute()));
  EXPECT_EQ(both.update.findings.action(), kWithdraw);
  EXPECT_EQ(both.update.findings.count(), 2u);
  EXPECT_EQ(both.update.findings.decisive().type, 4u);
  attributes[8] = fromHex("c00801 00");
  EXPECT_EQ(Decoded(updateBody({}, joined(attributes), oneRoute())).update.findings.decisive().type, 4u) << "the first";
  attributes.erase(8);
  attributes[99] = fromHex("406300");
  const Decoded all(updateBody({}, joined(attributes), oneRoute()));
  EXPECT_EQ(all.update.findings.action(), kReset);
  EXPECT_EQ(all.update.findings.decisive().type, 99u);
  EXPECT_EQ(all.update.findings.kept().size(), 3u);
  EXPECT_EQ(all.update.findings.notification(),
            updateError(subcode::kUnrecognizedWellKnownAttribute, fromHex("406300")));
}

TEST(BgpUpdateErrors, a_thousand_findings_take_no_more_room) {
  Bytes list = plainList();
  for (unsigned i = 0; i < 1000; ++i) put(list, fromHex("400101 00"));
  put(list, fromHex("406300"));
  const Decoded decoded(updateBody({}, list, oneRoute()));
  EXPECT_EQ(decoded.update.findings.count(), 1001u);
  EXPECT_EQ(decoded.update.findings.kept().size(), Findings::kKept);
  EXPECT_EQ(decoded.update.findings.decisive().type, 99u);
}

/// RFC 4271 6.3: each withdrawal that has to be a reset has its subcode and data.
TEST(BgpUpdateErrors, each_reason_is_told_as_4271_says) {
  const auto alone = [](const char* hex) { return outcome(updateBody({}, fromHex(hex), {})).notification; };
  EXPECT_EQ(alone("c00101 00"), updateError(subcode::kAttributeFlagsError, fromHex("c00101 00")));
  EXPECT_EQ(alone("800403 000000"), updateError(subcode::kAttributeLengthError, fromHex("800403 000000")));
  EXPECT_EQ(alone("400202 0200"), updateError(subcode::kMalformedAsPath));
  EXPECT_EQ(alone("400206 0101 0000fde9"), updateError(subcode::kMalformedAsPath));
}

TEST(BgpUpdateErrors, findings_have_words) {
  EXPECT_EQ(words(Finding{kWithdraw, ErrorReason::as_zero, 2}), "AS_PATH (2): AS 0: treat-as-withdraw");
  EXPECT_EQ(words(Finding{kReset, ErrorReason::unrecognized_well_known, 99}),
            "attribute 99: unrecognized well-known attribute: session reset");
  EXPECT_EQ(words(Finding{kReset, ErrorReason::field_lengths}), "field lengths exceed the message: session reset");
  EXPECT_EQ(words(ErrorReason::next_hop_length), "wrong length of the next hop");
}

}  // namespace
}  // namespace poplink::host::bgp
