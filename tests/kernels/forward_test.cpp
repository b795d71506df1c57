// SPDX-License-Identifier: Apache-2.0
// forward() against frames computed by hand, over the tables of exampleTables().
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "forward_model.h"
#include "link_local.h"

namespace poplink::tests {
namespace {

using kernels::Drop;

/// "aa bb" and spaces to bytes, padded with 00 01 02 ... to `length`.
Frame frame(const std::string& hex, std::size_t length = 60) {
  Frame bytes;
  std::string digits;
  for (char c : hex) {
    if (c != ' ') digits += c;
  }
  for (std::size_t i = 0; i < digits.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(digits.substr(i, 2), nullptr, 16)));
  const std::size_t head = bytes.size();
  bytes.resize(std::max(length, head));
  std::iota(bytes.begin() + static_cast<std::ptrdiff_t>(head), bytes.end(), std::uint8_t{0});
  return bytes;
}

const std::string kAddresses = "02 00 00 00 00 0b 02 00 00 00 00 0a ";

class Forward : public ::testing::Test {
 protected:
  Tables tables = exampleTables();

  Drop dropOf(const std::string& hex, unsigned port, std::size_t length = 60) {
    return static_cast<Drop>(static_cast<unsigned>(decide(tables, frame(hex, length), port).out.drop));
  }
  /// The frame that leaves, after checking that it does and where.
  Frame leaves(const std::string& hex, unsigned port, unsigned egress, std::size_t length = 60) {
    const Decision decision = decide(tables, frame(hex, length), port);
    EXPECT_EQ(static_cast<unsigned>(decision.out.drop), 0U);
    EXPECT_EQ(static_cast<unsigned>(decision.out.egress_port), egress);
    EXPECT_TRUE(decision.out.service_valid);
    EXPECT_EQ(static_cast<unsigned>(decision.out.queue), 0U);
    return decision.frame;
  }
};

TEST_F(Forward, untagged_frame_gets_the_services_s_tag) {
  // Service 4: S-VID 1004 = 0x3ec, PCP 4 of the service.
  const Frame out = leaves(kAddresses + "08 00", 0, 6);
  Frame want = frame(kAddresses + "88 a8 83 ec 08 00", 64);
  EXPECT_EQ(out, want);
}

TEST_F(Forward, customer_tag_chooses_the_service_and_stays) {
  // VID 101 with PCP 5, DEI 1: service 1, S-VID 1001 = 0x3e9 on port 7 with the customer's priority.
  EXPECT_EQ(leaves(kAddresses + "81 00 b0 65 86 dd", 0, 7), frame(kAddresses + "88 a8 b3 e9 81 00 b0 65 86 dd", 64));
}

TEST_F(Forward, outer_of_two_customer_tags_chooses_and_both_stay) {
  EXPECT_EQ(leaves(kAddresses + "88 a8 20 66 81 00 00 2a 08 00", 0, 6),
            frame(kAddresses + "88 a8 23 ea 88 a8 20 66 81 00 00 2a 08 00", 64));
}

TEST_F(Forward, priority_tag_counts_as_untagged_but_keeps_its_priority) {
  EXPECT_EQ(leaves(kAddresses + "81 00 e0 00 08 00", 0, 6), frame(kAddresses + "88 a8 e3 ec 81 00 e0 00 08 00", 64));
}

TEST_F(Forward, whole_port_service_takes_any_tag) {
  EXPECT_EQ(leaves(kAddresses + "81 00 0a bc 08 00", 1, 7), frame(kAddresses + "88 a8 03 ed 81 00 0a bc 08 00", 64));
  EXPECT_EQ(leaves(kAddresses + "08 06", 1, 7), frame(kAddresses + "88 a8 a3 ed 08 06", 64));
}

TEST_F(Forward, vid_wins_over_the_whole_port) {
  EXPECT_EQ(static_cast<unsigned>(decide(tables, frame(kAddresses + "81 00 01 2c 08 00"), 2).out.service), 7U);
  EXPECT_EQ(static_cast<unsigned>(decide(tables, frame(kAddresses + "81 00 01 2d 08 00"), 2).out.service), 6U);
}

TEST_F(Forward, ports_own_s_tpid_is_a_tag_only_there) {
  EXPECT_EQ(leaves(kAddresses + "91 00 01 90 08 00", 3, 6), frame(kAddresses + "88 a8 03 f0 91 00 01 90 08 00", 64));
  // An 802.1ad tag counts there all the same.
  EXPECT_EQ(leaves(kAddresses + "88 a8 01 90 08 00", 3, 6), frame(kAddresses + "88 a8 03 f0 88 a8 01 90 08 00", 64));
  // On port 0 0x9100 is an ethertype like any other, so the frame is untagged.
  EXPECT_EQ(static_cast<unsigned>(decide(tables, frame(kAddresses + "91 00 00 64 08 00"), 0).out.service), 4U);
}

TEST_F(Forward, s_tag_is_popped_from_the_backbone_and_the_rest_is_untouched) {
  EXPECT_EQ(leaves(kAddresses + "88 a8 b3 e9 81 00 b0 65 86 dd", 7, 0, 64),
            frame(kAddresses + "81 00 b0 65 86 dd", 60));
  EXPECT_EQ(leaves(kAddresses + "88 a8 03 ec 08 00", 6, 0, 64), frame(kAddresses + "08 00", 60));
}

TEST_F(Forward, push_then_pop_is_the_identity_for_every_length) {
  for (std::size_t length = 60; length <= 9000; length += 37) {
    const Frame sent = frame(kAddresses + "81 00 00 64 81 00 00 07 08 00", length);
    const Decision pushed = decide(tables, sent, 0);
    ASSERT_EQ(static_cast<unsigned>(pushed.out.drop), 0U) << length;
    ASSERT_EQ(decide(tables, pushed.frame, 6).frame, sent) << length;
  }
}

TEST_F(Forward, link_local_protocols_stay_on_the_link) {
  const std::string group = "01 80 c2 00 00 ";
  const std::string source = "02 00 00 00 00 0a ";
  EXPECT_EQ(dropOf(group + "00 " + source + "00 26", 1), Drop::stp);
  EXPECT_EQ(dropOf(group + "01 " + source + "88 08", 1), Drop::pause);
  EXPECT_EQ(dropOf(group + "02 " + source + "88 09", 1), Drop::slow_protocol);
  EXPECT_EQ(dropOf(group + "0e " + source + "88 cc", 1), Drop::lldp);
  EXPECT_EQ(dropOf(group + "00 " + source + "88 cc", 1), Drop::lldp);
  EXPECT_EQ(dropOf(group + "08 " + source + "00 26", 1), Drop::link_local_other);
  EXPECT_EQ(dropOf(group + "0f " + source + "81 00", 1), Drop::link_local_other);
  EXPECT_EQ(dropOf(group + "10 " + source + "00 26", 1), Drop::none);  // the 17th address is an ordinary group
  EXPECT_EQ(dropOf("01 80 c2 00 01 00 " + source + "88 08", 1), Drop::none);
}

TEST_F(Forward, link_local_is_named_even_where_the_port_is_off) {
  EXPECT_EQ(dropOf("01 80 c2 00 00 02 02 00 00 00 00 0a 88 09", 9), Drop::slow_protocol);
}

TEST_F(Forward, refuses_what_has_no_service) {
  EXPECT_EQ(dropOf(kAddresses + "08 00", 9), Drop::port_off);
  EXPECT_EQ(dropOf(kAddresses + "08 00", 4), Drop::not_collecting);
  EXPECT_EQ(dropOf(kAddresses + "08 00", 5), Drop::no_service);
  EXPECT_EQ(dropOf(kAddresses + "81 00 00 63 08 00", 0), Drop::no_service);  // VID 99
  EXPECT_EQ(dropOf(kAddresses + "81 00 00 67 08 00", 0), Drop::service_off);
  EXPECT_EQ(dropOf(kAddresses + "81 00 0f ff 08 00", 1), Drop::reserved_vid);
  EXPECT_EQ(dropOf(kAddresses + "08 00", 6), Drop::untagged_on_backbone);
  EXPECT_EQ(dropOf(kAddresses + "81 00 03 e8 08 00", 6),
            Drop::untagged_on_backbone);                                     // a C-tag is not the link's S-tag
  EXPECT_EQ(dropOf(kAddresses + "88 a8 03 e9 08 00", 6), Drop::no_service);  // service 1 comes in on port 7
}

TEST_F(Forward, refuses_a_service_of_another_attachment) {
  tables.vid[(2U << 12) | 200] = {true, 0};
  EXPECT_EQ(dropOf(kAddresses + "81 00 00 c8 08 00", 2), Drop::wrong_side);
}

TEST_F(Forward, takes_a_service_from_every_link_that_names_it) {
  tables.vid[(6U << 12) | 1001] = {true, 1};
  leaves(kAddresses + "88 a8 03 e9 81 00 b0 65 86 dd", 6, 0, 64);
  leaves(kAddresses + "88 a8 03 e9 81 00 b0 65 86 dd", 7, 0, 64);
}

TEST_F(Forward, link_follows_the_flow_and_liveness) {
  const auto customer = [](unsigned flow) {
    return frame(kAddresses + "08 00 45 00 00 2e 00 01 40 00 40 11 00 00 0a 00 00 01 0a 00 00 02", 60 + flow);
  };
  const auto flowFrame = [&](unsigned flow) {
    Frame one = customer(0);
    one[34] = static_cast<std::uint8_t>(flow >> 8);
    one[35] = static_cast<std::uint8_t>(flow);
    return one;
  };
  tables.setGroup(9, 512, 8, {{6, 1}, {7, 1}});
  tables.service[5].group = 9;
  std::map<unsigned, unsigned> first;  // link by flow
  std::map<unsigned, unsigned> slot;
  std::set<unsigned> slots;
  std::map<unsigned, unsigned> flows;
  for (unsigned flow = 0; flow < 2000; ++flow) {
    const Decision decision = decide(tables, flowFrame(flow), 1);
    ASSERT_EQ(static_cast<unsigned>(decision.out.drop), 0U);
    EXPECT_EQ(decision.out.link, decision.out.egress_port);
    EXPECT_EQ(static_cast<unsigned>(decision.out.group), 9U);
    first[flow] = static_cast<unsigned>(decision.out.link);
    ++flows[first[flow]];
    slots.insert(slot[flow] = static_cast<unsigned>(decision.out.flow_slot));
  }
  const double touched = 4096 * (1 - std::exp(-2000.0 / 4096));
  EXPECT_NEAR(static_cast<double>(slots.size()), touched, 4 * std::sqrt(touched * (1 - touched / 4096)));
  EXPECT_GT(flows[6], 800U);
  EXPECT_GT(flows[7], 800U);
  tables.live_ports = static_cast<std::uint16_t>(~(1U << 7));
  for (unsigned flow = 0; flow < 2000; ++flow) {
    const Decision decision = decide(tables, flowFrame(flow), 1);
    ASSERT_EQ(static_cast<unsigned>(decision.out.egress_port), 6U);
    ASSERT_EQ(static_cast<unsigned>(decision.out.flow_slot), slot[flow]);
  }
  tables.live_ports = 0xFFFF;
  for (unsigned flow = 0; flow < 2000; ++flow)
    ASSERT_EQ(static_cast<unsigned>(decide(tables, flowFrame(flow), 1).out.egress_port), first[flow]);
  tables.hash_seed = 99;
  unsigned moved = 0;
  for (unsigned flow = 0; flow < 2000; ++flow)
    moved += static_cast<unsigned>(decide(tables, flowFrame(flow), 1).out.egress_port) != first[flow];
  EXPECT_NEAR(moved, 1000, 4 * std::sqrt(500));  // another card chooses independently
}

TEST_F(Forward, customers_lag_is_chosen_by_flow_whatever_link_the_frame_came_from) {
  tables.setLink(1, {{1, 1}, {5, 1}});
  std::map<unsigned, unsigned> ports;
  for (unsigned flow = 0; flow < 2000; ++flow) {
    Frame tagged = frame(kAddresses + "88 a8 03 ed 08 06", 64);
    tagged[11] = static_cast<std::uint8_t>(flow);
    tagged[10] = static_cast<std::uint8_t>(flow >> 8);
    const Decision decision = decide(tables, tagged, 7);
    ASSERT_EQ(static_cast<unsigned>(decision.out.drop), 0U);
    EXPECT_EQ(static_cast<unsigned>(decision.out.link), 1U);
    ++ports[static_cast<unsigned>(decision.out.egress_port)];
  }
  EXPECT_EQ(ports.size(), 2U);
  EXPECT_NEAR(ports[1], 1000, 4 * std::sqrt(500));
}

TEST_F(Forward, refuses_what_has_no_way_on) {
  tables.service[5].group = 900;
  EXPECT_EQ(dropOf(kAddresses + "08 00", 1), Drop::no_group);
  EXPECT_EQ(dropOf(kAddresses + "08 00", 1, 9100), Drop::mtu);
  EXPECT_EQ(dropOf(kAddresses + "88 a8 03 ed 08 00", 7, 64), Drop::none);  // needs no group
  tables.service[5].group = 7;
  tables.live_ports = static_cast<std::uint16_t>(~(1U << 7));
  EXPECT_EQ(dropOf(kAddresses + "08 00", 1), Drop::no_path);
  tables.live_ports = static_cast<std::uint16_t>(~(1U << 1));
  EXPECT_EQ(dropOf(kAddresses + "88 a8 03 ed 08 00", 7, 64), Drop::no_path);
  const Decision decision = decide(tables, frame(kAddresses + "88 a8 03 ed 08 00", 64), 7);
  EXPECT_TRUE(decision.out.service_valid);
}

TEST_F(Forward, refuses_fabric_protocols_behind_any_number_of_parsed_tags) {
  for (const char* type : {"89 06", "89 14", "22 f3", "22 f4"}) {
    EXPECT_EQ(dropOf(kAddresses + type, 1), Drop::unsupported_protocol) << type;
    EXPECT_EQ(dropOf(kAddresses + "81 00 00 05 " + type, 1), Drop::unsupported_protocol) << type;
    EXPECT_EQ(dropOf(kAddresses + "88 a8 00 05 81 00 00 06 " + type, 1), Drop::unsupported_protocol) << type;
  }
  EXPECT_EQ(dropOf(kAddresses + "89 07", 1), Drop::none);
}

TEST_F(Forward, mtu_counts_the_payload_behind_the_customers_tags) {
  EXPECT_EQ(dropOf(kAddresses + "08 00", 1, 9014), Drop::none);
  EXPECT_EQ(dropOf(kAddresses + "08 00", 1, 9015), Drop::mtu);
  EXPECT_EQ(dropOf(kAddresses + "81 00 00 05 08 00", 1, 9018), Drop::none);
  EXPECT_EQ(dropOf(kAddresses + "81 00 00 05 08 00", 1, 9019), Drop::mtu);
  EXPECT_EQ(dropOf(kAddresses + "88 a8 00 05 81 00 00 05 08 00", 1, 9022), Drop::none);
  EXPECT_EQ(dropOf(kAddresses + "88 a8 00 05 81 00 00 05 08 00", 1, 9023), Drop::mtu);
  const std::string third = "88 a8 00 05 81 00 00 05 81 00 00 05 08 00";  // a third tag is payload
  EXPECT_EQ(dropOf(kAddresses + third, 1, 9022), Drop::none);
  EXPECT_EQ(dropOf(kAddresses + third, 1, 9023), Drop::mtu);
  EXPECT_EQ(dropOf(kAddresses + "88 a8 03 ed " + third, 7, 9026), Drop::none);
  EXPECT_EQ(dropOf(kAddresses + "88 a8 03 ed " + third, 7, 9027), Drop::mtu);
  EXPECT_EQ(dropOf(kAddresses + "88 a8 03 ed 81 00 00 05 08 00", 7, 9022), Drop::none);
  EXPECT_EQ(dropOf(kAddresses + "88 a8 03 ed 81 00 00 05 08 00", 7, 9023), Drop::mtu);
  EXPECT_EQ(dropOf(kAddresses + "81 00 01 2c 08 00", 2, 1518), Drop::none);  // service 7: 1500
  EXPECT_EQ(dropOf(kAddresses + "81 00 01 2c 08 00", 2, 1519), Drop::mtu);
}

TEST_F(Forward, dropped_by_mtu_still_belongs_to_its_service) {
  const Decision decision = decide(tables, frame(kAddresses + "08 00", 9100), 1);
  EXPECT_TRUE(decision.out.service_valid);
  EXPECT_EQ(static_cast<unsigned>(decision.out.service), 5U);
  EXPECT_TRUE(decision.out.to_backbone);
  EXPECT_FALSE(decide(tables, frame(kAddresses + "08 00"), 5).out.service_valid);
}

/// What becomes of the host's own frame.
kernels::ForwardOut ofHost(const Tables& tables, const Frame& frame, kernels::Origin origin, unsigned target) {
  const TablesInUse use(tables);
  kernels::ForwardIn in = headerWindow(frame, target);
  in.origin = static_cast<kernels::bits<2>>(origin);
  kernels::ForwardOut out{};
  kernels::forward(in, out);
  return out;
}

TEST_F(Forward, raw_frame_of_the_host_goes_to_its_port_whatever_it_is) {
  const std::string frames[] = {"01 80 c2 00 00 02 02 00 00 00 00 0a 88 09 01", kAddresses + "89 06",
                                kAddresses + "81 00 0f ff 08 00"};
  for (const std::string& hex : frames) {
    for (unsigned port = 0; port < 16; ++port) {  // roles, Collecting and services do not matter
      const auto out = ofHost(tables, frame(hex), kernels::Origin::to_port, port);
      EXPECT_EQ(static_cast<unsigned>(out.drop), 0U);
      EXPECT_EQ(static_cast<unsigned>(out.egress_port), port);
      EXPECT_EQ(static_cast<unsigned>(out.queue), 1U);
      EXPECT_EQ(out.edit.strip | out.edit.prepend, 0);
      EXPECT_FALSE(out.service_valid || out.to_backbone || out.punt);
    }
  }
}

TEST_F(Forward, link_frame_of_the_host_takes_a_live_port_or_none) {
  tables.link[9] = {true, 0b1100};
  const auto to = [&](unsigned link) {
    return ofHost(tables, frame(kAddresses + "08 00"), kernels::Origin::to_link, link);
  };
  EXPECT_EQ(static_cast<unsigned>(to(9).drop), 0U);
  EXPECT_TRUE(to(9).egress_port == 2 || to(9).egress_port == 3);
  EXPECT_EQ(static_cast<unsigned>(to(9).queue), 1U);
  EXPECT_EQ(to(9).edit.strip | to(9).edit.prepend, 0);
  EXPECT_FALSE(to(9).to_backbone);
  tables.live_ports = 0b1000;
  EXPECT_EQ(static_cast<unsigned>(to(9).egress_port), 3U);
  tables.live_ports = 0b0001;
  EXPECT_EQ(static_cast<Drop>(static_cast<unsigned>(to(9).drop)), Drop::no_path);
  EXPECT_EQ(static_cast<Drop>(static_cast<unsigned>(to(10).drop)), Drop::no_path);
}

TEST_F(Forward, frame_of_the_host_as_if_received_is_like_a_received_one) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 5000; ++i) {
    const Frame sent = randomFrame(random, 60 + random() % 60);
    const unsigned port = static_cast<unsigned>(random() % 9);
    const auto out = ofHost(tables, sent, kernels::Origin::as_received, port);
    const auto wire = ofHost(tables, sent, kernels::Origin::wire, port);
    ASSERT_TRUE(out.drop == wire.drop && out.egress_port == wire.egress_port && out.service == wire.service &&
                out.queue == 0 && out.punt == wire.punt);
    ASSERT_EQ(applyEdit(sent, out.edit), applyEdit(sent, wire.edit));
  }
}

