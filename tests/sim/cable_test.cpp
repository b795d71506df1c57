// SPDX-License-Identifier: Apache-2.0
#include "cable.h"

#include <gtest/gtest.h>

#include "scratch.h"

namespace poplink::sim {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct Sink : FrameSink {
  void deliver(std::span<const std::uint8_t> frame) override { got.emplace_back(frame.begin(), frame.end()); }
  std::vector<Bytes> got;
};

class CableOnAClock : public ::testing::Test {
 protected:
  Cable make(std::uint64_t delay_ns, PcapWriter* tap = nullptr) {
    return Cable(delay_ns, [this] { return now_ns; }, tap);
  }
  std::uint64_t now_ns = 1'000;
  Sink left, right;
};

TEST_F(CableOnAClock, delivers_after_its_delay_and_not_before) {
  Cable cable = make(500);
  cable.connect(1, right);
  cable.end(0).deliver(Bytes{1, 2, 3});
  EXPECT_EQ(cable.nextDueNs(), 1'500U);
  now_ns = 1'499;
  cable.advance();
  EXPECT_TRUE(right.got.empty());
  now_ns = 1'500;
  cable.advance();
  EXPECT_EQ(right.got, (std::vector<Bytes>{{1, 2, 3}}));
  EXPECT_EQ(cable.nextDueNs(), std::nullopt);
}

TEST_F(CableOnAClock, carries_both_directions_at_once_and_keeps_the_order_of_each) {
  Cable cable = make(500);
  cable.connect(0, left);
  cable.connect(1, right);
  for (std::uint8_t i = 0; i < 10; ++i) {
    now_ns += 10;
    cable.end(i % 2).deliver(Bytes{i});
  }
  EXPECT_EQ(cable.nextDueNs(), 1'510U) << "the earliest of both directions";
  now_ns = 1'555;
  cable.advance();
  EXPECT_EQ(right.got, (std::vector<Bytes>{{0}, {2}, {4}}));
  EXPECT_EQ(left.got, (std::vector<Bytes>{{1}, {3}}));
  EXPECT_EQ(cable.nextDueNs(), 1'560U);
  now_ns = 10'000;
  cable.advance();
  EXPECT_EQ(right.got.size(), 5U);
  EXPECT_EQ(left.got.back(), Bytes{9});
}

TEST_F(CableOnAClock, without_delay_waits_only_for_its_owner) {
  Cable cable = make(0);
  cable.connect(1, right);
  cable.end(0).deliver(Bytes{7});
  EXPECT_TRUE(right.got.empty());
  cable.advance();
  EXPECT_EQ(right.got.size(), 1U);
}

TEST_F(CableOnAClock, loses_what_leaves_an_end_that_is_not_plugged_in) {
  Cable cable = make(0);
  cable.connect(0, left);
  cable.end(0).deliver(Bytes{7});
  cable.advance();
  EXPECT_EQ(cable.nextDueNs(), std::nullopt);
  EXPECT_TRUE(left.got.empty());
}

TEST_F(CableOnAClock, cut_loses_what_is_under_way_and_what_comes_until_it_is_mended) {
  Cable cable = make(500);
  cable.connect(0, left);
  cable.connect(1, right);
  std::vector<bool> link;
  cable.on_link = [&](bool up) { link.push_back(up); };
  cable.end(0).deliver(Bytes{1});
  cable.end(0).deliver(Bytes{2});
  cable.end(1).deliver(Bytes{3});
  cable.cut();
  cable.cut();  // no more cut than before
  EXPECT_TRUE(cable.isCut());
  cable.end(1).deliver(Bytes{4});
  EXPECT_EQ(cable.nextDueNs(), std::nullopt);
  now_ns += 1'000;
  cable.advance();
  EXPECT_EQ(cable.lost(1), 2U);
  EXPECT_EQ(cable.lost(0), 2U);
  cable.mend();
  cable.mend();
  EXPECT_FALSE(cable.isCut());
  EXPECT_EQ(link, (std::vector<bool>{false, true}));
  cable.end(0).deliver(Bytes{5});
  now_ns += 500;
  cable.advance();
  EXPECT_EQ(right.got, (std::vector<Bytes>{{5}}));
  EXPECT_TRUE(left.got.empty());
}

TEST_F(CableOnAClock, light_at_an_end_is_what_the_other_sends_less_the_loss) {
  Cable cable(0, [this] { return now_ns; }, nullptr, 1.5);
  EXPECT_EQ(cable.lightAt(0), Optic{}.transmit_dbm - 1.5);
  cable.plug(1, Optic{-5.0, -19.0});
  EXPECT_EQ(cable.lightAt(0), -6.5);
  EXPECT_EQ(cable.lightAt(1), -3.5);
  cable.deafen(0);
  EXPECT_EQ(cable.lightAt(0), -6.5) << "nobody notices, the light neither";
  cable.attenuate(4.0);
  EXPECT_EQ(cable.lightAt(1), -6.0);
  cable.cut();
  EXPECT_EQ(cable.lightAt(0), std::nullopt);
  cable.mend();
  EXPECT_EQ(cable.lightAt(1), -3.5);
  cable.plug(0, std::nullopt);
  EXPECT_EQ(cable.lightAt(1), std::nullopt);
  EXPECT_EQ(cable.lightAt(0), -6.5) << "where no module sees it";
  EXPECT_FALSE(cable.isUp());
}

TEST_F(CableOnAClock, link_falls_when_either_end_receives_less_than_it_needs) {
  Cable cable = make(500);
  cable.connect(0, left);
  cable.connect(1, right);
  cable.plug(0, Optic{-2.0, -19.0});
  cable.plug(1, Optic{-2.0, -14.0});
  std::vector<std::string> told;
  cable.on_light = [&] { told.push_back(cable.isUp() ? "enough" : "too little"); };
  cable.on_link = [&](bool up) { told.push_back(up ? "up" : "down"); };
  cable.end(0).deliver(Bytes{1});
  cable.attenuate(12.0);
  EXPECT_EQ(told, (std::vector<std::string>{"enough"})) << "as much as it needs";
  cable.attenuate(12.1);
  EXPECT_FALSE(cable.isUp());
  EXPECT_FALSE(cable.isCut());
  EXPECT_EQ(told, (std::vector<std::string>{"enough", "too little", "down"}));
  cable.end(1).deliver(Bytes{2});
  now_ns += 1'000;
  cable.advance();
  EXPECT_EQ(cable.lost(0), 1U);
  EXPECT_EQ(cable.lost(1), 1U) << "under way when it fell";
  cable.mend();
  EXPECT_EQ(cable.lossDb(), kUsualLossDb);
  EXPECT_EQ(told, (std::vector<std::string>{"enough", "too little", "down", "enough", "up"}));
}

TEST_F(CableOnAClock, deaf_end_hears_nothing_and_nobody_notices) {
  const Scratch scratch;
  PcapWriter tap(scratch / "tap.pcap", [] { return std::uint64_t{1}; });
  Cable cable = make(500, &tap);
  cable.connect(0, left);
  cable.connect(1, right);
  cable.on_link = [&](bool) { FAIL() << "the link stays"; };
  cable.end(0).deliver(Bytes{1});
  cable.deafen(1);
  cable.end(0).deliver(Bytes{2});
  cable.end(1).deliver(Bytes{3});
  now_ns += 500;
  cable.advance();
  EXPECT_TRUE(cable.isDeaf(1));
  EXPECT_FALSE(cable.isDeaf(0));
  EXPECT_FALSE(cable.isCut());
  EXPECT_TRUE(right.got.empty());
  EXPECT_EQ(left.got, (std::vector<Bytes>{{3}}));
  EXPECT_EQ(cable.lost(1), 2U);
  EXPECT_EQ(cable.lost(0), 0U);
  cable.mend();
  cable.end(0).deliver(Bytes{4});
  now_ns += 500;
  cable.advance();
  EXPECT_EQ(right.got, (std::vector<Bytes>{{4}}));
  tap.flush();
  EXPECT_EQ(readPcap(scratch / "tap.pcap").size(), 3U) << "what is lost on entering is not tapped";
}

/// Answers each frame at once, as a card that is faster than its cable would.
struct Echo : FrameSink {
  explicit Echo(FrameSink& to) : back(to) {}
  void deliver(std::span<const std::uint8_t> frame) override {
    ++seen;
    back.deliver(frame);
  }
  FrameSink& back;
  unsigned seen = 0;
};

TEST_F(CableOnAClock, takes_frames_while_it_delivers) {
  Cable cable = make(100);
  Echo a(cable.end(0)), b(cable.end(1));
  cable.connect(0, a);
  cable.connect(1, b);
  cable.end(0).deliver(Bytes{1});
  for (int i = 0; i < 5; ++i) {
    now_ns += 100;
    cable.advance();
  }
  EXPECT_EQ(a.seen + b.seen, 5U);
}

TEST_F(CableOnAClock, tap_sees_each_frame_as_it_enters_with_its_own_clock) {
  const Scratch scratch;
  std::uint64_t wall_ns = 1'700'000'000'123'456'789;
  {
    PcapWriter tap(scratch / "tap.pcap", [&] { return wall_ns; });
    Cable cable = make(1'000'000, &tap);
    cable.end(0).deliver(Bytes(60, 1));
    wall_ns += 5;
    cable.end(1).deliver(Bytes(61, 2));
    tap.flush();
    EXPECT_EQ(readPcap(scratch / "tap.pcap").size(), 2U) << "nothing has arrived yet";
  }
  const std::vector<CapturedFrame> seen = readPcap(scratch / "tap.pcap");
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].bytes, Bytes(60, 1));
  EXPECT_EQ(seen[0].time_ns, 1'700'000'000'123'456'789U);
  EXPECT_EQ(seen[1].bytes, Bytes(61, 2));
  EXPECT_EQ(seen[1].time_ns, 1'700'000'000'123'456'794U);
}

}  // namespace
}  // namespace poplink::sim
