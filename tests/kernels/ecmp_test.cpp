// SPDX-License-Identifier: Apache-2.0
// A hundred thousand flows, each looked at: who carries it, who moves when a member dies, and who comes back.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

#include "ecmp_model.h"

namespace poplink::tests {
namespace {

using namespace kernels;

constexpr unsigned kFlows = 100'000;

EcmpIn flow(unsigned number, unsigned group = 1) {
  // TCP over IPv4, addresses and ports as a few thousand hosts would use them.
  const unsigned client = number % 4096, port = 32768 + number / 4096;
  const unsigned char frame[] = {2,
                                 0,
                                 0,
                                 0,
                                 0,
                                 0xB,
                                 2,
                                 0,
                                 0,
                                 0,
                                 0,
                                 0xA,
                                 8,
                                 0,
                                 0x45,
                                 0,
                                 0,
                                 46,
                                 0,
                                 1,
                                 0x40,
                                 0,
                                 64,
                                 6,
                                 0,
                                 0,
                                 10,
                                 0,
                                 static_cast<unsigned char>(client >> 8),
                                 static_cast<unsigned char>(client),
                                 10,
                                 1,
                                 0,
                                 7,
                                 static_cast<unsigned char>(port >> 8),
                                 static_cast<unsigned char>(port),
                                 1,
                                 0xBB};
  EcmpIn in{};
  for (std::size_t i = 0; i < sizeof frame; ++i) in.header[i] = frame[i];
  in.length = 60;
  in.group = static_cast<bits<10>>(group);
  in.seed = 0x1234'5678;
  return in;
}

struct Way {
  bool found;
  unsigned link;
  unsigned port;
  friend bool operator==(const Way&, const Way&) = default;
};

class Ecmp : public ::testing::Test {
 protected:
  Ecmp() {
    for (unsigned link = 0; link < 8; ++link) tables.setLink(link, {{static_cast<host::Member>(link), 1}});
  }
  Way way(const EcmpIn& in) {
    const TablesInUse use(tables);
    EcmpOut out{};
    ecmp(in, out);
    return {out.found, static_cast<unsigned>(out.link), static_cast<unsigned>(out.port)};
  }
  std::vector<Way> ways(unsigned group = 1) {
    std::vector<Way> all;
    for (unsigned i = 0; i < kFlows; ++i) all.push_back(way(flow(i, group)));
    return all;
  }
  static std::map<unsigned, double> shares(const std::vector<Way>& ways) {
    std::map<unsigned, double> count;
    for (const Way& one : ways) ++count[one.link];
    return count;
  }
  /// Each share of the flows is the weight's within 4 sigma of the binomial.
  static void expectShares(const std::vector<Way>& ways, const std::map<unsigned, double>& parts) {
    const auto count = shares(ways);
    for (const auto& [link, part] : parts) {
      const double n = static_cast<double>(ways.size()), sigma = std::sqrt(n * part * (1 - part));
      const auto found = count.find(link);
      EXPECT_LE(std::abs((found == count.end() ? 0 : found->second) - n * part), 4 * sigma) << "link " << link;
    }
  }

