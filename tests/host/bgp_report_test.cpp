// SPDX-License-Identifier: Apache-2.0
// What a speaker says of itself: peers, routes, metrics.
#include <gtest/gtest.h>

#include "bgp_report_lab.h"
#include "metrics.h"
#include "peers.h"
#include "routes.h"

namespace poplink::host::bgp {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const Json& peerIn(const Json& summary, const std::string& name) {
  for (const Json& peer : summary.at("peers"))
    if (peer.at("name") == name) return peer;
  throw std::out_of_range(name);
}

TEST(BgpReport, summary_counts_what_each_peer_has_told_and_was_told) {
  ReportLab lab(ReportLab::settings({ReportLab::peer("a", 2), ReportLab::peer("b", 3)}));
  lab.up("a");
  lab.announce("a", {net(10, 1, 16), net(10, 2, 16)}, {});
  lab.pass(5s);
  const Json summary = reportSummary(lab.speaker, lab.time());
  EXPECT_EQ(summary.at("router_id"), "192.0.2.1");
  EXPECT_EQ(summary.at("tables").at("ipv4").at("prefixes"), 2);
  const Json& a = peerIn(summary, "a");
  EXPECT_EQ(a.at("state"), "Established");
  EXPECT_EQ(a.at("since"), "2026-03-01T12:00:00.000Z");
  EXPECT_EQ(a.at("uptime_seconds"), 5);
  EXPECT_EQ(a.at("prefixes").at("ipv4"),
            Json({{"received", 2}, {"accepted", 2}, {"best", 2}, {"advertised", 0}, {"limit", nullptr}}));
  const Json& b = peerIn(summary, "b");
  EXPECT_EQ(b.at("state"), "Active");
  EXPECT_TRUE(b.at("uptime_seconds").is_null());
  lab.up("b");
  EXPECT_EQ(peerIn(reportSummary(lab.speaker, lab.time()), "b").at("prefixes").at("ipv4").at("advertised"), 2);
}

TEST(BgpReport, neighbor_has_the_last_notification_of_either_side) {
  ReportLab lab(ReportLab::settings({ReportLab::peer("a", 2)}));
  const auto last = [&] { return reportNeighbor(lab.speaker, *lab.speaker.peering("a"), lab.time()); };
  EXPECT_TRUE(last().at("last_notification").is_null());
  lab.up("a");
  lab.hear("a", encode(Notification{ErrorCode::cease, subcode::kAdministrativeShutdown, shutdownData("good night")}));
  EXPECT_EQ(last().at("last_notification").at("direction"), "received");
  EXPECT_EQ(last().at("last_notification").at("shutdown_text"), "good night");
  EXPECT_EQ(last().at("peer_shutdown_text"), "good night");
  EXPECT_TRUE(last().at("capabilities").is_null());
  lab.pass(100s);
  lab.up("a");
  lab.speaker.clear(lab.speaker.peering("a")->index, "new key", lab.time().now);
  EXPECT_EQ(last().at("last_notification").at("direction"), "sent");
  EXPECT_EQ(last().at("last_notification").at("subcode"), subcode::kAdministrativeReset);
  EXPECT_EQ(last().at("flaps"), 2);
}

TEST(BgpReport, last_error_has_a_time_and_stays_when_the_next_session_is_up) {
  PeerSettings peer = ReportLab::peer("a", 2);
  peer.session.passive = false;
  ReportLab lab(ReportLab::settings({peer}));
  const auto error = [&] {
    const Json a = reportNeighbor(lab.speaker, *lab.speaker.peering("a"), lab.time());
    EXPECT_EQ(a.at("last_error"), peerIn(reportSummary(lab.speaker, lab.time()), "a").at("last_error"));
    return Json{a.at("state"), a.at("last_error"), a.at("last_error_time"), a.at("last_error_age_seconds")};
  };
  EXPECT_EQ(error(), Json({"Connect", nullptr, nullptr, nullptr}));
  lab.pass(2s);
  const Peering& peering = *lab.speaker.peering("a");
  lab.speaker.connectFailed(peering.index, *peering.machine.attempt(), "connection refused", lab.time().now);
  lab.pass(3s);
  EXPECT_EQ(error(), Json({"Active", "connection refused", "2026-03-01T12:00:02.000Z", 3}));
  lab.up("a");
  lab.pass(1s);
  EXPECT_EQ(error(), Json({"Established", "connection refused", "2026-03-01T12:00:02.000Z", 4}));
  lab.hear("a", encode(Notification{ErrorCode::cease, subcode::kAdministrativeReset, {}}));
  const Json ended = error();
  EXPECT_THAT(ended.at(1).get<std::string>(), HasSubstr("administrative reset"));
  EXPECT_EQ(ended.at(2), "2026-03-01T12:00:06.000Z");
  EXPECT_EQ(ended.at(3), 0);
}

TEST(BgpReport, neighbor_says_what_was_agreed_on_and_when_time_is_up) {
  PeerSettings peer = ReportLab::peer("a", 2);
  peer.session.open.hold_seconds = 30;
  peer.session.open.graceful_restart.emplace();
  peer.limits[kIpv4Unicast] = {.limit = 1, .action = LimitAction::discard, .restart = {}};
  ReportLab lab(ReportLab::settings({peer}));
  lab.up("a", false);
  lab.announce("a", {net(10, 1, 16), net(10, 2, 16)}, {});
  lab.pass(4s);
  const Json neighbor = reportNeighbor(lab.speaker, *lab.speaker.peering("a"), lab.time());
  EXPECT_EQ(neighbor.at("timers").at("hold_seconds"), 30.0);
  EXPECT_EQ(neighbor.at("timers").at("hold_remaining_seconds"), 26);
  EXPECT_EQ(neighbor.at("capabilities").at("four_octet_asn"), false);
  EXPECT_EQ(neighbor.at("graceful_restart").at("kept_on_restart"), Json({"ipv4", "ipv6"}));
  EXPECT_EQ(neighbor.at("prefixes").at("ipv4").at("received"), 1);
  EXPECT_EQ(neighbor.at("prefixes").at("ipv4").at("discarded"), 1);
  EXPECT_EQ(neighbor.at("counters").at("messages_received").at("update"), 1);
  EXPECT_EQ(neighbor.at("counters").at("messages_sent").at("update"), 2) << "End-of-RIB of two families";
  EXPECT_EQ(neighbor.at("remote").at("router_id"), "192.0.2.2");
}

TEST(BgpReport, never_shows_a_key) {
  PeerSettings peer = ReportLab::peer("a", 2);
  peer.md5_key = "vErySecret";
  ReportLab lab(ReportLab::settings({peer}));
  const std::string text = reportNeighbors(lab.speaker, lab.time()).dump();
  EXPECT_THAT(text, HasSubstr("\"md5\":true"));
  EXPECT_THAT(text, Not(HasSubstr("vErySecret")));
}

Json routeTo(const ReportLab& lab, const Prefix4& prefix, const RouteFilter& filter = {}) {
  return reportRoute<Prefix4>(lab.speaker, lab.speaker.table<Prefix4>().find(prefix), filter, lab.time());
}

TEST(BgpReport, route_says_of_each_path_why_it_is_not_taken) {
  PeerSettings none = ReportLab::peer("none", 5);
  none.import_policy.reset();
  SpeakerSettings settings =
      ReportLab::settings({ReportLab::peer("short", 2), ReportLab::peer("long", 3), ReportLab::peer("loop", 4), none});
  ReportLab lab(settings);
  for (const char* name : {"short", "long", "loop", "none"}) lab.up(name);
  lab.announce("long", {net(10, 1, 16)}, {65100});
  lab.announce("loop", {net(10, 1, 16)}, {64600});
  lab.announce("none", {net(10, 1, 16)}, {});
  lab.announce("short", {net(10, 1, 16)}, {});
  std::map<std::string, Json> paths;
  const Json route = routeTo(lab, net(10, 1, 16));
  for (const Json& path : route.at("paths")) paths[path.at("peer")] = path;
  ASSERT_EQ(paths.size(), 4U);
  EXPECT_EQ(paths["short"].at("best"), true);
  EXPECT_TRUE(paths["short"].at("reason").is_null());
  EXPECT_EQ(paths["long"].at("reason"), "longer AS path");
  EXPECT_EQ(paths["long"].at("as_path"), Json({65003, 65100}));
  EXPECT_EQ(paths["loop"].at("reason"), "own AS in the path");
  EXPECT_EQ(paths["loop"].at("eligible"), false);
  EXPECT_EQ(paths["none"].at("reason"), "refused by import policy");
}

TEST(BgpReport, route_filters_leave_out_paths_and_whole_prefixes) {
  ReportLab lab(ReportLab::settings({ReportLab::peer("a", 2), ReportLab::peer("b", 3)}));
  lab.up("a");
  lab.up("b");
  lab.announce("a", {net(10, 1, 16)}, {});
  lab.announce("b", {net(10, 1, 16), net(10, 2, 16)}, {65100});
  const PeerIndex a = lab.speaker.peering("a")->index;
  EXPECT_EQ(routeTo(lab, net(10, 1, 16)).at("paths").size(), 2U);
  EXPECT_EQ(routeTo(lab, net(10, 1, 16), {.within = {}, .peer = a}).at("paths").size(), 1U);
  EXPECT_TRUE(routeTo(lab, net(10, 2, 16), {.within = {}, .peer = a}).is_null());
  EXPECT_EQ(routeTo(lab, net(10, 1, 16), {.within = {}, .peer = {}, .best_only = true}).at("paths").size(), 1U);
  EXPECT_FALSE(routeTo(lab, net(10, 1, 16), {.within = net(10, 0, 8), .peer = {}}).is_null());
  EXPECT_TRUE(routeTo(lab, net(10, 1, 16), {.within = net(10, 1, 17), .peer = {}}).is_null());
  EXPECT_TRUE(routeTo(lab, net(10, 1, 16), {.within = Prefix6{}, .peer = {}}).is_null());
}

TEST(BgpReport, attributes_are_in_words_and_what_is_unknown_in_hex) {
  ReportLab lab(ReportLab::settings({ReportLab::peer("a", 2)}));
  lab.up("a");
  lab.announce("a", {net(10, 1, 16)}, {},
               {{AttributeType::multi_exit_disc, std::vector<std::uint8_t>{0, 0, 1, 0}},
                {AttributeType::communities, std::vector<std::uint8_t>{0xff, 0xff, 0xff, 1, 0xfc, 0x58, 0, 7}},
                {AttributeType::large_communities, std::vector<std::uint8_t>{0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3}},
                {AttributeType::extended_communities, std::vector<std::uint8_t>{0, 2, 0xfc, 0x58, 0, 0, 0, 7}},
                {AttributeType::atomic_aggregate, std::vector<std::uint8_t>{}},
                {AttributeType::aggregator, std::vector<std::uint8_t>{0, 1, 0, 0, 192, 0, 2, 9}}});
  const Json path = routeTo(lab, net(10, 1, 16)).at("paths").at(0);
  EXPECT_EQ(path.at("next_hop"), "192.0.2.2");
  EXPECT_EQ(path.at("med"), 256);
  EXPECT_EQ(path.at("communities"), Json({"no-export", "64600:7"}));
  EXPECT_EQ(path.at("large_communities"), Json({"1:2:3"}));
  EXPECT_EQ(path.at("extended_communities"), Json({"rt:64600:7"}));
  EXPECT_EQ(path.at("atomic_aggregate"), true);
  EXPECT_EQ(path.at("aggregator"), Json({{"asn", 65536}, {"router_id", "192.0.2.9"}}));
  const std::vector<std::uint8_t> odd{kTransitive, 1, 1, 2, kOptional | kTransitive | kPartial, 99, 2, 0xab, 0x0c};
  const Json unknown = attributesJson({ipv6(0, 9), std::nullopt}, odd).at("unknown");
  EXPECT_EQ(unknown, Json::array({{{"type", 99}, {"flags", 0xe0}, {"value", "ab0c"}}}));
}

TEST(BgpReport, advertised_is_what_went_out_also_to_an_old_speaker) {
  ReportLab lab(ReportLab::settings({ReportLab::peer("a", 2), ReportLab::peer("old", 3)}));
  lab.up("a");
  lab.up("old", false);
  lab.announce("a", {net(10, 1, 16)}, {4'200'000'001});
  const PrefixId id = lab.speaker.table<Prefix4>().find(net(10, 1, 16));
  const Json told = reportAdvertised<Prefix4>(lab.speaker, *lab.speaker.peering("old"), id);
  EXPECT_EQ(told.at("prefix"), "10.1.0.0/16");
  EXPECT_EQ(told.at("next_hop"), "192.0.2.1");
  EXPECT_EQ(told.at("as_path"), Json({64600, 65002, 23456}));
  EXPECT_EQ(told.at("as4_path"), Json({64600, 65002, 4'200'000'001}));
  EXPECT_TRUE(reportAdvertised<Prefix4>(lab.speaker, *lab.speaker.peering("a"), id).is_null()) << "its own route";
}

TEST(BgpReport, originated_routes_are_nobody_elses) {
  SpeakerSettings settings = ReportLab::settings({ReportLab::peer("a", 2)});
  settings.originate = {{net(10, 9, 16), {}, 7, {Community{64600U << 16 | 1}}}};
  ReportLab lab(settings);
  lab.up("a");
  const Json path = routeTo(lab, net(10, 9, 16)).at("paths").at(0);
  EXPECT_TRUE(path.at("peer").is_null());
  EXPECT_TRUE(path.at("next_hop").is_null());
  EXPECT_EQ(path.at("origin"), "igp");
  EXPECT_EQ(path.at("as_path"), Json::array());
  const PrefixId id = lab.speaker.table<Prefix4>().find(net(10, 9, 16));
  const Json told = reportAdvertised<Prefix4>(lab.speaker, *lab.speaker.peering("a"), id);
  EXPECT_EQ(told.at("as_path"), Json({64600}));
  EXPECT_EQ(told.at("next_hop"), "192.0.2.1");
  EXPECT_EQ(told.at("communities"), Json({"64600:1"}));
  settings.originate[0].med.reset();
  EXPECT_EQ(lab.speaker.apply(settings, lab.time().now), std::vector<std::string>{"originate 10.9.0.0/16: changed"});
  EXPECT_TRUE(routeTo(lab, net(10, 9, 16)).at("paths").at(0).at("med").is_null());
  settings.originate.clear();
  EXPECT_EQ(lab.speaker.apply(settings, lab.time().now), std::vector<std::string>{"originate 10.9.0.0/16: removed"});
  lab.pass(0s);
  EXPECT_EQ(lab.speaker.table<Prefix4>().prefixes(), 0U);
}

// ---- metrics

TEST(BgpMetrics, have_a_type_for_every_family_and_escape_labels) {
  ReportLab lab(ReportLab::settings({ReportLab::peer("a", 2)}));
  lab.up("a");
  lab.hear("a", encode(Notification{ErrorCode::cease, subcode::kAdministrativeShutdown, shutdownData("say \"x\\\"")}));
  const std::string text = reportMetrics(lab.speaker, {{.accepted = 3}, 2ms}, lab.time());
  EXPECT_THAT(text, HasSubstr("poplink_bgp_session_up{peer=\"a\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("poplink_bgp_session_down_total{peer=\"a\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(R"(\"say \"x\\\"\"")"));
  EXPECT_THAT(text, HasSubstr("# TYPE poplink_bgp_tcp_accepted_total counter\npoplink_bgp_tcp_accepted_total 3\n"));
  EXPECT_THAT(text, HasSubstr("poplink_bgp_event_loop_lag_seconds 0.002\n"));
}

}  // namespace
}  // namespace poplink::host::bgp
