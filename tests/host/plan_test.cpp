// SPDX-License-Identifier: Apache-2.0
// From the model to the card's tables, and the order of the steps.
#include <gtest/gtest.h>

#include "read_region.h"
#include "tables.h"

namespace poplink::host {
namespace {

Region example() {
  return readRegion(POPLINK_EXAMPLES "/region.yaml");
}

Node nodeAt(const std::string& site) {
  return {site, 0, "sim", ""};
}

TEST(DesiredTables, of_the_entrypoint) {
  const TableImage tables = desiredTables(example(), nodeAt("par-th2"), 8).tables;
  EXPECT_EQ(tables.at("port").at(0),
            (driver::Entry{{"valid", 1}, {"role", 0}, {"collecting", 1}, {"attachment", 0}, {"s_tpid", 0x88A8}}));
  EXPECT_EQ(tables.at("port").at(6).at("role"), 2U);
  EXPECT_EQ(tables.at("attachment").at(0), (driver::Entry{{"valid", 1}, {"whole_valid", 1}, {"whole_service", 101}}));
  EXPECT_EQ(tables.at("attachment").size(), 1U);
  EXPECT_EQ(tables.at("vid"),
            (std::map<std::uint32_t, driver::Entry>{{(1 << 12) | 300, {{"valid", 1}, {"service", 102}}},
                                                    {(6 << 12) | 101, {{"valid", 1}, {"service", 101}}},
                                                    {(6 << 12) | 102, {{"valid", 1}, {"service", 102}}}}));
  EXPECT_EQ(tables.at("service").at(101), (driver::Entry{{"valid", 1},
                                                         {"customer_port", 0},
                                                         {"backbone_port", 6},
                                                         {"s_vid", 101},
                                                         {"s_tpid", 0x88A8},
                                                         {"pcp", 0},
                                                         {"mtu", 9000}}));
  EXPECT_EQ(tables.at("service").at(102).at("mtu"), 1500U);
}

TEST(DesiredTables, of_the_endpoint) {
  const TableImage tables = desiredTables(example(), nodeAt("rbx"), 8).tables;
  EXPECT_EQ(tables.at("port").at(0).at("role"), 1U);
  EXPECT_EQ(tables.at("service").at(101).at("customer_port"), 0U);
  EXPECT_EQ(tables.at("vid").count((6 << 12) | 101), 1U);
}

TEST(DesiredTables, do_not_depend_on_the_order_of_the_file) {
  Region region = example();
  const TableImage before = desiredTables(region, nodeAt("par-th2"), 8).tables;
  std::reverse(region.services.begin(), region.services.end());
  std::reverse(region.sites.begin(), region.sites.end());
  EXPECT_EQ(desiredTables(region, nodeAt("par-th2"), 8).tables, before);
}

TEST(DesiredTables, untagged_service_shares_a_port_with_a_vlan) {
  Region region = example();
  region.services[0].pop.untagged = true;
  region.services[1].pop.port = PortId{0};
  const TableImage tables = desiredTables(region, nodeAt("par-th2"), 8).tables;
  EXPECT_EQ(tables.at("attachment").at(0),
            (driver::Entry{{"valid", 1}, {"untagged_valid", 1}, {"untagged_service", 101}}));
  EXPECT_EQ(tables.at("vid").count(300), 1U);
}

TEST(DesiredTables, refuse_a_site_that_is_not_in_the_region_and_a_port_that_is_not_on_the_card) {
  EXPECT_THROW(desiredTables(example(), nodeAt("gra"), 8), ConfigError);
  EXPECT_THROW(desiredTables(example(), nodeAt("rbx"), 4), ConfigError);
}

TEST(DesiredTables, second_link_is_noted_as_unused) {
  Region region = example();
  for (Site& site : region.sites) {
    Port second = *site.port(PortId{6});
    second.id = PortId{7};
    second.peer->port = PortId{7};
    site.ports.push_back(second);
  }
  const Desired desired = desiredTables(region, nodeAt("par-th2"), 8);
  ASSERT_EQ(desired.notes.size(), 1U);
  EXPECT_NE(desired.notes[0].find("port 7"), std::string::npos);
}

std::vector<std::string> order(const std::vector<Step>& steps) {
  std::vector<std::string> names;
  for (const Step& step : steps) {
    if (names.empty() || names.back() != step.table) names.push_back(step.table);
  }
  return names;
}

TEST(Plan, adds_what_is_referred_to_first_and_removes_it_last) {
  const TableImage tables = desiredTables(example(), nodeAt("par-th2"), 8).tables;
  EXPECT_EQ(order(plan({}, tables)), (std::vector<std::string>{"service", "attachment", "vid", "port"}));
  EXPECT_EQ(order(plan(tables, {})), (std::vector<std::string>{"port", "vid", "attachment", "service"}));
}

TEST(Plan, is_empty_when_nothing_differs) {
  const TableImage tables = desiredTables(example(), nodeAt("par-th2"), 8).tables;
  TableImage read_back = tables;
  read_back["service"][101]["a_later_field"] = 0;  // a field the card has and we leave at zero
  EXPECT_TRUE(plan(read_back, tables).empty());
}

TEST(Plan, changes_only_what_differs) {
  Region region = example();
  const TableImage before = desiredTables(region, nodeAt("par-th2"), 8).tables;
  region.services[0].mtu = 1600;
  const std::vector<Step> steps = plan(before, desiredTables(region, nodeAt("par-th2"), 8).tables);
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].kind, Step::Kind::change);
  EXPECT_EQ(steps[0].table, "service");
  EXPECT_EQ(steps[0].entry.at("mtu"), 1600U);
  EXPECT_EQ(describe(steps[0]),
            "change service 101: backbone_port 6, customer_port 0, mtu 1600, pcp 0, s_tpid 34984, s_vid 101");
}

TEST(Plan, removed_service_goes_from_every_table) {
  Region region = example();
  const TableImage before = desiredTables(region, nodeAt("par-th2"), 8).tables;
  region.services.erase(region.services.begin());
  const std::vector<Step> steps = plan(before, desiredTables(region, nodeAt("par-th2"), 8).tables);
  std::set<std::string> removed;
  for (const Step& step : steps) {
    EXPECT_EQ(step.kind, Step::Kind::remove);
    EXPECT_TRUE(step.entry.empty());
    removed.insert(step.table);
  }
  EXPECT_EQ(removed, (std::set<std::string>{"port", "attachment", "vid", "service"}));
}

}  // namespace
}  // namespace poplink::host
