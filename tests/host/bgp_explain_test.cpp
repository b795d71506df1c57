// SPDX-License-Identifier: Apache-2.0
// Why a route is taken or not, and told to whom.
#include <gtest/gtest.h>

#include "bgp_report_lab.h"
#include "explain.h"

namespace poplink::host::bgp {
namespace {

TermSettings term(const std::string& name, TermEnd then) {
  TermSettings term;
  term.name = name;
  term.then = then;
  return term;
}

TEST(BgpExplain, takes_the_longest_prefix_and_names_the_terms) {
  SpeakerSettings settings = ReportLab::settings({ReportLab::peer("a", 2), ReportLab::peer("b", 3)});
  TermSettings small = term("small", TermEnd::reject), mark = term("mark", TermEnd::next);
  small.match.prefix_list = "small";
  mark.set.local_pref = 200;
  settings.book.prefix_lists["small"] = {{net(10, 0, 8), 24, 32, false}};
  settings.book.policies["in"].terms = {small, mark, term("rest", TermEnd::accept)};
  settings.peers[0].import_policy = "in";
  ReportLab lab(settings);
  lab.up("a");
  lab.up("b");
  lab.announce("a", {net(10, 0, 8), net(10, 1, 16), {ipv4(10, 1, 2, 0), 24}}, {});
  lab.announce("b", {net(10, 1, 16)}, {});
  const auto explain = [&](const AnyPrefix& asked) { return explainRoute(lab.speaker, asked, lab.time()); };

  const Json small_one = explain(Prefix4{ipv4(10, 1, 2, 3), 32});
  EXPECT_EQ(small_one.at("prefix"), "10.1.2.0/24");
  const Json& refused = small_one.at("paths").at(0);
  EXPECT_EQ(refused.at("why"), "refused by import policy in: term small");
  EXPECT_EQ(refused.at("import").at("decided_by"), "small");
  EXPECT_EQ(small_one.at("peers").at(1).at("reason"), "there is no route that may be taken");

  const Json taken = explain(Prefix4{ipv4(10, 1, 3, 0), 24});
  EXPECT_EQ(taken.at("prefix"), "10.1.0.0/16");
  const Json &best = taken.at("paths").at(0), &lost = taken.at("paths").at(1);
  EXPECT_EQ(best.at("why"), "the best one");
  EXPECT_EQ(best.at("import").at("terms"), Json({"mark", "rest"}));
  EXPECT_EQ(best.at("local_pref"), 200);
  EXPECT_TRUE(best.at("received").at("local_pref").is_null());
  EXPECT_EQ(lost.at("why"), "lost: lower LOCAL_PREF");
  EXPECT_EQ(taken.at("peers").at(0).at("reason"), "it is the peer's own route");
  EXPECT_EQ(taken.at("peers").at(1).at("advertised"), true);
  EXPECT_EQ(taken.at("peers").at(1).at("export").at("decided_by"), "accept-all");
}

TEST(BgpExplain, says_to_each_peer_why_a_route_is_withheld) {
  PeerSettings inside = ReportLab::peer("inside", 4), inside_too = ReportLab::peer("inside-too", 5);
  for (PeerSettings* peer : {&inside, &inside_too}) {
    peer->session.open.peer_as = 64600;
    peer->session.open.allow_internal = true;
  }
  PeerSettings denied = ReportLab::peer("denied", 6), only6 = ReportLab::peer("only6", 7);
  denied.export_policy.reset();
  only6.session.open.families = {kIpv6Unicast};
  ReportLab lab(
      ReportLab::settings({ReportLab::peer("a", 2), inside, inside_too, denied, only6, ReportLab::peer("away", 8)}));
  for (const char* name : {"a", "inside", "inside-too", "denied", "only6"}) lab.up(name);
  const auto reasons = [&](const Prefix4& prefix) {
    std::map<std::string, Json> reasons;
    const Json explained = explainRoute(lab.speaker, prefix, lab.time());
    for (const Json& peer : explained.at("peers")) reasons[peer.at("peer")] = peer.at("reason");
    return reasons;
  };
  lab.announce("a", {net(10, 1, 16)}, {},
               {{AttributeType::communities, std::vector<std::uint8_t>{0xff, 0xff, 0xff, 1}}});
  auto why = reasons(net(10, 1, 16));
  EXPECT_EQ(why["denied"], "community no-export");
  EXPECT_TRUE(why["inside"].is_null());
  EXPECT_EQ(why["away"], "the session is Active");
  EXPECT_EQ(why["only6"], "the session does not have this family");
  lab.announce("a", {net(10, 2, 16)}, {});
  EXPECT_EQ(reasons(net(10, 2, 16))["denied"], "refused by export policy");
}

TEST(BgpExplain, has_nothing_to_say_of_what_is_not_there) {
  ReportLab lab(ReportLab::settings({ReportLab::peer("a", 2)}));
  const Json json = explainRoute(lab.speaker, Prefix6{ipv6(0, 1), 128}, lab.time());
  EXPECT_EQ(json.at("asked"), "2001:db8::1/128");
  EXPECT_TRUE(json.at("prefix").is_null());
  EXPECT_TRUE(json.at("paths").empty());
}

}  // namespace
}  // namespace poplink::host::bgp
