// SPDX-License-Identifier: Apache-2.0
// flow_sketch by itself, with few slots, so that frames meet on them all the time: every reading is what sets say that
// keep each second's slots.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <set>

#include "Vflow_sketch.h"
#include "rtl_module.h"

namespace poplink::tests {
namespace {

constexpr unsigned kSlots = 16, kLinks = 16;
constexpr std::uint64_t kSecond = 1U << 20;  // us

struct Touch {
  unsigned link, slot;
  friend auto operator<=>(const Touch&, const Touch&) = default;
};

class Bench {
 public:
  Bench() {
    dut_->now_us_i = 0;
    dut_->valid_i = 0;
    dut_->req_i = 0;
    dut_.reset();
  }
  void clear() {
    while (dut_->ready_o == 0) cycle();
  }

  /// One cycle, with a frame or without.
  void cycle(std::optional<Touch> frame = std::nullopt) {
    dut_->now_us_i = now_us;
    dut_->valid_i = frame.has_value();
    dut_->link_i = static_cast<std::uint8_t>(frame ? frame->link : random() % kLinks);
    dut_->slot_i = static_cast<std::uint8_t>(frame ? frame->slot : random() % kSlots);
    if (frame && dut_->ready_o) touched_[now_us / kSecond].insert(*frame);
    dut_->req_i = asked_.has_value();
    if (asked_) {
      dut_->read_link_i = static_cast<std::uint8_t>(*asked_);
      if (!expected_) expected_ = lastSecond(*asked_);
    }
    if (answered_) {  // the cycle in which the asker sees it
      asked_.reset();
      expected_.reset();
    }
    answered_ = false;
    dut_.clock();
    if (dut_->ack_o == 0) return;
    ASSERT_TRUE(asked_);
    ASSERT_EQ(dut_->data_o, *expected_) << "link " << *asked_ << " at " << now_us << " us";
    ++readings;
    answered_ = true;
  }
  bool idle() const { return !asked_; }
  /// From the next cycle on.
  void ask(unsigned link) { asked_ = link; }
  void touch(std::initializer_list<Touch> frames) {
    for (const Touch& frame : frames) cycle(frame);
  }
  unsigned read(unsigned link) {
    ask(link);
    unsigned cycles = 0;
    while (!idle()) {
      cycle();
      if (::testing::Test::HasFatalFailure() || ++cycles > 6) return ~0U;
    }
    return dut_->data_o;
  }
  void reset() {
    dut_.reset();
    touched_.clear();
  }

  std::uint64_t now_us = 0, readings = 0;
  std::mt19937_64 random{1};
  Vflow_sketch* operator->() { return dut_.operator->(); }

 private:
  unsigned lastSecond(unsigned link) const {
    const auto found = touched_.find(now_us / kSecond - 1);
    if (found == touched_.end()) return 0;
    return static_cast<unsigned>(std::count_if(found->second.begin(), found->second.end(),
                                               [&](const Touch& touch) { return touch.link == link; }));
  }

