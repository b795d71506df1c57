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
                                                    {(6 << 12) | 102, {{"valid", 1}, {"service", 102}}},
                                                    {(7 << 12) | 101, {{"valid", 1}, {"service", 101}}},
                                                    {(7 << 12) | 102, {{"valid", 1}, {"service", 102}}}}));
  EXPECT_EQ(tables.at("service").at(101), (driver::Entry{{"valid", 1},
                                                         {"attachment", 0},
                                                         {"group", 6},
                                                         {"s_vid", 101},
                                                         {"s_tpid", 0x88A8},
                                                         {"pcp", 0},
                                                         {"mtu", 9000}}));
  EXPECT_EQ(tables.at("service").at(102).at("mtu"), 1500U);
}

TEST(DesiredTables, of_the_endpoint) {
  const TableImage tables = desiredTables(example(), nodeAt("rbx"), 8).tables;
  EXPECT_EQ(tables.at("port").at(0).at("role"), 1U);
  EXPECT_EQ(tables.at("service").at(101).at("attachment"), 0U);
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
  region.services[1].pop.ports = {PortId{0}};
  const TableImage tables = desiredTables(region, nodeAt("par-th2"), 8).tables;
  EXPECT_EQ(tables.at("attachment").at(0),
            (driver::Entry{{"valid", 1}, {"untagged_valid", 1}, {"untagged_service", 101}}));
  EXPECT_EQ(tables.at("vid").count(300), 1U);
}

TEST(DesiredTables, refuse_a_site_that_is_not_in_the_region_and_a_port_that_is_not_on_the_card) {
  EXPECT_THROW(desiredTables(example(), nodeAt("gra"), 8), ConfigError);
  EXPECT_THROW(desiredTables(example(), nodeAt("rbx"), 4), ConfigError);
}

// ---- next hops

std::map<std::uint64_t, unsigned> buckets(const TableImage& tables) {
  std::map<std::uint64_t, unsigned> count;
  for (const auto& [index, entry] : tables.at("bucket")) ++count[entry.at("link")];
  return count;
}

Port& port(Region& region, const std::string& site, unsigned id) {
  for (Site& one : region.sites) {
    for (Port& port : one.ports) {
      if (one.name == site && port.id.value == id) return port;
    }
  }
  throw std::logic_error("no such port");
}

/// The region with only one link between its sites.
Region withoutLink7() {
  Region region = example();
  for (Site& site : region.sites) std::erase_if(site.ports, [](const Port& port) { return port.id == PortId{7}; });
  return region;
}

TEST(NextHops, links_towards_a_site_are_a_group_with_equal_shares) {
  const TableImage tables = desiredTables(example(), nodeAt("par-th2"), 8).tables;
  EXPECT_EQ(tables.at("group"), (std::map<std::uint32_t, driver::Entry>{
                                    {6, {{"valid", 1}, {"links", 0xC0}, {"base", 6 << 12}, {"log_buckets", 8}}}}));
  EXPECT_EQ(buckets(tables), (std::map<std::uint64_t, unsigned>{{6, 128}, {7, 128}}));
  EXPECT_EQ(tables.at("bucket").begin()->first, 6U << 12);
  for (const auto& [index, entry] : tables.at("bucket")) EXPECT_EQ(entry.at("second"), 13 - entry.at("link"));
  for (const unsigned link : {0U, 1U, 6U, 7U})
    EXPECT_EQ(tables.at("link").at(link), (driver::Entry{{"valid", 1}, {"ports", 1U << link}}));
}

TEST(NextHops, shares_follow_speed_or_weight) {
  Region region = example();
  port(region, "par-th2", 7).gigabits = 1;
  EXPECT_EQ(buckets(desiredTables(region, nodeAt("par-th2"), 8).tables),
            (std::map<std::uint64_t, unsigned>{{6, 233}, {7, 23}}));
  port(region, "par-th2", 7).weight = 30;
  EXPECT_EQ(buckets(desiredTables(region, nodeAt("par-th2"), 8).tables),
            (std::map<std::uint64_t, unsigned>{{6, 64}, {7, 192}}));
  region.ecmp.buckets = 4096;
  EXPECT_EQ(buckets(desiredTables(region, nodeAt("par-th2"), 8).tables),
            (std::map<std::uint64_t, unsigned>{{6, 1024}, {7, 3072}}));
}

TEST(NextHops, link_by_itself_needs_no_buckets) {
  const TableImage tables = desiredTables(withoutLink7(), nodeAt("par-th2"), 8).tables;
  EXPECT_EQ(tables.count("bucket"), 0U);
  EXPECT_EQ(tables.at("group").at(6).at("links"), 0x40U);
}

