// SPDX-License-Identifier: Apache-2.0
// What sessions do to routes: graceful restart in both roles (RFC 4724), refreshes (RFC 7313), and the limits of
// prefixes.
#include "bgp_rows.h"
#include "graceful_restart.h"
#include "prefix_limit.h"

namespace poplink::host::bgp {
namespace {

using Families = std::set<Family>;
const Families kBoth{kIpv4Unicast, kIpv6Unicast};
const RouteChanges kNothing{};

Negotiated session(bool restarting = false, std::map<Family, bool> forwarding = {}) {
  Negotiated negotiated;
  negotiated.families = kBoth;
  negotiated.graceful_restart = GracefulRestart{restarting, false, 120, std::move(forwarding)};
  return negotiated;
}
action::SessionDown lost(const Families& keep = kBoth) {
  return {kFirst, EndReason::tcp_failed, keep, 120s};
}

/// A helper whose peer was in session and has restarted.
StaleRoutes restarted() {
  StaleRoutes routes;
  routes.established(session(), kStart);
  EXPECT_EQ(routes.down(lost(), kStart), (RouteChanges{{}, {}, kBoth}));
  return routes;
}

TEST(StaleRoutes, wait_for_the_peer_for_its_restart_time) {
  StaleRoutes routes = restarted();
  EXPECT_EQ(routes.deadline(), kStart + 120s);
  EXPECT_EQ(routes.run(kStart + 120s - 1ns), kNothing);
  EXPECT_EQ(routes.run(kStart + 120s), (RouteChanges{{}, kBoth, {}}));
  EXPECT_FALSE(routes.deadline());
  EXPECT_THAT(routes.stale(), testing::IsEmpty());
}

TEST(StaleRoutes, go_family_by_family_at_end_of_rib) {
  StaleRoutes routes = restarted();
  EXPECT_EQ(routes.established(session(true, {{kIpv4Unicast, true}, {kIpv6Unicast, true}}), kStart + 10s), kNothing);
  EXPECT_EQ(routes.deadline(), kStart + 370s);
  EXPECT_EQ(routes.endOfRib(kIpv4Unicast), (RouteChanges{{}, {kIpv4Unicast}, {}}));
  EXPECT_EQ(routes.endOfRib(kIpv4Unicast), kNothing);
  EXPECT_EQ(routes.deadline(), kStart + 370s);
  EXPECT_EQ(routes.endOfRib(kIpv6Unicast), (RouteChanges{{}, {kIpv6Unicast}, {}}));
  EXPECT_FALSE(routes.deadline());
}

TEST(StaleRoutes, go_when_end_of_rib_does_not_come) {
  StaleRoutes routes = restarted();
  routes.established(session(true, {{kIpv4Unicast, true}, {kIpv6Unicast, true}}), kStart);
  routes.endOfRib(kIpv4Unicast);
  EXPECT_EQ(routes.run(kStart + 360s), (RouteChanges{{}, {kIpv6Unicast}, {}}));
}

/// Section 4.2: the F bit is not set, or the family or the whole capability is missing.
TEST(StaleRoutes, go_at_once_where_forwarding_has_stopped) {
  StaleRoutes no_bit = restarted();
  EXPECT_EQ(no_bit.established(session(true, {{kIpv4Unicast, true}, {kIpv6Unicast, false}}), kStart),
            (RouteChanges{{}, {kIpv6Unicast}, {}}));
  StaleRoutes no_family = restarted();
  EXPECT_EQ(no_family.established(session(true, {{kIpv4Unicast, true}}), kStart),
            (RouteChanges{{}, {kIpv6Unicast}, {}}));
  StaleRoutes no_capability = restarted();
  Negotiated plain = session();
  plain.graceful_restart.reset();
  EXPECT_EQ(no_capability.established(plain, kStart), (RouteChanges{{}, kBoth, {}}));
  EXPECT_FALSE(no_capability.deadline());
}

/// Section 4.2: "previously marked as stale MUST be deleted".
TEST(StaleRoutes, do_not_survive_a_second_restart) {
  StaleRoutes routes = restarted();
  routes.established(session(true, {{kIpv4Unicast, true}, {kIpv6Unicast, true}}), kStart);
  routes.endOfRib(kIpv4Unicast);
  EXPECT_EQ(routes.down(lost(), kStart + 20s), (RouteChanges{{}, {kIpv6Unicast}, kBoth}));
  EXPECT_EQ(routes.deadline(), kStart + 140s);
}

TEST(StaleRoutes, are_none_without_grace) {
  StaleRoutes routes;
  routes.established(session(), kStart);
  EXPECT_EQ(routes.down(lost({}), kStart), (RouteChanges{kBoth, {}, {}}));
  EXPECT_FALSE(routes.deadline());
  EXPECT_EQ(routes.endOfRib(kIpv4Unicast), kNothing);

  StaleRoutes partly;
  partly.established(session(), kStart);
  EXPECT_EQ(partly.down(lost({kIpv4Unicast}), kStart), (RouteChanges{{kIpv6Unicast}, {}, {kIpv4Unicast}}));
}

/// An End-of-RIB of the session that is over says nothing of the routes that wait.
TEST(StaleRoutes, are_not_swept_by_what_was_said_before) {
  StaleRoutes routes = restarted();
  EXPECT_EQ(routes.endOfRib(kIpv4Unicast), kNothing);
  EXPECT_EQ(routes.stale(), kBoth);
}

TEST(StaleRoutes, that_are_gone_are_not_removed_again) {
  StaleRoutes late = restarted();
  late.run(kStart + 120s);
  EXPECT_EQ(late.abandon(), kNothing);
  StaleRoutes partly;
  partly.established(session(), kStart);
  partly.down(lost({kIpv4Unicast}), kStart);
  EXPECT_EQ(partly.abandon(), (RouteChanges{{kIpv4Unicast}, {}, {}}));
}

TEST(StaleRoutes, go_when_the_peer_is_stopped) {
  StaleRoutes routes = restarted();
  EXPECT_EQ(routes.abandon(), (RouteChanges{kBoth, {}, {}}));
  EXPECT_FALSE(routes.deadline());
  EXPECT_EQ(routes.abandon(), kNothing);
}

/// RFC 7313 section 4.
TEST(StaleRoutes, of_a_refresh_wait_for_its_end_or_the_end_of_their_time) {
  StaleRoutes routes;
  routes.established(session(), kStart);
  EXPECT_EQ(routes.beginRefresh(kIpv4Unicast, kStart), (RouteChanges{{}, {}, {kIpv4Unicast}}));
  EXPECT_EQ(routes.beginRefresh(kIpv6Unicast, kStart + 60s), (RouteChanges{{}, {}, {kIpv6Unicast}}));
  EXPECT_EQ(routes.deadline(), kStart + 360s);
  EXPECT_EQ(routes.stale(), kBoth);
  EXPECT_EQ(routes.endOfRib(kIpv4Unicast), kNothing) << "another mark";
  EXPECT_EQ(routes.endRefresh(kIpv4Unicast), (RouteChanges{{}, {kIpv4Unicast}, {}}));
  EXPECT_EQ(routes.endRefresh(kIpv4Unicast), kNothing);
  EXPECT_EQ(routes.run(kStart + 420s - 1ns), kNothing);
  EXPECT_EQ(routes.run(kStart + 420s), (RouteChanges{{}, {kIpv6Unicast}, {}}));
  EXPECT_EQ(routes.endRefresh(kIpv6Unicast), kNothing);
  EXPECT_FALSE(routes.deadline());
}

TEST(StaleRoutes, of_a_refresh_that_begins_anew_wait_anew) {
  StaleRoutes routes(100s);
  routes.established(session(), kStart);
  routes.beginRefresh(kIpv4Unicast, kStart);
  EXPECT_EQ(routes.beginRefresh(kIpv4Unicast, kStart + 90s), (RouteChanges{{}, {}, {kIpv4Unicast}}));
  EXPECT_EQ(routes.deadline(), kStart + 190s);
}

TEST(StaleRoutes, of_a_refresh_are_those_of_a_restart_when_the_session_is_lost) {
  StaleRoutes routes;
  routes.established(session(), kStart);
  routes.beginRefresh(kIpv4Unicast, kStart);
  EXPECT_EQ(routes.down(lost(), kStart + 300s), (RouteChanges{{}, {}, kBoth}));
  EXPECT_EQ(routes.deadline(), kStart + 420s);
  EXPECT_EQ(routes.beginRefresh(kIpv4Unicast, kStart + 301s), kNothing);
  EXPECT_EQ(routes.endRefresh(kIpv4Unicast), kNothing);
}

TEST(StaleRoutes, of_a_refresh_go_when_the_session_does_or_the_peer_is_stopped) {
  StaleRoutes routes;
  routes.established(session(), kStart);
  routes.beginRefresh(kIpv4Unicast, kStart);
  EXPECT_EQ(routes.down(lost({}), kStart), (RouteChanges{kBoth, {}, {}}));
  EXPECT_FALSE(routes.deadline());
  routes.established(session(), kStart);
  routes.beginRefresh(kIpv4Unicast, kStart);
  EXPECT_EQ(routes.abandon(), (RouteChanges{kBoth, {}, {}}));
  EXPECT_FALSE(routes.deadline());
}

TEST(StaleRoutes, are_none_of_a_family_that_the_session_does_not_have) {
  StaleRoutes routes;
  Negotiated negotiated = session();
  negotiated.families = {kIpv4Unicast};
  routes.established(negotiated, kStart);
  EXPECT_EQ(routes.beginRefresh(kIpv6Unicast, kStart), kNothing);
  EXPECT_FALSE(routes.deadline());
}

constexpr PeerId kOne{1}, kTwo{2};

SelectionDeferral deferral() {
  return {{kOne, kTwo}, kBoth, 360s, kStart};
}

/// RFC 4724 section 4.1.
TEST(SelectionDeferral, ends_when_all_peers_have_sent_end_of_rib) {
  SelectionDeferral deferral = bgp::deferral();
  EXPECT_TRUE(deferral.restarting());
  EXPECT_THAT(deferral.established(kOne, session()), testing::IsEmpty());
  EXPECT_THAT(deferral.endOfRib(kOne, kIpv4Unicast), testing::IsEmpty());
  EXPECT_EQ(deferral.endOfRib(kTwo, kIpv4Unicast), Families{kIpv4Unicast});
  EXPECT_FALSE(deferral.deferred(kIpv4Unicast));
  EXPECT_TRUE(deferral.deferred(kIpv6Unicast));
  deferral.endOfRib(kOne, kIpv6Unicast);
  EXPECT_EQ(deferral.endOfRib(kTwo, kIpv6Unicast), Families{kIpv6Unicast});
  EXPECT_FALSE(deferral.restarting());
  EXPECT_FALSE(deferral.deadline());
}

TEST(SelectionDeferral, does_not_wait_for_whom_the_rfc_excepts) {
  Negotiated plain = session();
  plain.graceful_restart.reset();
  Negotiated one_family = session();
  one_family.families = {kIpv4Unicast};
  for (const auto& [other, released] :
       {std::pair{session(true), kBoth}, std::pair{plain, kBoth}, std::pair{one_family, Families{kIpv6Unicast}},
        std::pair{session(), Families{}}}) {
    SelectionDeferral deferral = bgp::deferral();
    deferral.removed(kOne);
    EXPECT_EQ(deferral.established(kTwo, other), released);
  }
}

TEST(SelectionDeferral, ends_with_its_timer) {
  SelectionDeferral deferral = bgp::deferral();
  deferral.removed(kOne);
  EXPECT_EQ(deferral.deadline(), kStart + 360s);
  EXPECT_THAT(deferral.run(kStart + 360s - 1ns), testing::IsEmpty());
  EXPECT_EQ(deferral.run(kStart + 360s), kBoth);
  EXPECT_THAT(deferral.run(kStart + 361s), testing::IsEmpty());
}

TEST(SelectionDeferral, is_none_without_peers) {
  EXPECT_FALSE(SelectionDeferral({}, kBoth, 360s, kStart).restarting());
}

using Verdict = PrefixLimit::Verdict;
constexpr Verdict kTaken{true, LimitEvent::none};

LimitSettings limited(LimitAction action) {
  return {100, 80, action, {}};
}
void fill(PrefixLimit& limit, std::uint32_t count) {
  while (limit.count() < count) limit.announce(true);
}

TEST(PrefixLimit, allows_as_many_as_it_says) {
  PrefixLimit limit(limited(LimitAction::shut));
  fill(limit, 79);
  EXPECT_EQ(limit.announce(true), (Verdict{true, LimitEvent::near}));
  fill(limit, 99);
  EXPECT_EQ(limit.announce(true), kTaken);
  EXPECT_EQ(limit.announce(false), kTaken) << "another route for a prefix that is there";
  EXPECT_EQ(limit.announce(true), (Verdict{false, LimitEvent::exceeded}));
  EXPECT_EQ(limit.announce(true), (Verdict{false, LimitEvent::none})) << "the session ends once";
  EXPECT_EQ(limit.count(), 100u);
}

TEST(PrefixLimit, that_warns_takes_all) {
  PrefixLimit limit(limited(LimitAction::warn));
  fill(limit, 100);
  EXPECT_EQ(limit.announce(true), (Verdict{true, LimitEvent::exceeded}));
  EXPECT_EQ(limit.announce(true), kTaken);
  EXPECT_EQ(limit.count(), 102u);
  while (limit.count() > 95) EXPECT_EQ(limit.withdraw(), LimitEvent::none);
  fill(limit, 100);
  EXPECT_EQ(limit.announce(true), kTaken) << "not told again for wavering";
  while (limit.count() > 94) limit.withdraw();
  fill(limit, 100);
  EXPECT_EQ(limit.announce(true), (Verdict{true, LimitEvent::exceeded}));
}

TEST(PrefixLimit, that_discards_asks_again_when_there_is_room) {
  PrefixLimit limit(limited(LimitAction::discard));
  fill(limit, 100);
  EXPECT_EQ(limit.announce(true), (Verdict{false, LimitEvent::exceeded}));
  EXPECT_EQ(limit.announce(true), (Verdict{false, LimitEvent::none}));
  EXPECT_EQ(limit.discarded(), 2u);
  EXPECT_EQ(limit.count(), 100u);
  while (limit.count() > 95) EXPECT_EQ(limit.withdraw(), LimitEvent::none);
  EXPECT_EQ(limit.withdraw(), LimitEvent::room);
  EXPECT_EQ(limit.withdraw(), LimitEvent::none);
  EXPECT_EQ(limit.announce(true), kTaken);
}

TEST(PrefixLimit, of_one_works) {
  PrefixLimit limit({1, 80, LimitAction::discard, {}});
  EXPECT_EQ(limit.announce(true), (Verdict{true, LimitEvent::near}));
  EXPECT_EQ(limit.announce(true), (Verdict{false, LimitEvent::exceeded}));
  EXPECT_EQ(limit.withdraw(), LimitEvent::room);
  EXPECT_EQ(limit.announce(true), (Verdict{true, LimitEvent::near}));
}

TEST(PrefixLimit, warns_again_after_the_count_was_well_below) {
  PrefixLimit limit(limited(LimitAction::shut));
  fill(limit, 80);
  while (limit.count() > 75) limit.withdraw();
  fill(limit, 79);
  EXPECT_EQ(limit.announce(true), kTaken);
  while (limit.count() > 74) limit.withdraw();
  fill(limit, 79);
  EXPECT_EQ(limit.announce(true), (Verdict{true, LimitEvent::near}));
}

TEST(PrefixLimit, begins_anew_with_a_session) {
  PrefixLimit limit(limited(LimitAction::shut));
  fill(limit, 100);
  limit.announce(true);
  limit.reset();
  EXPECT_EQ(limit.count(), 0u);
  limit.withdraw();
  EXPECT_EQ(limit.count(), 0u);
  EXPECT_EQ(limit.discarded(), 0u);
  fill(limit, 100);
  EXPECT_EQ(limit.announce(true), (Verdict{false, LimitEvent::exceeded}));
}

TEST(PrefixLimit, reconfigured_says_what_that_means) {
  PrefixLimit limit(limited(LimitAction::discard));
  fill(limit, 100);
  limit.announce(true);
  EXPECT_EQ(limit.configure(limited(LimitAction::discard)), LimitEvent::none);
  LimitSettings more = limited(LimitAction::discard);
  more.limit = 1000;
  EXPECT_EQ(limit.configure(more), LimitEvent::room);
  LimitSettings fewer = limited(LimitAction::shut);
  fewer.limit = 50;
  EXPECT_EQ(limit.configure(fewer), LimitEvent::exceeded);
  EXPECT_EQ(limit.count(), 100u);
  fewer.limit = 110;
  EXPECT_EQ(limit.configure(fewer), LimitEvent::near);
}

/// Against a set that is counted anew each time.
TEST(PrefixLimit, counts_right_over_any_sequence) {
  std::mt19937_64 random(1);
  for (const LimitAction action : {LimitAction::warn, LimitAction::discard}) {
    PrefixLimit limit({20, 80, action, {}});
    std::set<std::uint64_t> rib;
    for (int i = 0; i < 20000; ++i) {
      const std::uint64_t prefix = random() % 40;
      if (random() % 2 == 0) {
        if (limit.announce(!rib.contains(prefix)).take) rib.insert(prefix);
      } else if (rib.erase(prefix) == 1) {
        limit.withdraw();
      }
      ASSERT_EQ(limit.count(), rib.size());
      ASSERT_TRUE(action == LimitAction::warn || rib.size() <= 20);
    }
  }
}

TEST(PrefixLimit, has_rules_for_its_settings) {
  EXPECT_THAT(problems(limited(LimitAction::shut)), testing::IsEmpty());
  EXPECT_THAT(problems(LimitSettings{100, 80, LimitAction::shut, 60s}), testing::IsEmpty());
  EXPECT_THAT(problems(LimitSettings{0, 80, LimitAction::shut, {}}), testing::ElementsAre("limit: must be at least 1"));
  EXPECT_THAT(problems(LimitSettings{1, 101, LimitAction::shut, {}}),
              testing::ElementsAre("warn_percent: must not exceed 100"));
  EXPECT_THAT(problems(LimitSettings{1, 0, LimitAction::warn, 60s}),
              testing::ElementsAre("restart: needs the action shut"));
  EXPECT_THAT(problems(LimitSettings{1, 0, LimitAction::shut, 0s}),
              testing::ElementsAre("restart: must be at least 1 s"));
}

}  // namespace
}  // namespace poplink::host::bgp