  RtlModule<Vflow_sketch> dut_;
  std::map<std::uint64_t, std::set<Touch>> touched_;  ///< by second
  std::optional<unsigned> asked_, expected_;
  bool answered_ = false;
};

TEST(FlowSketch, clears_itself_and_counts_nothing_before) {
  Bench bench;
  unsigned cycles = 0;
  while (bench->ready_o == 0) {
    bench.cycle(Touch{3, cycles % kSlots});
    ASSERT_LE(++cycles, kSlots + 4);
  }
  bench.now_us = kSecond;
  for (unsigned slot = 0; slot < kSlots; ++slot) bench.cycle(Touch{3, slot});
  EXPECT_EQ(bench.read(3), 0U);
  bench.now_us = 2 * kSecond;
  EXPECT_EQ(bench.read(3), kSlots);
}

TEST(FlowSketch, a_slot_counts_once_in_a_second_also_back_to_back) {
  Bench bench;
  bench.clear();
  bench.now_us = 7 * kSecond;
  for (unsigned distance = 1; distance <= 6; ++distance) {
    for (unsigned i = 0; i < 100; ++i) bench.cycle(Touch{2, i % distance});
  }
  bench.touch({{5, 0}, {2, 0}, {5, 0}, {5, 0}, {9, 15}});
  bench.now_us += kSecond - 1;
  EXPECT_EQ(bench.read(2), 0U) << "the second is not over";
  bench.touch({{2, 8}});
  bench.now_us += 1;
  EXPECT_EQ(bench.read(2), 7U);
  EXPECT_EQ(bench.read(5), 1U);
  EXPECT_EQ(bench.read(9), 1U);
  EXPECT_EQ(bench.read(0), 0U);
  EXPECT_EQ(bench.read(2), 7U) << "reading changes nothing";
}

TEST(FlowSketch, last_frame_of_a_second_and_first_of_the_next_are_each_in_their_own) {
  Bench bench;
  bench.clear();
  bench.now_us = kSecond;
  bench.touch({{1, 0}, {1, 1}});
  bench.now_us = 2 * kSecond;
  bench.touch({{1, 1}});
  EXPECT_EQ(bench.read(1), 2U);
  bench.now_us = 3 * kSecond;
  EXPECT_EQ(bench.read(1), 1U);
}

// The clock stands while nothing moves; the first cycle after it finds another time.
TEST(FlowSketch, reading_is_right_after_any_jump_without_a_frame) {
  Bench bench;
  bench.clear();
  for (const std::uint64_t seconds : {1U, 2U, 255U, 256U, 257U, 65536U, 1U << 30}) {
    bench.touch({{4, 1}, {4, 2}, {6, 3}});
    for (unsigned i = 0; i < 8; ++i) bench.cycle();
    bench.now_us += seconds * kSecond;
    EXPECT_EQ(bench.read(4), seconds == 1 ? 2U : 0U) << seconds;
    EXPECT_EQ(bench.read(6), seconds == 1 ? 1U : 0U) << seconds;
    bench.now_us += kSecond;
    EXPECT_EQ(bench.read(4), 0U) << seconds;
  }
}

TEST(FlowSketch, slot_of_an_earlier_second_is_never_taken_for_one_of_this) {
  Bench bench;
  bench.clear();
  for (unsigned bit = 0; bit < 43; ++bit) {
    bench.touch({{4, 1}, {4, 2}, {6, 3}});
    bench.now_us += kSecond << bit;
    bench.touch({{4, 2}, {4, 3}});  // the same, and one that only another link touched
    bench.now_us += kSecond;
    EXPECT_EQ(bench.read(4), 2U) << "second " << bench.now_us / kSecond << ", bit " << bit;
    EXPECT_EQ(bench.read(6), 0U);
  }
}

TEST(FlowSketch, every_reading_is_that_of_a_set) {
  Bench bench;
  bench.clear();
  constexpr std::uint64_t kJumps[] = {1, 1, 1, 1, 2, 3, 256, 65536, 1U << 31};
  for (unsigned gap_in_16 : {0U, 1U, 4U, 12U}) {
    for (unsigned i = 0; i < 200'000; ++i) {
      const std::uint64_t choice = bench.random();
      if (choice % 64 == 0) bench.now_us = (bench.now_us / kSecond + kJumps[(choice >> 8) % 9]) * kSecond;
      if (bench.idle() && (choice >> 16) % 4 == 0) bench.ask((choice >> 20) % 4);
      const Touch touch = {static_cast<unsigned>(choice >> 24) % 4, static_cast<unsigned>(choice >> 32) % kSlots};
      ASSERT_NO_FATAL_FAILURE(bench.cycle((choice >> 40) % 16 < gap_in_16 ? std::nullopt : std::optional(touch)));
    }
  }
  EXPECT_GE(bench.readings, 60'000U);
}

TEST(FlowSketch, reset_forgets) {
  Bench bench;
  bench.clear();
  bench.now_us = kSecond;
  bench.touch({{4, 1}, {4, 2}});
  for (unsigned i = 0; i < 8; ++i) bench.cycle();
  bench.reset();
  bench.clear();
  bench.now_us = 2 * kSecond;
  EXPECT_EQ(bench.read(4), 0U);
  bench.touch({{4, 2}, {4, 3}});
  bench.now_us = 3 * kSecond;
  EXPECT_EQ(bench.read(4), 2U);
}

}  // namespace
}  // namespace poplink::tests
