// SPDX-License-Identifier: Apache-2.0
// LAGs in the card's tables: what they hold, what LACP changes in them, and the way from one region to another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lacp_settings.h"
#include "members.h"
#include "read_region.h"

namespace poplink::host {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr MemberState kOut{}, kCollects{true, false}, kCarries{true, true};
const Node kNode{"par-th2", 0, "sim", ""};

/// docs/examples/lag.yaml, and its service on other ports.
Region example(const std::vector<PortId>& ports = {PortId{0}, PortId{1}}) {
  Region region = readRegion(POPLINK_EXAMPLES "/lag.yaml");
  region.services[0].pop.ports = ports;
  if (ports.size() < 2 || ports != region.sites[0].lags[0].ports) region.sites[0].lags.clear();
  return region;
}

TableImage tablesOf(const Region& region, const TableImage& current = {}, const MemberStates& members = {}) {
  return desiredTables(region, kNode, 8, current, members).tables;
}

TableImage after(TableImage image, const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    if (step.entry.empty())
      image[step.table].erase(step.index);
    else
      image[step.table][step.index] = step.entry;
  }
  std::erase_if(image, [](const auto& table) { return table.second.empty(); });
  return image;
}

std::map<std::uint64_t, unsigned> shares(const TableImage& tables, unsigned link) {
  std::map<std::uint64_t, unsigned> count;
  for (const auto& [index, entry] : entriesOf(tables, "lag"))
    if (index >> 8 == link) ++count[entry.at("port")];
  return count;
}

/// "link 0 ports 1", "port 1 collecting 1", "remove port 1", "lag": buckets only once.
std::vector<std::string> told(const std::vector<Step>& steps) {
  std::vector<std::string> lines;
  for (const Step& step : steps) {
    std::string line = step.table;
    if (step.table != "lag") line += " " + std::to_string(step.index);
    if (step.kind == Step::Kind::remove) line.insert(0, "remove ");
    if (step.table == "link" && !step.entry.empty()) line += " ports " + std::to_string(step.entry.at("ports"));
    if (step.table == "port" && !step.entry.empty()) {
      line += " of " + std::to_string(step.entry.at("attachment")) + " collecting " +
              std::to_string(step.entry.at("collecting"));
    }
    if (lines.empty() || lines.back() != line) lines.push_back(line);
  }
  return lines;
}

Port& port(Region& region, unsigned id) {
  for (Port& port : region.sites[0].ports)
    if (port.id.value == id) return port;
  throw std::logic_error("no such port");
}

// ---- what the tables hold

TEST(LagTables, ports_are_one_attachment_and_out_of_service_without_lacp) {
  const TableImage tables = tablesOf(example());
  for (const unsigned id : {0U, 1U}) {
    EXPECT_EQ(tables.at("port").at(id),
              (driver::Entry{{"valid", 1}, {"role", 0}, {"collecting", 0}, {"attachment", 0}, {"s_tpid", 0x88A8}}));
  }
  EXPECT_EQ(tables.at("link").at(0), (driver::Entry{{"valid", 1}, {"ports", 0}}));
  EXPECT_EQ(tables.at("link").count(1), 0U);
  EXPECT_EQ(tables.at("service").at(101).at("attachment"), 0U);
  EXPECT_EQ(tables.at("attachment").at(0).at("whole_service"), 101U);
  EXPECT_EQ(tables.at("attachment").size(), 1U);
}

TEST(LagTables, buckets_are_for_all_ports_whatever_they_do) {
  const TableImage out = tablesOf(example());
  EXPECT_EQ(shares(out, 0), (std::map<std::uint64_t, unsigned>{{0, 128}, {1, 128}}));
  for (const auto& [index, entry] : out.at("lag")) EXPECT_EQ(entry.at("second"), 1 - entry.at("port"));
  const TableImage one = tablesOf(example(), out, {{PortId{0}, kCarries}, {PortId{1}, kCollects}});
  EXPECT_EQ(one.at("lag"), out.at("lag"));
  EXPECT_EQ(one.at("link").at(0).at("ports"), 1U);
  EXPECT_EQ(one.at("port").at(0).at("collecting"), 1U);
  EXPECT_EQ(one.at("port").at(1).at("collecting"), 1U);
}

