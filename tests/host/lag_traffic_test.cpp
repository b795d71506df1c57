// SPDX-License-Identifier: Apache-2.0
// A customer with two cross-connects (docs/examples/lag.yaml) and his frames, while LACP takes ports out and puts them
// back.
#include <gtest/gtest.h>

#include "image_card.h"
#include "members.h"
#include "read_region.h"

namespace poplink::host {
namespace {

using kernels::Drop;

constexpr unsigned kFlows = 8000;
constexpr unsigned kTunnel = 101, kBackbone = 6;
constexpr MemberState kOut{}, kCollects{true, false}, kCarries{true, true};

class LagTraffic : public ::testing::Test {
 protected:
  LagTraffic() {
    const Region region = readRegion(POPLINK_EXAMPLES "/lag.yaml");
    card.carryOut(plan({}, desiredTables(region, {"par-th2", 0, "none", ""}, 8).tables));
  }
  void set(unsigned port, MemberState state) {
    card.carryOut(memberSteps(card.image(), {static_cast<std::uint8_t>(port)}, state));
  }
  /// From the backbone: the port that each flow leaves by. All flows do.
  std::vector<unsigned> ports() {
    std::vector<unsigned> ports;
    for (unsigned flow = 0; flow < kFlows; ++flow) {
      const tests::Decision decision = card.decide(flowFrame(flow, kTunnel, 0x88A8), kBackbone);
      EXPECT_EQ(static_cast<unsigned>(decision.out.drop), 0U);
      EXPECT_EQ(decision.frame, flowFrame(flow));
      ports.push_back(static_cast<unsigned>(decision.out.egress_port));
    }
    return ports;
  }
  Drop upstream(unsigned port) {
    return static_cast<Drop>(static_cast<unsigned>(card.decide(flowFrame(port), port).out.drop));
  }
  Drop downstream() {
    return static_cast<Drop>(static_cast<unsigned>(card.decide(flowFrame(1, kTunnel, 0x88A8), kBackbone).out.drop));
  }

  ImageCard card;
};

TEST_F(LagTraffic, frames_of_both_ports_belong_to_the_service) {
  set(0, kCarries);
  set(1, kCarries);
  for (const unsigned port : {0U, 1U}) {
    const tests::Decision decision = card.decide(flowFrame(7), port);
    EXPECT_EQ(static_cast<unsigned>(decision.out.drop), 0U);
    EXPECT_EQ(static_cast<unsigned>(decision.out.service), kTunnel);
    EXPECT_EQ(static_cast<unsigned>(decision.out.egress_port), kBackbone);
    EXPECT_EQ(decision.frame, flowFrame(7, kTunnel, 0x88A8));
  }
}

TEST_F(LagTraffic, flows_spread_evenly_and_only_those_of_the_port_that_is_out_move) {
  set(0, kCarries);
  set(1, kCarries);
  const std::vector<unsigned> both = ports();
  // 8000 flows at 1/2: sigma is 45.
  EXPECT_NEAR(static_cast<double>(std::count(both.begin(), both.end(), 0U)), kFlows / 2.0, 4 * 45);
  for (const MemberState out : {kCollects, kOut}) {
    set(1, out);
    EXPECT_EQ(ports(), std::vector<unsigned>(kFlows, 0));
    set(1, kCarries);
    EXPECT_EQ(ports(), both) << "each flow is back on its port";
  }
}

TEST_F(LagTraffic, of_three_ports_the_other_two_keep_their_flows) {
  Region region = readRegion(POPLINK_EXAMPLES "/lag.yaml");
  Site& site = region.sites[0];
  Port third = site.ports[1];
  third.id = PortId{2};
  site.ports.push_back(third);
  region.services[0].pop.ports = site.lags[0].ports = {PortId{0}, PortId{1}, PortId{2}};
  set(0, kCarries);
  set(1, kCarries);
  const std::vector<unsigned> two = ports();
  const MemberStates members = memberStates(card.image(), lagsOf(region, site));
  card.carryOut(plan(card.image(), desiredTables(region, {"par-th2", 0, "none", ""}, 8, card.image(), members).tables));
  for (const unsigned port : ports()) ASSERT_NE(port, 2U) << "before LACP lets it";
  set(2, kCarries);
  const std::vector<unsigned> three = ports();
  for (const unsigned port : {0U, 1U, 2U})
    EXPECT_NEAR(static_cast<double>(std::count(three.begin(), three.end(), port)), kFlows / 3.0, kFlows / 50.0);
  for (unsigned flow = 0; flow < kFlows; ++flow) ASSERT_TRUE(three[flow] == two[flow] || three[flow] == 2);
  set(1, kOut);
  const std::vector<unsigned> without = ports();
  for (unsigned flow = 0; flow < kFlows; ++flow) ASSERT_TRUE(without[flow] == three[flow] || three[flow] == 1);
  EXPECT_NEAR(static_cast<double>(std::count(without.begin(), without.end(), 0U)), kFlows / 2.0, kFlows / 50.0);
}

TEST_F(LagTraffic, port_takes_no_frame_before_lacp_lets_it) {
  EXPECT_EQ(upstream(0), Drop::not_collecting);
  EXPECT_EQ(downstream(), Drop::no_path);
  set(0, kCollects);
  EXPECT_EQ(upstream(0), Drop::none);
  EXPECT_EQ(upstream(1), Drop::not_collecting);
  EXPECT_EQ(downstream(), Drop::no_path) << "it does not distribute yet";
  set(0, kCarries);
  EXPECT_EQ(downstream(), Drop::none);
  set(0, kOut);
  EXPECT_EQ(upstream(0), Drop::not_collecting);
  EXPECT_EQ(downstream(), Drop::no_path);
}

TEST_F(LagTraffic, lacp_itself_reaches_the_host_from_a_port_that_is_out) {
  tests::Frame pdu = {0x01, 0x80, 0xC2, 0x00, 0x00, 0x02, 2, 0, 0, 0, 0, 1, 0x88, 0x09, 1, 1};
  pdu.resize(124);
  const tests::Decision decision = card.decide(pdu, 1);
  EXPECT_EQ(static_cast<Drop>(static_cast<unsigned>(decision.out.drop)), Drop::slow_protocol);
  EXPECT_TRUE(decision.out.punt);
}

}  // namespace
}  // namespace poplink::host
