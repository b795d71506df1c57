// SPDX-License-Identifier: Apache-2.0
// What two OPENs come to. Refusals are rows: which OPEN, which NOTIFICATION, by which clause.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "negotiation.h"

namespace poplink::host::bgp {
namespace {

using namespace std::chrono_literals;

OpenSettings ours() {
  OpenSettings settings;
  settings.local_as = 64512;
  settings.peer_as = 65001;
  settings.router_id = 0x0a000001;
  settings.families = {kIpv4Unicast, kIpv6Unicast};
  return settings;
}

/// What somebody sends who is configured like us, from the other side.
Open theirs(const OpenSettings& settings = ours()) {
  OpenSettings other = settings;
  std::swap(other.local_as, other.peer_as);
  other.router_id = 0x0a000002;
  return makeOpen(other);
}

struct RefusedRow {
  const char* name;
  std::function<void(OpenSettings&, Open&)> given;
  std::optional<std::uint8_t> subcode;  ///< of an OPEN Message Error; none: is let in
  std::vector<std::uint8_t> data;
};
void PrintTo(const RefusedRow& row, std::ostream* out) {
  *out << row.name;
}

class OpenJudged : public testing::TestWithParam<RefusedRow> {};

TEST_P(OpenJudged, as_its_clause_says) {
  OpenSettings settings = ours();
  Open open = theirs();
  GetParam().given(settings, open);
  ASSERT_THAT(problems(settings), testing::IsEmpty());
  const auto result = negotiate(settings, open);
  if (!GetParam().subcode) {
    EXPECT_TRUE(std::holds_alternative<Negotiated>(result));
    return;
  }
  const auto* refused = std::get_if<Notification>(&result);
  ASSERT_TRUE(refused);
  EXPECT_EQ(*refused, (Notification{ErrorCode::open_message, *GetParam().subcode, GetParam().data}));
}

void internal(OpenSettings& settings, Open& open) {
  settings.peer_as = settings.local_as;
  settings.allow_internal = true;
  open.two_octet_asn = static_cast<std::uint16_t>(settings.local_as);
  open.capabilities.four_octet_asn = settings.local_as;
}

INSTANTIATE_TEST_SUITE_P(
    clauses, OpenJudged,
    testing::Values(
        RefusedRow{"rfc4271_6_2_the_configured_peer", [](auto&, auto&) {}, {}, {}},
        RefusedRow{"rfc4271_6_2_another_as",
                   [](auto&, auto& open) { open.capabilities.four_octet_asn = 65002; },
                   subcode::kBadPeerAs,
                   {}},
        RefusedRow{"rfc4271_6_2_our_own_as",
                   [](auto&, auto& open) { open.capabilities.four_octet_asn = 64512; },
                   subcode::kBadPeerAs,
                   {}},
        RefusedRow{
            "rfc6793_4_2_old_speaker", [](auto&, auto& open) { open.capabilities.four_octet_asn.reset(); }, {}, {}},
        RefusedRow{"rfc6793_4_2_old_speaker_of_another_as",
                   [](auto&, auto& open) {
                     open.capabilities.four_octet_asn.reset();
                     open.two_octet_asn = static_cast<std::uint16_t>(kAsTrans);
                   },
                   subcode::kBadPeerAs,
                   {}},
        RefusedRow{"rfc6286_2_1_our_identifier_from_outside",
                   [](auto& settings, auto& open) { open.router_id = settings.router_id; },
                   {},
                   {}},
        RefusedRow{"rfc6286_2_2_our_identifier_from_inside",
                   [](auto& settings, auto& open) {
                     internal(settings, open);
                     open.router_id = settings.router_id;
                   },
                   subcode::kBadBgpIdentifier,
                   {}},
        RefusedRow{"rfc4271_6_2_hold_time_too_short",
                   [](auto& settings, auto& open) {
                     settings.minimum_hold_seconds = 10;
                     open.hold_seconds = 9;
                   },
                   subcode::kUnacceptableHoldTime,
                   {}},
        RefusedRow{"rfc4271_6_2_no_hold_time_where_one_is_asked_for",
                   [](auto& settings, auto& open) {
                     settings.minimum_hold_seconds = 3;
                     open.hold_seconds = 0;
                   },
                   subcode::kUnacceptableHoldTime,
                   {}},
        RefusedRow{"rfc4271_6_2_shortest_hold_time",
                   [](auto& settings, auto& open) {
                     settings.minimum_hold_seconds = 10;
                     open.hold_seconds = 10;
                   },
                   {},
                   {}},
        RefusedRow{"rfc5492_5_no_family_in_common",
                   [](auto& settings, auto& open) {
                     settings.families = {kIpv6Unicast};
                     open.capabilities.families = {kIpv4Unicast};
                   },
                   subcode::kUnsupportedCapability,
                   {1, 4, 0, 2, 0, 1}},
        RefusedRow{"rfc4760_8_no_family_named_is_ipv4",
                   [](auto& settings, auto& open) {
                     settings.families = {kIpv4Unicast};
                     open.capabilities.families.clear();
                   },
                   {},
                   {}},
        RefusedRow{"rfc4760_8_no_family_named_is_not_ipv6",
                   [](auto& settings, auto& open) {
                     settings.families = {kIpv6Unicast};
                     open.capabilities.families.clear();
                   },
                   subcode::kUnsupportedCapability,
                   {1, 4, 0, 2, 0, 1}},
        RefusedRow{"rfc9234_4_2_no_role_from_the_peer",
                   [](auto& settings, auto&) { settings.role = BgpRole::provider; },
                   {},
                   {}},
        RefusedRow{"rfc9234_4_2_no_role_from_the_peer_strict",
                   [](auto& settings, auto&) {
                     settings.role = BgpRole::provider;
                     settings.strict_role = true;
                   },
                   subcode::kRoleMismatch,
                   {}},
        RefusedRow{
            "rfc9234_4_2_no_role_here", [](auto&, auto& open) { open.capabilities.role = BgpRole::provider; }, {}, {}},
        RefusedRow{"rfc9234_4_internal_sessions_have_no_roles",
                   [](auto& settings, auto& open) {
                     internal(settings, open);
                     open.capabilities.role = BgpRole::provider;
                   },
                   {},
                   {}}),
    [](const auto& row) { return row.param.name; });

/// RFC 9234 section 4.2, table 2: all pairs.
TEST(Roles, five_pairs_match_and_no_other) {
  using enum BgpRole;
  const std::set<std::pair<BgpRole, BgpRole>> allowed{{provider, customer},
                                                      {customer, provider},
                                                      {route_server, route_server_client},
                                                      {route_server_client, route_server},
                                                      {peer, peer}};
  for (int local = 0; local < 6; ++local) {
    for (int remote = 0; remote < 6; ++remote) {
      const std::pair pair{static_cast<BgpRole>(local), static_cast<BgpRole>(remote)};
      EXPECT_EQ(rolesMatch(pair.first, pair.second), allowed.contains(pair)) << local << " " << remote;
      if (local > 4) continue;
      OpenSettings settings = ours();
      settings.role = pair.first;
      Open open = theirs();
      open.capabilities.role = pair.second;
      EXPECT_EQ(std::holds_alternative<Negotiated>(negotiate(settings, open)), allowed.contains(pair));
    }
  }
}

Negotiated agreed(const OpenSettings& settings, const Open& open) {
  const auto result = negotiate(settings, open);
  EXPECT_TRUE(std::holds_alternative<Negotiated>(result));
  return std::holds_alternative<Negotiated>(result) ? std::get<Negotiated>(result) : Negotiated{};
}

/// RFC 4271 sections 4.2 and 4.4.
TEST(Negotiation, the_shorter_hold_time_counts_and_keepalives_are_a_third_of_it) {
  struct Times {
    std::uint16_t ours, keepalive, theirs;
    Duration hold, every;
  };
  for (const Times& times :
       {Times{90, 0, 180, 90s, 30s}, Times{90, 0, 30, 30s, 10s}, Times{90, 10, 180, 90s, 10s}, Times{90, 10, 9, 9s, 3s},
        Times{90, 0, 3, 3s, 1s}, Times{90, 0, 0, 0s, 0s}, Times{0, 0, 90, 0s, 0s}}) {
    OpenSettings settings = ours();
    settings.hold_seconds = times.ours;
    settings.keepalive_seconds = times.keepalive;
    Open open = theirs();
    open.hold_seconds = times.theirs;
    const Negotiated result = agreed(settings, open);
    EXPECT_EQ(result.hold, times.hold);
    EXPECT_EQ(result.keepalive, times.every);
  }
}

TEST(Negotiation, what_one_side_lacks_the_session_lacks) {
  OpenSettings settings = ours();
  settings.extended_next_hop = true;
  settings.graceful_restart.emplace();
  const Open all = theirs(settings);
  const Negotiated full = agreed(settings, all);
  EXPECT_TRUE(full.four_octet_asn && full.route_refresh && full.enhanced_route_refresh && full.extended_next_hop);
  EXPECT_EQ(full.families, settings.families);
  EXPECT_EQ(full.kept_on_restart, settings.families);
  EXPECT_EQ(full.peer_as, 65001u);
  EXPECT_EQ(full.peer_id, 0x0a000002u);

  Open none = all;
  none.capabilities = {};
  const Negotiated plain = agreed(settings, none);
  EXPECT_FALSE(plain.four_octet_asn || plain.route_refresh || plain.enhanced_route_refresh || plain.extended_next_hop);
  EXPECT_THAT(plain.families, testing::ElementsAre(kIpv4Unicast));
  EXPECT_FALSE(plain.graceful_restart);

  OpenSettings modest = ours();
  modest.route_refresh = modest.enhanced_route_refresh = false;
  const Negotiated own = agreed(modest, all);
  EXPECT_FALSE(own.route_refresh || own.enhanced_route_refresh || own.extended_next_hop || own.graceful_restart);
}

/// RFC 4724 section 3: families of the session only, and only for a helper.
TEST(Negotiation, graceful_restart_speaks_of_the_session_s_families) {
  OpenSettings settings = ours();
  settings.families = {kIpv4Unicast};
  settings.graceful_restart.emplace();
  Open open = theirs();
  open.capabilities.graceful_restart = GracefulRestart{true, false, 60, {{kIpv4Unicast, true}, {kIpv6Unicast, true}}};
  const Negotiated result = agreed(settings, open);
  EXPECT_THAT(result.graceful_restart->families, testing::ElementsAre(testing::Pair(kIpv4Unicast, true)));
  EXPECT_THAT(result.kept_on_restart, testing::ElementsAre(kIpv4Unicast));
  settings.graceful_restart->helper = false;
  EXPECT_THAT(agreed(settings, open).kept_on_restart, testing::IsEmpty());
}

/// RFC 9234 section 4: a role that an internal peer names means nothing.
TEST(Negotiation, roles_are_of_external_sessions) {
  OpenSettings settings = ours();
  settings.role = BgpRole::provider;
  Open open = theirs();
  open.capabilities.role = BgpRole::customer;
  const Negotiated outside = agreed(settings, open);
  EXPECT_EQ(outside.local_role, BgpRole::provider);
  EXPECT_EQ(outside.peer_role, BgpRole::customer);
  settings = ours();
  internal(settings, open);
  EXPECT_FALSE(agreed(settings, open).peer_role);
}

TEST(OurOpen, says_what_the_settings_say) {
  OpenSettings settings = ours();
  settings.local_as = 4200000001;
  settings.role = BgpRole::provider;
  settings.graceful_restart = LocalGracefulRestart{true, 200, true, {kIpv6Unicast}};
  const Open open = makeOpen(settings);
  EXPECT_EQ(open.two_octet_asn, kAsTrans);
  EXPECT_EQ(open.asn(), 4200000001u);
  EXPECT_EQ(open.hold_seconds, 90);
  EXPECT_EQ(open.capabilities.role, BgpRole::provider);
  const GracefulRestart restart{true, false, 200, {{kIpv4Unicast, false}, {kIpv6Unicast, true}}};
  EXPECT_EQ(open.capabilities.graceful_restart, restart);
}

/// RFC 4724 section 4.1: F bits are for a speaker that has restarted.
TEST(OurOpen, has_no_forwarding_bits_unless_restarting) {
  OpenSettings settings = ours();
  settings.graceful_restart = LocalGracefulRestart{true, 200, false, {kIpv6Unicast}};
  EXPECT_FALSE(makeOpen(settings).capabilities.graceful_restart->families.at(kIpv6Unicast));
}

struct ProblemRow {
  const char* name;
  std::function<void(OpenSettings&)> given;
  const char* starts;  ///< the place that is named
};
void PrintTo(const ProblemRow& row, std::ostream* out) {
  *out << row.name;
}
class BadSettings : public testing::TestWithParam<ProblemRow> {};

TEST_P(BadSettings, are_named_by_place_and_rule) {
  OpenSettings settings = ours();
  EXPECT_THAT(problems(settings), testing::IsEmpty());
  GetParam().given(settings);
  EXPECT_THAT(problems(settings), testing::Contains(testing::StartsWith(GetParam().starts)));
}

INSTANTIATE_TEST_SUITE_P(
    rules, BadSettings,
    testing::Values(ProblemRow{"local_as_zero", [](auto& s) { s.local_as = 0; }, "local_as: "},
                    ProblemRow{"peer_as_zero", [](auto& s) { s.peer_as = 0; }, "peer_as: "},
                    ProblemRow{"local_as_trans", [](auto& s) { s.local_as = kAsTrans; }, "local_as: "},
                    ProblemRow{"peer_as_trans", [](auto& s) { s.peer_as = kAsTrans; }, "peer_as: "},
                    ProblemRow{"own_as_is_the_peers", [](auto& s) { s.peer_as = s.local_as; }, "peer_as: must differ"},
                    ProblemRow{"router_id_zero", [](auto& s) { s.router_id = 0; }, "router_id: "},
                    ProblemRow{"hold_of_two_seconds", [](auto& s) { s.hold_seconds = 2; }, "hold_seconds: "},
                    ProblemRow{"minimum_over_hold", [](auto& s) { s.minimum_hold_seconds = 91; },
                               "minimum_hold_seconds: "},
                    ProblemRow{"minimum_of_none",
                               [](auto& s) {
                                 s.hold_seconds = 0;
                                 s.minimum_hold_seconds = 3;
                               },
                               "minimum_hold_seconds: "},
                    ProblemRow{"keepalive_too_rare", [](auto& s) { s.keepalive_seconds = 31; }, "keepalive_seconds: "},
                    ProblemRow{"no_family", [](auto& s) { s.families.clear(); }, "families: "},
                    ProblemRow{"extended_next_hop_without_ipv4",
                               [](auto& s) {
                                 s.families = {kIpv6Unicast};
                                 s.extended_next_hop = true;
                               },
                               "extended_next_hop: "},
                    ProblemRow{"role_inside",
                               [](auto& s) {
                                 s.peer_as = s.local_as;
                                 s.allow_internal = true;
                                 s.role = BgpRole::peer;
                               },
                               "role: "},
                    ProblemRow{"strict_without_role", [](auto& s) { s.strict_role = true; }, "strict_role: "},
                    ProblemRow{"restart_too_long",
                               [](auto& s) { s.graceful_restart = LocalGracefulRestart{true, 4096, false, {}}; },
                               "graceful_restart.restart_seconds: "},
                    ProblemRow{"forwarding_of_another_family",
                               [](auto& s) {
                                 s.families = {kIpv4Unicast};
                                 s.graceful_restart = LocalGracefulRestart{true, 120, true, {kIpv6Unicast}};
                               },
                               "graceful_restart.forwarding: "}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace poplink::host::bgp