TEST(LagTables, are_numbered_by_the_lowest_port) {
  Region region = example({PortId{1}, PortId{2}});
  Port third = port(region, 1);
  third.id = PortId{2};
  region.sites[0].ports.push_back(third);
  region.services[0].pop.vlan = VlanId{300};
  const TableImage tables = tablesOf(region);
  EXPECT_EQ(tables.at("port").at(2).at("attachment"), 1U);
  EXPECT_EQ(tables.at("link").count(1), 1U);
  EXPECT_EQ(tables.at("vid").count((1 << 12) | 300), 1U);
  EXPECT_EQ(tables.at("service").at(101).at("attachment"), 1U);
  EXPECT_EQ(shares(tables, 1), (std::map<std::uint64_t, unsigned>{{1, 128}, {2, 128}}));
  region.services[0].pop.vlan.reset();
  region.services[0].pop.untagged = true;
  EXPECT_EQ(tablesOf(region).at("attachment").at(1).at("untagged_service"), 101U);
}

TEST(LagTables, lag_without_a_service_is_there_so_that_lacp_can_come_up) {
  Region region = example();
  region.services.clear();
  const TableImage tables = tablesOf(region, {}, {{PortId{1}, kCarries}});
  EXPECT_EQ(tables.at("port").size(), 2U);
  EXPECT_EQ(tables.at("link").at(0).at("ports"), 2U);
  EXPECT_EQ(tables.count("attachment") + tables.count("vid") + tables.count("service"), 0U);
}

TEST(LagTables, lag_of_one_port_needs_no_buckets) {
  Region region = example({PortId{1}});
  region.sites[0].lags = {{{}, PortId{1}, {PortId{1}}, {}}};
  const TableImage tables = tablesOf(region);
  EXPECT_EQ(tables.count("lag"), 0U);
  EXPECT_EQ(tables.at("port").at(1).at("collecting"), 0U);
  EXPECT_EQ(tables.at("link").at(1).at("ports"), 0U);
  EXPECT_EQ(tablesOf(region, {}, {{PortId{1}, kCarries}}).at("link").at(1).at("ports"), 2U);
}

TEST(LagTables, port_that_joins_takes_its_share_and_the_rest_stays) {
  const TableImage one = tablesOf(example({PortId{0}}));
  const TableImage two = tablesOf(example(), one);
  EXPECT_EQ(shares(two, 0), (std::map<std::uint64_t, unsigned>{{0, 128}, {1, 128}}));
  Region three = example({PortId{0}, PortId{1}, PortId{2}});
  Port third = port(three, 1);
  third.id = PortId{2};
  three.sites[0].ports.push_back(third);
  const TableImage grown = tablesOf(three, two);
  EXPECT_EQ(shares(grown, 0), (std::map<std::uint64_t, unsigned>{{0, 86}, {1, 85}, {2, 85}}));
  unsigned moved = 0;
  for (const auto& [index, entry] : grown.at("lag")) moved += entry.at("port") != two.at("lag").at(index).at("port");
  EXPECT_EQ(moved, 85U);
  EXPECT_EQ(tablesOf(three, grown), grown);
  TableImage damaged = grown;
  damaged["lag"].erase(100);
  EXPECT_EQ(shares(tablesOf(three, damaged), 0), shares(grown, 0));
}

TEST(LagTables, both_examples_are_valid) {
  for (const char* file : {"/region.yaml", "/lag.yaml"}) {
    const Region region = readRegion(POPLINK_EXAMPLES + std::string(file));
    for (const Site& site : region.sites)
      EXPECT_FALSE(desiredTables(region, {site.name, 0, "sim", ""}, 8).tables.empty()) << file;
  }
}

// ---- what the card does now

