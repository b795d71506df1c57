// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "bgp_octets.h"
#include "open.h"

namespace poplink::host::bgp {
namespace {

const std::string kMarker = "ffffffffffffffffffffffffffffffff ";
/// Version 4, AS 65001, 90 s, 192.0.2.1.
const std::string kFixed = "04 fde9 005a c0000201 ";

Open plain() {
  Open open;
  open.two_octet_asn = 65001;
  open.hold_seconds = 90;
  open.router_id = 0xc0000201;
  return open;
}

Open rich() {
  Open open = plain();
  open.two_octet_asn = kAsTrans;
  Capabilities& capabilities = open.capabilities;
  capabilities.families = {kIpv4Unicast, kIpv6Unicast};
  capabilities.four_octet_asn = 4200000001;
  capabilities.route_refresh = capabilities.enhanced_route_refresh = capabilities.extended_next_hop = true;
  capabilities.graceful_restart = GracefulRestart{true, true, 120, {{kIpv4Unicast, true}, {kIpv6Unicast, false}}};
  capabilities.role = BgpRole::provider;
  return open;
}

std::variant<Open, Notification> decoded(const std::string& hex) {
  return decodeOpen(fromHex(hex));
}

Notification openError(std::uint8_t sub, Bytes data = {}) {
  return {ErrorCode::open_message, sub, std::move(data)};
}

/// An OPEN whose optional parameters are these.
std::variant<Open, Notification> withParameters(const std::string& hex) {
  const Bytes parameters = fromHex(hex);
  return decodeOpen(fromHex(kFixed) + Bytes{static_cast<std::uint8_t>(parameters.size())} + parameters);
}

std::variant<Open, Notification> withCapabilities(const std::string& hex) {
  const Bytes all = fromHex(hex);
  return decodeOpen(fromHex(kFixed) +
                    Bytes{static_cast<std::uint8_t>(all.size() + 2), 2, static_cast<std::uint8_t>(all.size())} + all);
}

Capabilities capabilities(const std::variant<Open, Notification>& result) {
  const Open* open = std::get_if<Open>(&result);
  if (open == nullptr) {
    ADD_FAILURE() << words(std::get<Notification>(result));
    return {};
  }
  return open->capabilities;
}

TEST(BgpOpen, golden_bytes_without_parameters) {
  const Bytes octets = fromHex(kMarker + "001d 01 " + kFixed + "00");
  EXPECT_EQ(encode(plain()), octets);
  EXPECT_EQ(std::get<Open>(decodeOpen(bodyOf(octets, MessageType::open))), plain());
}

TEST(BgpOpen, golden_bytes_with_every_capability) {
  const Bytes octets = fromHex(kMarker +
                               "004c 01 04 5ba0 005a c0000201 2f 02 2d"
                               "0104 0001 00 01  0104 0002 00 01"
                               "0200"
                               "0506 0001 0001 0002"
                               "0901 00"
                               "400a c078 0001 01 80 0002 01 00"
                               "4104 fa56ea01"
                               "4600");
  EXPECT_EQ(encode(rich()), octets);
  EXPECT_EQ(std::get<Open>(decodeOpen(bodyOf(octets, MessageType::open))), rich());
  EXPECT_EQ(rich().asn(), 4200000001u);
  EXPECT_EQ(plain().asn(), 65001u);
}

/// RFC 5492 section 4: senders put them into one parameter or into one each; both are to be understood.
TEST(BgpOpen, capabilities_may_have_a_parameter_each) {
  Capabilities expected;
  expected.families = {kIpv4Unicast, kIpv6Unicast};
  expected.route_refresh = true;
  EXPECT_EQ(capabilities(withCapabilities("0104 00010001 0104 00020001 0200")), expected);
  EXPECT_EQ(capabilities(withParameters("0206 0104 00010001  0206 0104 00020001  0202 0200")), expected);
  EXPECT_EQ(capabilities(withParameters("0208 0104 00010001 0200  0200  0206 0104 00020001")), expected);
}

TEST(BgpOpen, a_capability_that_comes_twice_says_the_same) {
  EXPECT_TRUE(capabilities(withCapabilities("0200 0200")).route_refresh);
  EXPECT_EQ(capabilities(withCapabilities("0901 03 0901 03")).role, BgpRole::customer);
  EXPECT_EQ(capabilities(withCapabilities("4104 00000001 4104 0000fde9")).four_octet_asn, 65001u);
  EXPECT_EQ(capabilities(withCapabilities("4002 0078 4006 005a 0001 01 80")).graceful_restart,
            (GracefulRestart{false, false, 90, {{kIpv4Unicast, true}}}));
}

/// RFC 9234 section 4.2.
TEST(BgpOpen, two_roles_are_a_mismatch) {
  EXPECT_EQ(std::get<Notification>(withCapabilities("0901 03 0901 04")), openError(subcode::kRoleMismatch));
  EXPECT_EQ(capabilities(withCapabilities("0901 09")).role, static_cast<BgpRole>(9));
}

TEST(BgpOpen, other_capabilities_and_families_are_kept) {
  EXPECT_EQ(capabilities(withCapabilities("0600 0104 00190046 4503 010203 4700 0600")).unknown, (Bytes{6, 69, 71, 6}));
  EXPECT_EQ(capabilities(withCapabilities("0104 00190046")).families,
            (std::set<Family>{{static_cast<Afi>(25), static_cast<Safi>(70)}}));
}

/// RFC 8950 section 4: other families' next hops are not ours.
TEST(BgpOpen, an_extended_next_hop_is_that_of_ipv4_unicast) {
  EXPECT_FALSE(capabilities(withCapabilities("0500")).extended_next_hop);
  EXPECT_FALSE(capabilities(withCapabilities("0506 0001 0002 0002")).extended_next_hop);
  EXPECT_FALSE(capabilities(withCapabilities("0506 0001 0001 0001")).extended_next_hop);
  EXPECT_TRUE(capabilities(withCapabilities("050c 0001 0080 0002 0001 0001 0002")).extended_next_hop);
}

/// RFC 9072: type 255 instead of the first parameter, lengths of two octets.
TEST(BgpOpen, the_long_form_is_understood_also_when_short) {
  Capabilities expected;
  expected.route_refresh = true;
  EXPECT_EQ(capabilities(decoded(kFixed + "ff ff 0005 02 0002 0200")), expected);
  EXPECT_EQ(capabilities(decoded(kFixed + "01 ff 0005 02 0002 0200")), expected);
  EXPECT_EQ(capabilities(decoded(kFixed + "ff ff 0000")), Capabilities());
}

TEST(BgpOpen, many_capabilities_take_the_long_form) {
  Open open = rich();
  for (std::uint16_t afi = 100; afi < 150; ++afi)
    open.capabilities.families.insert({static_cast<Afi>(afi), Safi::unicast});
  const Bytes body = bodyOf(encode(open), MessageType::open);
  EXPECT_EQ(Octets(body).subspan(9, 2)[0], 0xff);
  EXPECT_EQ(Octets(body).subspan(9, 2)[1], 0xff);
  EXPECT_EQ(std::get<Open>(decodeOpen(body)), open);
}

TEST(BgpOpen, the_short_form_is_taken_as_long_as_it_fits) {
  for (unsigned count = 0; count < 60; ++count) {
    Open open = plain();
    for (unsigned i = 0; i < count; ++i) open.capabilities.families.insert({static_cast<Afi>(i + 100), Safi::unicast});
    const Bytes body = bodyOf(encode(open), MessageType::open);
    EXPECT_EQ(body.size() > 10 && body[10] == 0xff, count * 6 + 2 > 255) << count;
    EXPECT_EQ(std::get<Open>(decodeOpen(body)), open) << count;
  }
}

TEST(BgpOpen, families_of_a_graceful_restart_end_with_its_length) {
  Open open = plain();
  GracefulRestart restart;
  for (std::uint16_t afi = 1; afi <= 70; ++afi) restart.families[{static_cast<Afi>(afi), Safi::unicast}] = true;
  open.capabilities.graceful_restart = restart;
  const auto again = decodeOpen(bodyOf(encode(open), MessageType::open));
  EXPECT_EQ(std::get<Open>(again).capabilities.graceful_restart->families.size(), 63u);
}

struct Refusal {
  const char* what;
  std::string body;
  Notification expected;
};

class BgpOpenRefused : public testing::TestWithParam<Refusal> {};

TEST_P(BgpOpenRefused, says_why) {
  const auto result = decoded(GetParam().body);
  ASSERT_TRUE(std::holds_alternative<Notification>(result));
  EXPECT_EQ(std::get<Notification>(result), GetParam().expected) << words(std::get<Notification>(result));
}

std::vector<Refusal> refusals() {
  const Notification unspecific = openError(subcode::kUnspecific);
  const Notification parameter = openError(subcode::kUnsupportedOptionalParameter);
  return {
      // RFC 4271 6.2
      {"version_3", "03 fde9 005a c0000201 00", openError(subcode::kUnsupportedVersion, {0, 4})},
      {"version_5", "05 fde9 005a c0000201 00", openError(subcode::kUnsupportedVersion, {0, 4})},
      {"hold_time_1", "04 fde9 0001 c0000201 00", openError(subcode::kUnacceptableHoldTime)},
      {"hold_time_2", "04 fde9 0002 c0000201 00", openError(subcode::kUnacceptableHoldTime)},
      {"other_parameter", kFixed + "02 0300", parameter},
      {"authentication_parameter", kFixed + "03 0101 00", parameter},
      {"other_parameter_after_known", kFixed + "06 0202 0200 0500", parameter},
      // RFC 6286 2.1
      {"identifier_0", "04 fde9 005a 00000000 00", openError(subcode::kBadBgpIdentifier)},
      // RFC 7607 2
      {"as_0", "04 0000 005a c0000201 00", openError(subcode::kBadPeerAs)},
      {"four_octet_as_0", kFixed + "08 0206 4104 00000000", openError(subcode::kBadPeerAs)},
      // RFC 6793 4.1
      {"two_as_numbers", kFixed + "08 0206 4104 0000fdea", openError(subcode::kBadPeerAs)},
      // Lengths: 4271 6.2 for parameters, 5492 4 for capabilities
      {"parameters_missing", kFixed + "02", unspecific},
      {"parameters_too_long", kFixed + "00 0200", unspecific},
      {"half_a_parameter", kFixed + "01 02", unspecific},
      {"parameter_beyond_the_end", kFixed + "03 0202 02", unspecific},
      {"half_a_capability", kFixed + "03 0201 02", unspecific},
      {"capability_beyond_its_parameter", kFixed + "06 0202 4104 0000", unspecific},
      {"multiprotocol_of_3", kFixed + "07 0205 0103 000100", unspecific},
      {"multiprotocol_of_5", kFixed + "09 0207 0105 0001000100", unspecific},
      {"route_refresh_of_1", kFixed + "05 0203 0201 00", unspecific},
      {"extended_next_hop_of_5", kFixed + "09 0207 0505 0001000100", unspecific},
      {"role_of_0", kFixed + "04 0202 0900", unspecific},
      {"role_of_2", kFixed + "06 0204 0902 0000", unspecific},
      {"graceful_restart_of_0", kFixed + "04 0202 4000", unspecific},
      {"graceful_restart_of_1", kFixed + "05 0203 4001 00", unspecific},
      {"graceful_restart_of_5", kFixed + "09 0207 4005 0078000101", unspecific},
      {"four_octet_as_of_2", kFixed + "06 0204 4102 0001", unspecific},
      {"enhanced_route_refresh_of_1", kFixed + "05 0203 4601 00", unspecific},
      // RFC 9072 2
      {"long_form_without_length", kFixed + "ff ff 00", unspecific},
      {"long_form_too_short", kFixed + "ff ff 0004 02 0002 0200", unspecific},
      {"long_form_too_long", kFixed + "ff ff 0006 02 0002 0200", unspecific},
      {"half_a_parameter_in_the_long_form", kFixed + "ff ff 0002 0200", unspecific},
      {"other_parameter_in_the_long_form", kFixed + "ff ff 0003 03 0000", parameter},
  };
}

INSTANTIATE_TEST_SUITE_P(all, BgpOpenRefused, testing::ValuesIn(refusals()),
                         [](const auto& info) { return std::string(info.param.what); });

TEST(BgpOpen, a_short_body_is_a_bad_length) {
  const Bytes whole = fromHex(kFixed + "00");
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(std::get<Notification>(decodeOpen(Octets(whole).first(size))), badMessageLength(19 + size));
}

TEST(BgpOpen, every_truncation_of_the_parameters_is_refused) {
  const Bytes body = bodyOf(encode(rich()), MessageType::open);
  for (std::size_t size = 10; size < body.size(); ++size)
    EXPECT_EQ(std::get<Notification>(decodeOpen(Octets(body).first(size))), openError(subcode::kUnspecific)) << size;
}

}  // namespace
}  // namespace poplink::host::bgp