TEST_F(Forward, what_is_for_the_host_says_its_class) {
  const auto of = [&](const std::string& hex, unsigned port) { return decide(tables, frame(hex), port).out; };
  const std::string lacp = "01 80 c2 00 00 02 02 00 00 00 00 0a 88 09 01";
  tables.port[5] = {true, static_cast<kernels::bits<2>>(kernels::Role::host), true, 5, 0x88A8};
  for (unsigned port = 0; port < 16; ++port) {  // also where nothing is configured, and not Collecting
    EXPECT_TRUE(of(lacp, port).punt);
    EXPECT_EQ(static_cast<unsigned>(of(lacp, port).host_class),
              static_cast<unsigned>(kernels::HostClass::slow_protocols));
  }
  EXPECT_EQ(dropOf(kAddresses + "08 06", 5), Drop::host_port);
  EXPECT_TRUE(of(kAddresses + "08 06", 5).punt);
  EXPECT_EQ(static_cast<unsigned>(of(kAddresses + "08 06", 5).host_class),
            static_cast<unsigned>(kernels::HostClass::routing));
  EXPECT_FALSE(of("01 80 c2 00 00 00 02 00 00 00 00 0a 00 26", 5).punt) << "STP ends in the card on a host port, too";
  EXPECT_FALSE(of(kAddresses + "08 06", 0).punt);
  tables.port[5].collecting = false;
  EXPECT_EQ(dropOf(kAddresses + "08 06", 5), Drop::not_collecting);
}

TEST_F(Forward, zeroed_tables_forward_nothing) {
  tables = Tables{};
  for (unsigned port = 0; port < 16; ++port) EXPECT_EQ(dropOf(kAddresses + "08 00", port), Drop::port_off);
}

TEST_F(Forward, bytes_behind_the_frames_end_never_matter) {
  std::mt19937_64 random(5);
  const TablesInUse use(tables);
  for (int round = 0; round < 20000; ++round) {
    const Frame sent = randomFrame(random, 60 + random() % 60);
    kernels::ForwardIn in = headerWindow(sent, static_cast<unsigned>(random() % 9));
    in.hash_seed = static_cast<kernels::bits<32>>(random());
    kernels::ForwardOut clean{}, noisy{};
    kernels::forward(in, clean);
    for (std::size_t i = sent.size(); i < kernels::kHeaderBytes; ++i)
      in.header[i] = static_cast<kernels::bits<8>>(random());
    kernels::forward(in, noisy);
    ASSERT_TRUE(clean.drop == noisy.drop && clean.egress_port == noisy.egress_port && clean.service == noisy.service);
    ASSERT_EQ(applyEdit(sent, clean.edit), applyEdit(sent, noisy.edit));
  }
}

}  // namespace
}  // namespace poplink::tests