TEST(MemberStates, are_what_the_card_holds) {
  const Region region = example();
  const std::vector<Lag> lags = lagsOf(region, region.sites[0]);
  EXPECT_EQ(memberStates({}, lags), MemberStates{});
  for (const MemberState a : {kOut, kCollects, kCarries}) {
    for (const MemberState b : {kOut, kCollects, kCarries}) {
      const MemberStates states = {{PortId{0}, a}, {PortId{1}, b}};
      EXPECT_EQ(memberStates(tablesOf(region, {}, states), lags), states);
    }
  }
}

TEST(MemberStates, port_that_ran_without_lacp_or_in_another_lag_starts_out_of_service) {
  const Region lag = example();
  const std::vector<Lag> lags = lagsOf(lag, lag.sites[0]);
  EXPECT_EQ(memberStates(tablesOf(example({PortId{0}})), lags), MemberStates{});
  EXPECT_EQ(memberStates(tablesOf(example({PortId{1}})), lags), MemberStates{});
  Region shifted = example();
  const TableImage running = tablesOf(shifted, {}, {{PortId{0}, kCarries}, {PortId{1}, kCarries}});
  EXPECT_EQ(memberStates(running, {{{}, PortId{1}, {PortId{1}, PortId{2}}, {}}}), MemberStates{});
  // One more port: those that run go on.
  EXPECT_EQ(memberStates(running, {{{}, PortId{0}, {PortId{0}, PortId{1}, PortId{2}}, {}}}),
            (MemberStates{{PortId{0}, kCarries}, {PortId{1}, kCarries}}));
}

TEST(MemberSteps, take_and_give_one_thing_at_a_time) {
  const auto steps = [](MemberState from, MemberState to) {
    return told(memberSteps(tablesOf(example(), {}, {{PortId{0}, kCarries}, {PortId{1}, from}}), PortId{1}, to));
  };
  EXPECT_THAT(steps(kOut, kCarries), ElementsAre("port 1 of 0 collecting 1", "link 0 ports 3"));
  EXPECT_THAT(steps(kOut, kCollects), ElementsAre("port 1 of 0 collecting 1"));
  EXPECT_THAT(steps(kCollects, kCarries), ElementsAre("link 0 ports 3"));
  EXPECT_THAT(steps(kCarries, kCollects), ElementsAre("link 0 ports 1"));
  EXPECT_THAT(steps(kCarries, kOut), ElementsAre("link 0 ports 1", "port 1 of 0 collecting 0"));
  for (const MemberState same : {kOut, kCollects, kCarries}) EXPECT_THAT(steps(same, same), IsEmpty());
}

TEST(MemberSteps, of_a_port_that_is_not_there_are_none) {
  EXPECT_THAT(memberSteps({}, PortId{1}, kCarries), IsEmpty());
  TableImage no_link = tablesOf(example());
  no_link["link"].erase(0);
  EXPECT_THAT(memberSteps(no_link, PortId{1}, kCarries), IsEmpty());
}

// ---- from one region to another

// Buckets come after the link, and the card takes of a bucket only ports that the link names (choosePort() in ecmp.h):
// a bucket may name a port before it distributes, and after; the flow goes to its stand-in.
TEST(LagPlan, port_becomes_a_lag) {
  const TableImage one = tablesOf(example({PortId{0}}));
  const std::vector<Step> steps = plan(one, tablesOf(example(), one));
  EXPECT_THAT(told(steps),
              ElementsAre("link 0 ports 0", "port 0 of 0 collecting 0", "port 1 of 0 collecting 0", "lag"));
  EXPECT_EQ(describe(steps).back(), "add lag 0 to 255: 256 entries");
}

TEST(LagPlan, port_that_goes_on_while_it_becomes_a_lag_is_not_touched) {
  const TableImage one = tablesOf(example({PortId{0}}));
  EXPECT_THAT(told(plan(one, tablesOf(example(), one, {{PortId{0}, kCarries}}))),
              ElementsAre("port 1 of 0 collecting 0", "lag"));
}