  EcmpTables tables;
};

TEST_F(Ecmp, shares_are_the_buckets_shares) {
  for (const unsigned log_buckets : {6U, 8U, 12U}) {
    const host::Weights weights = {{0, 10}, {2, 10}, {5, 1}, {6, 3}};
    tables.setGroup(1, 4096 * 3, log_buckets, weights);
    std::map<unsigned, double> parts;
    for (const auto& [link, buckets] : host::split(std::size_t{1} << log_buckets, weights))
      parts[link] = static_cast<double>(buckets) / static_cast<double>(1U << log_buckets);
    expectShares(ways(), parts);
  }
}

TEST_F(Ecmp, only_the_dead_members_flows_move_and_they_come_back) {
  tables.setGroup(1, 0, 10, {{0, 1}, {1, 1}, {3, 2}, {7, 1}});
  const std::vector<Way> before = ways();
  for (const unsigned dead : {0U, 1U, 3U, 7U}) {
    tables.live_ports = static_cast<std::uint16_t>(~(1U << dead));
    const std::vector<Way> without = ways();
    unsigned moved = 0;
    for (unsigned i = 0; i < kFlows; ++i) {
      ASSERT_TRUE(without[i].found);
      ASSERT_NE(without[i].link, dead);
      if (before[i].link == dead)
        ++moved;
      else
        ASSERT_EQ(without[i], before[i]) << "flow " << i;
    }
    EXPECT_EQ(moved, static_cast<unsigned>(shares(before).at(dead)));
    // The survivors share it by their weights again.
    std::map<unsigned, double> parts;
    const double rest = dead == 3 ? 3 : 4;
    for (const unsigned link : {0U, 1U, 3U, 7U}) {
      if (link != dead) parts[link] = (link == 3 ? 2 : 1) / rest;
    }
    for (const auto& [link, count] : shares(without)) EXPECT_NEAR(count / kFlows, parts.at(link), 0.01) << link;
    tables.live_ports = 0xFFFF;
    ASSERT_EQ(ways(), before);
  }
}

TEST_F(Ecmp, any_set_of_deaths_moves_only_flows_of_the_dead) {
  tables.setGroup(1, 0, 8, {{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 1}, {6, 1}, {7, 1}});
  std::mt19937_64 random(1);
  std::vector<Way> now = ways();
  const std::vector<Way> first = now;
  for (const unsigned dead : {2U, 5U, 0U, 7U, 4U, 1U, 6U}) {  // one after the other, down to one
    tables.live_ports &= static_cast<std::uint16_t>(~(1U << dead));
    const std::vector<Way> next = ways();
    for (unsigned i = 0; i < kFlows; ++i) {
      ASSERT_TRUE(next[i].found);
      ASSERT_NE(tables.live_ports >> next[i].link & 1, 0);
      if (now[i].link != dead) ASSERT_EQ(next[i], now[i]) << "flow " << i << " did not use " << dead;
    }
    now = next;
  }
  EXPECT_EQ(shares(now).size(), 1U);
  tables.live_ports = 0;
  EXPECT_FALSE(way(flow(1)).found);
  tables.live_ports = 0xFFFF;
  EXPECT_EQ(ways(), first);
}

TEST_F(Ecmp, lag_members_are_chosen_the_same_way_and_independently) {
  tables.setGroup(1, 0, 8, {{8, 1}, {9, 1}});
  tables.setLink(8, {{0, 1}, {1, 1}, {2, 1}, {3, 1}});
  tables.setLink(9, {{4, 1}, {5, 1}, {6, 1}, {7, 1}});
  const std::vector<Way> before = ways();
  std::map<unsigned, double> ports;
  for (const Way& one : before) ++ports[one.port];
  const double sigma = std::sqrt(kFlows / 8.0 * 7 / 8);
  for (unsigned port = 0; port < 8; ++port) EXPECT_NEAR(ports[port], kFlows / 8.0, 4 * sigma) << port;
  tables.live_ports = 0xFFFD;  // port 1: its flows stay on link 8, on another port
  const std::vector<Way> without = ways();
  for (unsigned i = 0; i < kFlows; ++i) {
    EXPECT_EQ(without[i].link, before[i].link);
    if (before[i].port == 1)
      ASSERT_TRUE(without[i].port == 0 || without[i].port == 2 || without[i].port == 3);
    else
      ASSERT_EQ(without[i], before[i]);
  }
  tables.live_ports = 0xFFF0;  // link 8 is dead as a whole
  for (const Way& one : ways()) ASSERT_EQ(one.link, 9U);
}

TEST_F(Ecmp, last_resort_goes_round_from_the_hashs_top_bits) {
  tables.setGroup(1, 0, 6, {{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 1}});
  for (unsigned i = 0; i < 64; ++i) tables.bucket[i] = {true, 0, 1, 2};
  tables.live_ports = 0b0010'1000;  // 3 and 5
  for (unsigned i = 0; i < 1000; ++i) {
    const EcmpIn in = flow(i);
    const TablesInUse use(tables);
    EcmpOut out{};
    ecmp(in, out);
    const auto start = static_cast<unsigned>(out.path_hash >> 28);
    EXPECT_EQ(static_cast<unsigned>(out.link), start > 3 && start <= 5 ? 5U : 3U) << start;
  }
}

TEST_F(Ecmp, s_tag_of_the_backbone_is_no_part_of_the_flow) {
  tables.setGroup(1, 0, 8, {{0, 1}, {1, 1}, {2, 1}});
  for (unsigned i = 0; i < 200; ++i) {
    const EcmpIn in = flow(i);
    EcmpIn tagged = in;
    for (unsigned k = kHeaderBytes - 1; k >= 16; --k) tagged.header[k] = in.header[k - 4];
    const unsigned char tag[] = {0x88, 0xA8, 0, 101};
    for (unsigned k = 0; k < 4; ++k) tagged.header[12 + k] = tag[k];
    tagged.length = 64;
    EXPECT_EQ(way(tagged), way(in));
  }
}

TEST_F(Ecmp, without_buckets_any_live_member_takes_the_flow) {
  tables.setGroup(1, 0, 6, {{0, 1}, {3, 1}, {7, 1}});
  for (unsigned i = 0; i < 64; ++i) tables.bucket[i].valid = false;
  tables.link[3].ports = 0b1010;  // of this link there are no buckets either
  for (unsigned i = 0; i < 256; ++i) tables.lag[(3U << kLagBucketBits) + i].valid = false;
  std::map<std::pair<unsigned, unsigned>, unsigned> used;
  for (const Way& one : ways()) {
    ASSERT_TRUE(one.found);
    ++used[{one.link, one.port}];
  }
  EXPECT_EQ(used.size(), 4U);
  for (const auto& [way, flows] : used) EXPECT_GT(flows, kFlows / 64) << way.first << " " << way.second;
  tables.live_ports = 0b1000;
  for (const Way& one : ways()) ASSERT_EQ(one, (Way{true, 3, 3}));
}

TEST_F(Ecmp, what_is_not_configured_finds_nothing) {
  EXPECT_FALSE(way(flow(1, 5)).found);
  tables.setGroup(1, 0, 6, {{12, 1}});  // a link without ports
  EXPECT_FALSE(way(flow(1)).found);
  tables.setGroup(1, 0, 6, {{2, 1}});
  EXPECT_TRUE(way(flow(1)).found);
  tables.link[2].valid = false;
  EXPECT_FALSE(way(flow(1)).found);
}

}  // namespace
}  // namespace poplink::tests
