// SPDX-License-Identifier: Apache-2.0
// The counters by themselves: counts beyond 32 bits, and reads while everything counts.
#include <gtest/gtest.h>

#include <map>

#include "Vcounters.h"
#include "rtl_module.h"

namespace poplink::tests {
namespace {

constexpr std::uint32_t kMaxBytes = 16'383;  // of one event

class Counters : public ::testing::Test {
 protected:
  Counters() {
    dut->rx_end_valid_i = dut->decided_valid_i = dut->tx_end_valid_i = 0;
    dut->port_counters_req_i = dut->drop_counters_req_i = dut->service_counters_req_i = dut->member_counters_req_i = 0;
    dut.reset();
    for (int i = 0; i < 20'000 && !dut->ready_o; ++i) dut.clock();
    EXPECT_TRUE(dut->ready_o);
  }
  template <class Request, class Acknowledge>
  std::uint32_t read(Request& request, Acknowledge& acknowledge, std::uint32_t address) {
    dut->address_i = address;
    request = 1;
    for (int i = 0; i < 100; ++i) {
      dut.clock();
      if (!acknowledge) continue;
      request = 0;
      const std::uint32_t data = dut->data_o;
      dut.clock();
      return data;
    }
    ADD_FAILURE() << "no answer";
    return 0;
  }
  template <class Request, class Acknowledge>
  std::uint64_t read64(Request& request, Acknowledge& acknowledge, std::uint32_t address) {
    const std::uint64_t low = read(request, acknowledge, address);
    return low | static_cast<std::uint64_t>(read(request, acknowledge, address + 4)) << 32;
  }

  RtlModule<Vcounters> dut;
};

TEST_F(Counters, bytes_go_on_beyond_32_bits) {
  constexpr std::uint64_t kEvents = 300'000;
  dut->tx_end_valid_i = 1;
  dut->tx_end_port_i = 3;
  dut->tx_end_bytes_i = kMaxBytes;
  dut->decided_valid_i = 1;
  dut->decided_drop_i = 0;
  dut->decided_service_valid_i = 1;
  dut->decided_service_i = 4095;
  dut->decided_to_backbone_i = 1;
  dut->decided_group_i = 1023;
  dut->decided_link_i = 14;
  dut->decided_bytes_i = kMaxBytes;
  for (std::uint64_t i = 0; i < kEvents; ++i) dut.clock();
  dut->tx_end_valid_i = dut->decided_valid_i = 0;
  const std::uint32_t port = (3 * 2 + 1) * 16, service = (4095 * 2 + 1) * 16, member = (1023 * 16 + 14) * 16;
  EXPECT_EQ(read64(dut->port_counters_req_i, dut->port_counters_ack_o, port), kEvents);
  EXPECT_EQ(read64(dut->port_counters_req_i, dut->port_counters_ack_o, port + 8), kEvents * kMaxBytes);
  EXPECT_EQ(read64(dut->service_counters_req_i, dut->service_counters_ack_o, service), kEvents);
  EXPECT_EQ(read64(dut->service_counters_req_i, dut->service_counters_ack_o, service + 8), kEvents * kMaxBytes);
  EXPECT_EQ(read64(dut->member_counters_req_i, dut->member_counters_ack_o, member), kEvents);
  EXPECT_EQ(read64(dut->member_counters_req_i, dut->member_counters_ack_o, member + 8), kEvents * kMaxBytes);
  EXPECT_EQ(read64(dut->member_counters_req_i, dut->member_counters_ack_o, member + 16), 0U);
  EXPECT_EQ(read64(dut->port_counters_req_i, dut->port_counters_ack_o, port - 16), 0U);
  EXPECT_EQ(read64(dut->drop_counters_req_i, dut->drop_counters_ack_o, 3 * 64 * 16 + 16), 0U);
}

TEST_F(Counters, high_word_belongs_to_the_low_word_read_before) {
  dut->tx_end_port_i = 0;
  dut->tx_end_bytes_i = kMaxBytes;
  dut->tx_end_valid_i = 1;
  for (int i = 0; i < 262'160; ++i) dut.clock();  // just beyond 2^32
  dut->tx_end_valid_i = 0;
  const std::uint32_t low = read(dut->port_counters_req_i, dut->port_counters_ack_o, 16 + 8);
  dut->tx_end_valid_i = 1;  // almost another 2^32 between the two reads
  for (int i = 0; i < 262'160; ++i) dut.clock();
  dut->tx_end_valid_i = 0;
  const std::uint32_t high = read(dut->port_counters_req_i, dut->port_counters_ack_o, 16 + 8 + 4);
  EXPECT_EQ((std::uint64_t{high} << 32 | low), 262'160ULL * kMaxBytes);
  EXPECT_EQ(read64(dut->port_counters_req_i, dut->port_counters_ack_o, 16 + 8), 2 * 262'160ULL * kMaxBytes);
}

TEST_F(Counters, member_counts_what_is_sent_towards_the_backbone) {
  std::mt19937_64 random(2);
  std::map<unsigned, std::pair<std::uint64_t, std::uint64_t>> want;  // by group * 16 + link
  for (int i = 0; i < 20'000; ++i) {
    dut->decided_valid_i = random() % 4 != 0;
    dut->decided_drop_i = random() % 4 == 0 ? 14 : 0;
    dut->decided_to_backbone_i = random() % 4 != 0;
    dut->decided_service_valid_i = 1;
    dut->decided_group_i = random() % 3 * 511;
    dut->decided_link_i = random() % 16;
    dut->decided_bytes_i = random() % (kMaxBytes + 1);
    if (dut->decided_valid_i && dut->decided_drop_i == 0 && dut->decided_to_backbone_i) {
      auto& [frames, bytes] = want[dut->decided_group_i * 16U + dut->decided_link_i];
      ++frames;
      bytes += dut->decided_bytes_i;
    }
    dut.clock();
  }
  dut->decided_valid_i = 0;
  EXPECT_EQ(want.size(), 48U);
  for (const auto& [index, sums] : want) {
    ASSERT_EQ(read64(dut->member_counters_req_i, dut->member_counters_ack_o, index * 16), sums.first) << index;
    ASSERT_EQ(read64(dut->member_counters_req_i, dut->member_counters_ack_o, index * 16 + 8), sums.second) << index;
  }
}

TEST_F(Counters, every_reason_has_a_counter_of_its_own_per_port) {
  std::mt19937_64 random(1);
  std::map<std::pair<unsigned, unsigned>, std::pair<std::uint64_t, std::uint64_t>> want;
  for (int i = 0; i < 20'000; ++i) {
    const auto count = [&](unsigned port, unsigned reason, std::uint32_t bytes) {
      auto& [frames, total] = want[{port, reason}];
      ++frames;
      total += bytes;
    };
    dut->rx_end_valid_i = random() % 2;
    dut->rx_end_drop_i = 1;
    dut->rx_end_port_i = random() % 16;
    dut->rx_end_reason_i = 32 + random() % 4;
    dut->rx_end_bytes_i = random() % (kMaxBytes + 1);
    if (dut->rx_end_valid_i) count(dut->rx_end_port_i, dut->rx_end_reason_i, dut->rx_end_bytes_i);
    dut->decided_valid_i = random() % 2;
    dut->decided_port_i = random() % 17;
    do {
      dut->decided_drop_i = random() % 64;
    } while (dut->decided_drop_i / 4 == 8);  // those are the ingress side's
    dut->decided_bytes_i = random() % (kMaxBytes + 1);
    if (dut->decided_valid_i && dut->decided_drop_i)
      count(dut->decided_port_i, dut->decided_drop_i, dut->decided_bytes_i);
    dut.clock();
  }
  dut->rx_end_valid_i = dut->decided_valid_i = 0;
  for (unsigned port = 0; port < 17; ++port) {
    for (unsigned reason = 1; reason < 64; ++reason) {
      const std::uint32_t at = (port * 64 + reason) * 16;
      const auto [frames, bytes] = want[{port, reason}];
      ASSERT_EQ(read64(dut->drop_counters_req_i, dut->drop_counters_ack_o, at), frames) << port << " " << reason;
      ASSERT_EQ(read64(dut->drop_counters_req_i, dut->drop_counters_ack_o, at + 8), bytes);
    }
  }
}

}  // namespace
}  // namespace poplink::tests
