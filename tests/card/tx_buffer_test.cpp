// SPDX-License-Identifier: Apache-2.0
// The egress queues by themselves: both queues of every port, whatever the MACs do.
#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "Vtx_buffer.h"
#include "rtl_module.h"

namespace poplink::tests {
namespace {

constexpr std::size_t kBeat = POPLINK_BEAT_BYTES;
constexpr unsigned kPorts = 8;
constexpr unsigned kBeats = 512 * 64 / kBeat;  // room of a queue
constexpr unsigned kSlack = 2;                 // beats that follow after tx_tready falls

struct Out {
  unsigned port;
  Bytes frame;
};

class TxBuffer : public ::testing::Test {
 protected:
  TxBuffer() {
    dut->tx_tready = 0;
    dut->valid_i = dut->reserve_i = 0;
    dut.reset();
  }

  unsigned taken(unsigned port, unsigned queue) {
    dut->query_i = static_cast<std::uint8_t>(port * 2 + queue);
    dut.settle();
    return dut->taken_o;
  }
  /// Reserves room and writes a frame, a beat per cycle. The caller knows that there is room.
  void write(unsigned port, unsigned queue, const Bytes& frame) {
    const std::size_t count = (frame.size() + kBeat - 1) / kBeat;
    dut->query_i = static_cast<std::uint8_t>(port * 2 + queue);
    dut->reserve_i = 1;
    dut->beats_i = static_cast<std::uint16_t>(count);
    clock();
    dut->reserve_i = 0;
    for (std::size_t beat = 0; beat < count; ++beat) {
      const std::size_t part = std::min(kBeat, frame.size() - beat * kBeat);
      Bytes data = randomBytes(random, kBeat);
      std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(beat * kBeat), part, data.begin());
      putBytes(dut->data_i, data);
      dut->valid_i = 1;
      dut->last_i = beat + 1 == count;
      dut->bytes_i = static_cast<std::uint8_t>(part);
      dut->port_i = static_cast<std::uint8_t>(port);
      dut->queue_i = queue != 0;
      clock();
    }
    dut->valid_i = 0;
  }
  void clock() {
    dut.clock();
    for (unsigned p = 0; p < kPorts; ++p) since_ready[p] = (dut->tx_tready >> p & 1) != 0 ? 0 : since_ready[p];
    if (dut->end_valid_o) ends.emplace_back(dut->end_port_o, dut->end_bytes_o);
    if (!dut->tx_tvalid) return;
    const unsigned port = dut->tx_tdest;
    if ((dut->tx_tready >> port & 1) == 0) EXPECT_LE(++since_ready[port], kSlack) << "port " << port;
    const auto bytes = static_cast<std::size_t>(__builtin_popcountll(dut->tx_tkeep));
    EXPECT_EQ(dut->tx_tkeep, bytes == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bytes) - 1) << "contiguous";
    const Bytes data = getBytes(dut->tx_tdata, bytes);
    partial[port].insert(partial[port].end(), data.begin(), data.end());
    if (!dut->tx_tlast) {
      EXPECT_EQ(bytes, kBeat);
      return;
    }
    sent.push_back({port, std::move(partial[port])});
    partial[port].clear();
  }
  void clocks(unsigned count) {
    for (unsigned i = 0; i < count; ++i) clock();
  }

  std::mt19937_64 random{kBeat + 1};
  RtlModule<Vtx_buffer> dut;
  std::map<unsigned, Bytes> partial;
  std::map<unsigned, unsigned> since_ready;
  std::vector<Out> sent;
  std::vector<std::pair<unsigned, unsigned>> ends;  // port, bytes
};

TEST_F(TxBuffer, every_frame_leaves_whole_and_in_order_whatever_the_macs_do) {
  std::map<std::pair<unsigned, unsigned>, std::deque<Bytes>> expected;
  std::size_t written = 0;
  for (int i = 0; i < 6000; ++i) {
    const auto port = static_cast<unsigned>(random() % kPorts), queue = static_cast<unsigned>(random() % 2);
    const Bytes frame = randomBytes(random, 1 + random() % (random() % 16 == 0 ? 9220 : 200));
    if (i % 3 == 0) dut->tx_tready = static_cast<std::uint8_t>(random() | random());
    if (taken(port, queue) + (frame.size() + kBeat - 1) / kBeat > kBeats) {
      dut->tx_tready = 0xFF;
      clocks(kBeats);
      continue;
    }
    expected[{port, queue}].push_back(frame);
    ++written;
    write(port, queue, frame);
    clocks(static_cast<unsigned>(random() % 3));
  }
  dut->tx_tready = 0xFF;
  clocks(20 * kBeats);
  ASSERT_EQ(sent.size(), written);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const auto& [port, frame] = sent[i];
    EXPECT_EQ(ends[i].first, port);
    EXPECT_EQ(ends[i].second, frame.size());
    auto &control = expected[{port, 1}], &normal = expected[{port, 0}];
    auto& from = !control.empty() && control.front() == frame ? control : normal;
    ASSERT_FALSE(from.empty());
    ASSERT_EQ(from.front(), frame);
    from.pop_front();
  }
  for (unsigned p = 0; p < kPorts; ++p) {
    for (unsigned queue : {0U, 1U}) EXPECT_EQ(taken(p, queue), 0U);
  }
}

TEST_F(TxBuffer, control_goes_first_but_never_into_a_frame) {
  const Bytes longer(4 * kBeat, 1), normal(2 * kBeat, 2), control(kBeat, 3);
  dut->tx_tready = 0;
  write(5, 0, longer);
  dut->tx_tready = 1U << 5;
  clock();  // its first beat is granted
  dut->tx_tready = 0;
  write(5, 0, normal);
  write(5, 1, control);
  write(5, 1, control);
  dut->tx_tready = 1U << 5;
  clocks(40);
  ASSERT_EQ(sent.size(), 4U);
  EXPECT_EQ(sent[0].frame, longer);
  EXPECT_EQ(sent[1].frame, control);
  EXPECT_EQ(sent[2].frame, control);
  EXPECT_EQ(sent[3].frame, normal);
}

TEST_F(TxBuffer, room_is_counted_from_the_reservation_to_the_sending) {
  EXPECT_EQ(taken(2, 0), 0U);
  write(2, 0, Bytes(3 * kBeat, 1));
  write(2, 0, Bytes(kBeat + 1, 1));
  EXPECT_EQ(taken(2, 0), 5U);
  EXPECT_EQ(taken(2, 1), 0U);
  EXPECT_EQ(taken(3, 0), 0U);
  dut->tx_tready = 1U << 2;
  clocks(3);
  EXPECT_EQ(taken(2, 0), 2U);
  clocks(10);
  EXPECT_EQ(taken(2, 0), 0U);
}

TEST_F(TxBuffer, ports_that_wait_share_the_bus_evenly) {
  for (int round = 0; round < 60; ++round) {
    for (unsigned port : {1U, 2U, 6U}) write(port, 0, Bytes(kBeat, static_cast<std::uint8_t>(port)));
  }
  dut->tx_tready = 0xFF;
  clocks(3 * 30 + 3);
  std::map<unsigned, unsigned> share;
  for (const Out& out : sent) ++share[out.port];
  EXPECT_GE(sent.size(), 90U);
  for (unsigned port : {1U, 2U, 6U}) EXPECT_NEAR(share[port], 30.0, 1.0);
}

}  // namespace
}  // namespace poplink::tests