TEST(NextHops, second_link_takes_half_of_the_buckets_and_the_rest_stays) {
  const TableImage one = desiredTables(withoutLink7(), nodeAt("par-th2"), 8).tables;
  const TableImage two = desiredTables(example(), nodeAt("par-th2"), 8, one).tables;
  EXPECT_EQ(buckets(two), (std::map<std::uint64_t, unsigned>{{6, 128}, {7, 128}}));
  // Again, from there: nothing moves.
  EXPECT_EQ(desiredTables(example(), nodeAt("par-th2"), 8, two).tables, two);
}

TEST(NextHops, new_weight_moves_as_few_buckets_as_it_must) {
  Region region = example();
  const TableImage before = desiredTables(region, nodeAt("par-th2"), 8).tables;
  port(region, "par-th2", 6).weight = 30;
  const TableImage after = desiredTables(region, nodeAt("par-th2"), 8, before).tables;
  EXPECT_EQ(buckets(after), (std::map<std::uint64_t, unsigned>{{6, 192}, {7, 64}}));
  unsigned moved = 0;
  for (const auto& [index, entry] : after.at("bucket"))
    moved += entry.at("link") != before.at("bucket").at(index).at("link");
  EXPECT_EQ(moved, 64U);
  region.ecmp.buckets = 512;  // another size starts anew
  EXPECT_EQ(buckets(desiredTables(region, nodeAt("par-th2"), 8, after).tables),
            (std::map<std::uint64_t, unsigned>{{6, 384}, {7, 128}}));
}

TEST(NextHops, damaged_buckets_are_repaired) {
  const TableImage whole = desiredTables(example(), nodeAt("par-th2"), 8).tables;
  for (const std::uint32_t gone : {6U << 12, (6U << 12) + 100, (6U << 12) + 255}) {
    TableImage damaged = whole;
    damaged["bucket"].erase(gone);
    EXPECT_EQ(buckets(desiredTables(example(), nodeAt("par-th2"), 8, damaged).tables),
              (std::map<std::uint64_t, unsigned>{{6, 128}, {7, 128}}));
  }
}

TEST(NextHops, cards_hash_with_seeds_of_their_own) {
  std::set<std::uint32_t> seeds;
  for (const char* site : {"par-th2", "rbx"}) {
    for (unsigned card = 0; card < 3; ++card) {
      Node node = nodeAt(site);
      node.card = card;
      seeds.insert(desiredTables(example(), node, 8).hash.seed);
    }
  }
  EXPECT_EQ(seeds.size(), 6U);
  Region region = example();
  EXPECT_FALSE(desiredTables(region, nodeAt("rbx"), 8).hash.symmetric);
  region.ecmp.symmetric = true;
  EXPECT_TRUE(desiredTables(region, nodeAt("rbx"), 8).hash.symmetric);
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
  EXPECT_EQ(order(plan({}, tables)),
            (std::vector<std::string>{"port", "link", "bucket", "group", "service", "vid", "attachment"}));
  EXPECT_EQ(order(plan(tables, {})),
            (std::vector<std::string>{"attachment", "vid", "service", "group", "bucket", "link", "port"}));
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
  EXPECT_EQ(describe(steps),
            (std::vector<std::string>{
                "change service 101: attachment 0, group 6, mtu 1600, pcp 0, s_tpid 34984, s_vid 101"}));
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
  EXPECT_EQ(removed, (std::set<std::string>{"port", "attachment", "vid", "service", "link"}));
}

TEST(Plan, tells_masses_of_buckets_in_a_line) {
  std::vector<Step> steps;
  for (std::uint32_t i = 0; i < 3; ++i) steps.push_back({"bucket", 24576 + i, {{"link", i}}, Step::Kind::add});
  steps.push_back({"bucket", 28672, {{"valid", 1}, {"link", 7}}, Step::Kind::add});
  steps.push_back({"bucket", 28673, {{"link", 7}}, Step::Kind::change});
  steps.push_back({"bucket", 28674, {{"link", 7}}, Step::Kind::change});
  steps.push_back({"link", 1, {{"ports", 2}}, Step::Kind::change});
  steps.push_back({"link", 2, {{"ports", 4}}, Step::Kind::change});
  EXPECT_EQ(describe(steps),
            (std::vector<std::string>{"add bucket 24576 to 24578: 3 entries", "add bucket 28672: link 7",
                                      "change bucket 28673 to 28674: 2 entries", "change link 1: ports 2",
                                      "change link 2: ports 4"}));
  EXPECT_TRUE(describe({}).empty());
}

}  // namespace
}  // namespace poplink::host
