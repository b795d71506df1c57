// SPDX-License-Identifier: Apache-2.0
// What an operator reads: LAGs in their states as JSON and in lines, events, the log.
#include "lag_report.h"

#include <gmock/gmock.h>

#include <deque>
#include <iostream>
#include <sstream>

#include "event_log.h"
#include "log.h"
#include "print_lags.h"
#include "print_reports.h"
#include "rfc3339.h"

namespace poplink::host {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;
using testing::AllOf;
using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr lacp::TimePoint kStart{1000s};
const lacp::Link kUp{true, 10000, true};

LagConfig config(unsigned link, const std::vector<unsigned>& ports, std::uint8_t system) {
  LagConfig one;
  one.link = link;
  one.settings.system = {2, 0, 0, 0, system, 0};
  one.settings.key = static_cast<std::uint16_t>(link + 1);
  one.services = {"acme-lan"};
  for (const unsigned port : ports)
    one.ports.push_back(
        {lacp::PortId{static_cast<std::uint16_t>(port)}, static_cast<std::uint16_t>(port + 1), 32768, true});
  return one;
}

/// What `print` says to standard output.
std::string printed(const std::function<void()>& print) {
  std::ostringstream text;
  std::streambuf* const before = std::cout.rdbuf(text.rdbuf());
  print();
  std::cout.rdbuf(before);
  return text.str();
}

/// Two cards, ports of the same number joined; frames take no time.
class LagReport : public testing::Test {
 protected:
  void start(const std::vector<LagConfig>& ours, const std::vector<LagConfig>& theirs) {
    for (const auto& lags : {ours, theirs}) cards_.emplace_back(lags, LagSnapshots{}, std::set<unsigned>{}, kStart);
  }
  void link(std::size_t side, unsigned port, const lacp::Link& link) {
    obey(side, cards_[side].linkChanged(port, link, now_));
    deliver();
  }
  void up(const std::vector<unsigned>& ports) {
    for (const unsigned port : ports) {
      link(0, port, kUp);
      if (cards_.size() > 1) link(1, port, kUp);
    }
  }
  void runFor(lacp::Duration time) {
    for (const lacp::TimePoint end = now_ + time; now_ < end; now_ += 10ms) {
      for (std::size_t side = 0; side < cards_.size(); ++side) obey(side, cards_[side].run(now_));
      deliver();
    }
  }
  Json report() const {
    const auto time = std::chrono::system_clock::time_point(1'772'366'400s);  // 2026-03-01T12:00:00Z
    return lagReport(cards_[0], {now_, time, [](unsigned port) { return 100 + port; }});
  }
  Json member(unsigned at) const { return report()["lags"][0]["members"][at]; }
  std::string lines() const {
    return printed([&] { printLags(report()["lags"]); });
  }
  /// That of a port in `poplink show lag`.
  std::string line(unsigned port) const {
    std::istringstream all(lines());
    for (std::string one; std::getline(all, one);) {
      if (one.rfind("  " + std::to_string(port) + " ", 0) == 0) return one;
    }
    return "";
  }

  std::deque<LagService> cards_;
  lacp::TimePoint now_ = kStart;

 private:
  void obey(std::size_t side, const LagActions& actions) {
    for (const LagAction& action : actions) {
      const auto* frame = std::get_if<SendFrame>(&action);
      if (frame != nullptr && cards_.size() > 1) flights_.push_back({1 - side, *frame});
    }
  }
  void deliver() {
    for (; !flights_.empty(); flights_.pop_front()) {
      const auto& [side, frame] = flights_.front();
      obey(side, cards_[side].receive(frame.port, frame.bytes, now_));
    }
  }
  std::deque<std::pair<std::size_t, SendFrame>> flights_;
};

TEST_F(LagReport, WithoutLagsThereAreNone) {
  start({}, {});
  EXPECT_EQ(report().dump(), "{\"lags\":[]}");
  EXPECT_EQ(lines(), "no LAGs\n");
}

TEST_F(LagReport, AllUp) {
  start({config(3, {0, 1}, 1)}, {config(5, {0, 1}, 2)});
  up({0, 1});
  runFor(10s);
  const Json lag = report()["lags"][0];
  EXPECT_EQ(lag["partner"].dump(), R"({"priority":32768,"address":"02:00:00:00:02:00","key":6})");
  EXPECT_EQ(lag["links_up"], 2);
  const Json one = member(1);
  EXPECT_EQ(one["port"], 1);
  EXPECT_EQ(one["mux"], "DISTRIBUTING");
  EXPECT_EQ(one["reason"], "none");
  EXPECT_EQ(one["reason_text"], "");
  EXPECT_EQ(one["counters"]["repeated"], 101);
  EXPECT_THAT(one["last_change"], ContainsRegex("^2026-03-01T11:59:5[0-9]\\.[0-9]{3}Z$"));
  EXPECT_THAT(lines(),
              StartsWith("LAG 3 of ports 0, 1: up, 2 of 2 links carry traffic (at least 1)\n  services: acme-lan\n  "
                         "LACP active, fast rate, independent control; this system 02:00:00:00:01:00 priority 32768 "
                         "key 4; partner 02:00:00:00:02:00 priority 32768 key 6\n"));
  EXPECT_THAT(line(0), ContainsRegex("^  0 +up +10G +carries traffic +DISTRIBUTING +active fast ASCD-- +active fast "
                                     "ASCD-- +[0-9]+/[0-9]+ +100 +0 +- +2026-"));
}

TEST_F(LagReport, ALinkThatIsDown) {
  start({config(0, {0, 1}, 1)}, {config(0, {0, 1}, 2)});
  up({0});
  runFor(10s);
  EXPECT_EQ(member(1)["reason"], "link_down");
  EXPECT_EQ(member(1)["link"], "down");
  EXPECT_THAT(line(1), ContainsRegex("^  1 +down +- +out: link is down +DETACHED"));
  EXPECT_THAT(lines(), HasSubstr("up, 1 of 2 links carry traffic"));
}

TEST_F(LagReport, NobodyAtTheOtherEndAndChurn) {
  cards_.emplace_back(std::vector{config(0, {0}, 1)}, LagSnapshots{}, std::set<unsigned>{}, kStart);
  up({0});
  runFor(10s);
  EXPECT_EQ(member(0)["reason"], "no_partner");
  EXPECT_TRUE(report()["lags"][0]["partner"].is_null());
  EXPECT_THAT(line(0), HasSubstr("out: no LACP partner"));
  EXPECT_THAT(lines(), AllOf(HasSubstr("down, 0 of 1 links carry traffic"), HasSubstr("partner none\n")));
  EXPECT_EQ(member(0)["actor_churn"]["state"], "ACTOR_CHURN_MONITOR");
  runFor(60s);
  EXPECT_EQ(member(0)["actor_churn"]["state"], "ACTOR_CHURN");
  EXPECT_EQ(member(0)["partner_churn"]["state"], "PARTNER_CHURN");
  EXPECT_THAT(line(0), HasSubstr("actor does not come into sync, partner does not come into sync"));
}

TEST_F(LagReport, APartnerThatFallsSilent) {
  start({config(0, {0}, 1)}, {config(0, {0}, 2)});
  up({0});
  runFor(5s);
  cards_.pop_back();
  runFor(4s);
  EXPECT_EQ(member(0)["reason"], "partner_silent");
  EXPECT_EQ(member(0)["receive"], "EXPIRED");
  EXPECT_THAT(line(0), HasSubstr("out: partner is silent"));
  runFor(6s);
  EXPECT_EQ(member(0)["reason"], "no_partner");
  EXPECT_EQ(member(0)["receive"], "DEFAULTED");
}

TEST_F(LagReport, StandbyWhenEnoughAreActive) {
  LagConfig ours = config(0, {0, 1}, 1);
  ours.settings.selection.max_active = 1;
  start({ours}, {config(0, {0, 1}, 2)});
  up({0, 1});
  runFor(10s);
  EXPECT_EQ(member(1)["selected"], "STANDBY");
  EXPECT_EQ(member(1)["reason"], "standby");
  EXPECT_THAT(line(1), HasSubstr("out: standby: enough ports are active"));
  EXPECT_THAT(lines(), HasSubstr("(at least 1, at most 1)"));
}

TEST_F(LagReport, APartnerThatAggregatesAPortElsewhere) {
  start({config(0, {0, 1}, 1)}, {config(0, {0}, 2), config(1, {1}, 2)});
  up({0, 1});
  runFor(10s);
  EXPECT_EQ(member(1)["reason"], "key_differs");
  EXPECT_THAT(line(1), HasSubstr("out: partner aggregates this port elsewhere (its key differs)"));
}

TEST_F(LagReport, HalfDuplexAndAnotherSpeed) {
  start({config(0, {0, 1, 2}, 1)}, {config(0, {0, 1, 2}, 2)});
  up({0, 1, 2});
  link(0, 1, {true, 100, false});
  link(0, 2, {true, 2500, true});
  runFor(10s);
  EXPECT_EQ(member(1)["reason"], "half_duplex");
  EXPECT_EQ(member(1)["duplex"], "half");
  EXPECT_THAT(line(1), ContainsRegex("^  1 +up +100M +out: half duplex"));
  EXPECT_EQ(member(2)["reason"], "speed_differs");
  EXPECT_THAT(line(2), ContainsRegex("^  2 +up +2500M +out: another speed than the other ports"));
}

TEST_F(LagReport, APartnerThatDoesNotAggregateAndTooFewPorts) {
  LagConfig ours = config(0, {0, 1}, 1);
  ours.settings.selection.min_links = 2;
  LagConfig theirs = config(0, {0, 1}, 2);
  theirs.ports[1].aggregatable = false;
  start({ours}, {theirs});
  up({0, 1});
  runFor(10s);
  EXPECT_EQ(member(0)["reason"], "below_min_links");
  EXPECT_EQ(member(1)["reason"], "individual");
  EXPECT_THAT(lines(), HasSubstr("down, 0 of 2 links carry traffic (at least 2)"));
}

// ---- events

LoggedEvent event(const std::string& text, std::optional<unsigned> port = {}) {
  return {std::chrono::system_clock::time_point(1'772'366'400'123ms), {"lacp.mux", Severity::info, port, {}, text}};
}

TEST(EventLog, KeepsTheLast) {
  EventLog log(3);
  for (const char* text : {"a", "b", "c", "d"}) log.add(event(text));
  ASSERT_EQ(log.events().size(), 3U);
  EXPECT_EQ(log.events().front().news.text, "b");
  EXPECT_EQ(log.events().back().news.text, "d");
}

TEST(EventLog, TimesAreOfRfc3339InUtc) {
  EXPECT_EQ(rfc3339(event("").time), "2026-03-01T12:00:00.123Z");
  EXPECT_EQ(rfc3339(std::chrono::system_clock::time_point(-1ms)), "1969-12-31T23:59:59.999Z");
}

TEST(EventLines, HaveWhatThereIs) {
  Json one = {{"time", "T"}, {"kind", "lacp.mux"}, {"port", 1}, {"lag", 0}, {"text", "ATTACHED"}, {"severity", "info"}};
  EXPECT_EQ(eventLine(one), "T info lacp.mux lag 0 port 1: ATTACHED");
  one["port"] = one["lag"] = nullptr;
  EXPECT_EQ(eventLine(one), "T info lacp.mux: ATTACHED");
}

// ---- log

TEST(LogLine, IsKeysAndValuesOrMembersOfAnObject) {
  const News news{"lacp.mux", Severity::info, 1, 0, "DISTRIBUTING"};
  EXPECT_EQ(logLine(LogFormat::text, "par-th2", news),
            "event=lacp.mux site=par-th2 lag=0 port=1 text=\"DISTRIBUTING\"");
  EXPECT_EQ(logLine(LogFormat::json, "par-th2", news),
            R"("event":"lacp.mux","site":"par-th2","lag":0,"port":1,"text":"DISTRIBUTING")");
  EXPECT_EQ(logLine(LogFormat::text, "", {"a", Severity::info, {}, {}, ""}), "event=a site=\"\" text=\"\"");
}

TEST(LogLine, StaysOneLineWhateverItHolds) {
  std::string wild = "a \"quoted\" \\ line\r\nand\tanother, level=error {} %v \xff\xc3";
  for (char byte = 1; byte < 32; ++byte) wild += byte;
  for (const std::string& site : {std::string("par-th2"), wild}) {
    const News news{"e", Severity::error, {}, {}, wild};
    for (const LogFormat format : {LogFormat::text, LogFormat::json}) {
      const std::string line = logLine(format, site, news);
      EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](unsigned char one) { return one >= 32; })) << line;
      EXPECT_THAT(line, HasSubstr(R"(a \"quoted\" \\ line\r\nand\tanother)"));
      EXPECT_THAT(line, HasSubstr("\uFFFD"));
    }
    const Json back = Json::parse("{" + logLine(LogFormat::json, site, news) + "}");
    EXPECT_THAT(back["text"], StartsWith("a \"quoted\" \\ line\r\n"));
  }
  EXPECT_THAT(logLine(LogFormat::text, "two words", {"e", Severity::info, {}, {}, "x"}),
              HasSubstr(" site=\"two words\" "));
}

}  // namespace
}  // namespace poplink::host