TEST(LagPlan, lag_becomes_a_port) {
  const TableImage two = tablesOf(example(), {}, {{PortId{0}, kCarries}, {PortId{1}, kCarries}});
  EXPECT_THAT(told(plan(two, tablesOf(example({PortId{0}}), two))),
              ElementsAre("link 0 ports 1", "remove port 1", "remove lag"));
  EXPECT_THAT(
      told(plan(two, tablesOf(example({PortId{1}}), two))),
      ElementsAre("link 0 ports 1", "remove port 1", "port 1 of 1 collecting 1", "link 1 ports 2", "service 101",
                  "attachment 1", "remove attachment 0", "remove lag", "remove link 0", "remove port 0"));
}

TEST(LagPlan, port_that_leaves_every_service_carries_nothing_any_more) {
  const TableImage two = tablesOf(example(), {}, {{PortId{0}, kCarries}, {PortId{1}, kCarries}});
  Region none = example();
  none.services.clear();
  none.sites[0].lags.clear();
  EXPECT_EQ(after(two, plan(two, tablesOf(none, two, {{PortId{0}, kCarries}, {PortId{1}, kCarries}}))), TableImage{});
  Region one = example({PortId{0}});
  const TableImage left = after(two, plan(two, tablesOf(one, two)));
  EXPECT_EQ(left.at("port").count(1), 0U);
  EXPECT_EQ(left.at("link").at(0).at("ports"), 1U);
}

TEST(LagPlan, port_that_changes_sides_is_off_until_the_rest_is_right) {
  Region before = example({PortId{1}});
  before.services[0].pop.vlan = VlanId{101};  // as C-VID what is the S-VID afterwards
  Region after_it = example({PortId{0}});
  for (Site& site : after_it.sites) {
    const Port cable = site.ports.back();
    for (Port& one : site.ports) {
      if (one.id != PortId{1}) continue;
      one.use = Use::backbone;
      one.peer = cable.peer;
    }
  }
  after_it.ecmp.buckets = 64;
  const TableImage now = tablesOf(before);
  const std::vector<std::string> steps = told(plan(now, tablesOf(after_it, now)));
  const auto at = [&](const std::string& line) { return std::find(steps.begin(), steps.end(), line) - steps.begin(); };
  EXPECT_LT(at("link 1 ports 0"), at("remove port 1"));
  EXPECT_LT(at("remove port 1"), at("port 1 of 1 collecting 1"));
  EXPECT_LT(at("port 1 of 1 collecting 1"), at("link 1 ports 2"));
  EXPECT_EQ(at("remove vid 4197"), static_cast<std::ptrdiff_t>(steps.size())) << "the same entry serves both";
}

TEST(LagPlan, what_stands_under_an_attachment_of_nobody_is_removed_before_a_port_comes) {
  const TableImage wanted = tablesOf(example());
  TableImage stale;
  stale["vid"][5] = {{"valid", 1}, {"service", 9}};
  stale["attachment"][0] = {{"valid", 1}, {"whole_valid", 1}, {"whole_service", 9}};
  stale["attachment"][3] = stale["attachment"][0];
  const std::vector<std::string> steps = told(plan(stale, wanted));
  EXPECT_THAT((std::vector<std::string>{steps.begin(), steps.begin() + 3}),
              ElementsAre("remove vid 5", "remove attachment 0", "port 0 of 0 collecting 0"));
  EXPECT_EQ(steps.back(), "remove attachment 3");
}

// ---- settings of the machines

TEST(LacpSettings, are_what_the_file_says) {
  Region region = example();
  region.sites[0].lags[0].lacp = {.active = false,
                                  .fast = true,
                                  .independent_control = false,
                                  .min_links = 1,
                                  .min_links_up = 2,
                                  .min_links_hold = std::chrono::milliseconds(300),
                                  .max_active = 2,
                                  .system_priority = 7,
                                  .aggregate_wait = std::chrono::milliseconds(10)};
  port(region, 1).lacp_priority = 5;
  port(region, 0).gigabits = port(region, 1).gigabits = 1;
  const Site& site = region.sites[0];
  const Lag lag = lagsOf(region, site).at(0);
  const MacAddress system = systemAddress({}, {}, 0x504C'0000'0123'4567);
  const lacp::GroupSettings group = groupSettings(lag, site, system);
  EXPECT_EQ(group.system, system);
  EXPECT_EQ(group.system_priority, 7);
  EXPECT_EQ(group.key, 1);
  EXPECT_FALSE(group.active);
  EXPECT_TRUE(group.fast);
  EXPECT_FALSE(group.independent_control);
  EXPECT_EQ(group.aggregate_wait, std::chrono::milliseconds(10));
  EXPECT_EQ(group.selection, (lacp::SelectionSettings{2, 1, 2, std::chrono::milliseconds(300), 1000}));
  const std::vector<lacp::PortSettings> ports = portSettings(lag, site);
  ASSERT_EQ(ports.size(), 2U);
  EXPECT_EQ(ports[0].id, lacp::PortId{0});
  EXPECT_EQ(ports[0].port, 1);
  EXPECT_EQ(ports[0].port_priority, kDefaultLacpPriority);
  EXPECT_EQ(ports[1].port, 2);
  EXPECT_EQ(ports[1].port_priority, 5);
  EXPECT_TRUE(ports[1].aggregatable);
}

TEST(LacpSettings, machines_take_them) {
  const Region region = example();
  const Site& site = region.sites[0];
  const Lag lag = lagsOf(region, site).at(0);
  const auto ports = portSettings(lag, site);
  lacp::AggregationGroup group(groupSettings(lag, site, systemAddress({}, {}, 1)), ports, lacp::TimePoint{});
  unsigned out = 0;
  for (const lacp::Action& action : group.run(lacp::TimePoint{})) {
    const auto* mux = std::get_if<lacp::SetMux>(&action);
    out += mux != nullptr && !mux->collecting && !mux->distributing;
  }
  EXPECT_EQ(out, 2U);
}

TEST(LacpSettings, keys_differ_by_link_and_a_site_may_name_its_system) {
  Region region = example();
  region.sites[0].lacp_system = MacAddress{2, 1, 2, 3, 4, 5};
  const Lag lag{{}, PortId{1}, {PortId{1}}, {}};
  const lacp::GroupSettings group = groupSettings(lag, region.sites[0], systemAddress({}, {}, 1));
  EXPECT_EQ(group.key, 2);
  EXPECT_EQ(group.system, (MacAddress{2, 1, 2, 3, 4, 5}));
  EXPECT_EQ(group.selection.min_links_up, 1U);
}

TEST(LacpSettings, addresses_are_local_and_one_for_each_port) {
  const MacAddress system = systemAddress({}, {}, 0x504C'0000'0123'4567);
  EXPECT_EQ(system, (MacAddress{0x02, 0x01, 0x23, 0x45, 0x67, 0x00}));
  EXPECT_EQ(portAddress(system, PortId{0}), (MacAddress{0x02, 0x01, 0x23, 0x45, 0x67, 0x01}));
  EXPECT_EQ(portAddress(system, PortId{15}), (MacAddress{0x02, 0x01, 0x23, 0x45, 0x67, 0x10}));
}

TEST(LacpSettings, a_card_without_a_serial_number_has_an_address_that_no_other_of_its_region_has) {
  Region region;
  region.name = "eu-west";
  const MacAddress one = systemAddress(region, {"par-th2", 0, "sim", ""}, 0);
  EXPECT_EQ(one[0], 0x02);
  EXPECT_EQ(one[5], 0x00);
  EXPECT_EQ(one, systemAddress(region, {"par-th2", 0, "sim", ""}, 0));
  EXPECT_NE(one, systemAddress(region, {"rbx", 0, "sim", ""}, 0));
  EXPECT_NE(one, systemAddress(region, {"par-th2", 1, "sim", ""}, 0));
}

}  // namespace
}  // namespace poplink::host
