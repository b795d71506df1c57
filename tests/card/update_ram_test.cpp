// SPDX-License-Identifier: Apache-2.0
// update_ram by itself, with a body that mixes every bit of entry and arguments, and the host at it all the time: every
// answer and every host's reading is what an array says that takes one access after the other.
#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <random>

#include "Vupdate_ram.h"
#include "rtl_module.h"

namespace poplink::tests {
namespace {

constexpr unsigned kEntries = 16;

/// Not commutative, so that order shows.
std::uint64_t body(std::uint64_t entry, std::uint32_t args) {
  return entry * 0x9E37'79B9'7F4A'7C15U + args;
}

class Bench {
 public:
  Bench() {
    dut_->req_valid_i = 0;
    dut_->host_start_i = 0;
    dut_.reset();
  }

  /// One cycle; the model takes what goes into the stages now.
  void cycle(std::optional<unsigned> index, std::uint32_t args) {
    const bool was_waiting = waiting_.has_value();
    dut_->req_valid_i = index.has_value();
    dut_->index_i = static_cast<std::uint8_t>(index.value_or(static_cast<unsigned>(random_() % kEntries)));
    dut_->args_i = args;
    if (index) {
      answers_.push_back({now_ + 3, model_[*index]});
      model_[*index] = body(model_[*index], args);
    } else if (was_waiting) {
      host_due_ = Answer{now_ + 4, model_[waiting_->index]};
      if (waiting_->write) model_[waiting_->index] = waiting_->data;
      waiting_.reset();
    }
    if (starting_) {
      dut_->host_start_i = 1;
      dut_->host_write_i = starting_->write;
      dut_->host_index_i = static_cast<std::uint8_t>(starting_->index);
      dut_->host_data_i = starting_->data;
      waiting_ = starting_;
      starting_.reset();
    } else {
      dut_->host_start_i = 0;
    }
    dut_.settle();
    dut_->body_next_i = body(dut_->body_entry_o, dut_->body_args_o);
    dut_.clock();
    ++now_;
    dut_.settle();
    if (!answers_.empty() && answers_.front().due == now_) {
      ASSERT_EQ(dut_->resp_o, answers_.front().value) << "cycle " << now_;
      answers_.pop_front();
    }
    if (waiting_ || (host_due_ && host_due_->due > now_)) ASSERT_EQ(dut_->host_busy_o, 1) << "cycle " << now_;
    if (host_due_ && host_due_->due == now_) {
      ASSERT_EQ(dut_->host_busy_o, 0) << "cycle " << now_;
      ASSERT_EQ(dut_->host_data_o, host_due_->value) << "cycle " << now_;
      host_due_.reset();
      ++host_accesses_;
    }
  }
  void host(bool write, unsigned index, std::uint64_t data) { starting_ = Access{write, index, data}; }
  bool hostIdle() const { return !starting_ && !waiting_ && !host_due_; }
  std::uint64_t hostAccesses() const { return host_accesses_; }
  std::mt19937_64& random() { return random_; }
  Vupdate_ram* operator->() { return dut_.operator->(); }

 private:
  struct Access {
    bool write;
    unsigned index;
    std::uint64_t data;
  };
  struct Answer {
    std::uint64_t due, value;
  };
  RtlModule<Vupdate_ram> dut_;
  std::mt19937_64 random_{1};
  std::uint64_t now_ = 0, model_[kEntries] = {}, host_accesses_ = 0;
  std::deque<Answer> answers_;
  std::optional<Access> starting_, waiting_;
  std::optional<Answer> host_due_;
};

TEST(UpdateRam, clears_itself_and_changes_nothing_before) {
  Bench bench;
  unsigned cycles = 0;
  bench->body_next_i = ~std::uint64_t{0};
  while (bench->ready_o == 0) {
    bench->req_valid_i = 1;
    bench->index_i = static_cast<std::uint8_t>(cycles % kEntries);
    bench->clk = 1;
    bench->eval();
    bench->clk = 0;
    bench->eval();
    ASSERT_LT(++cycles, 2 * kEntries);
  }
  for (unsigned i = 0; i < kEntries; ++i) bench.cycle(i, i);
  for (unsigned i = 0; i < 4; ++i) bench.cycle(std::nullopt, 0);
}

TEST(UpdateRam, every_answer_is_that_of_an_array) {
  Bench bench;
  while (bench->ready_o == 0) bench.cycle(std::nullopt, 0);
  std::uint64_t updates = 0;
  for (unsigned distance = 1; distance <= 6; ++distance) {
    for (unsigned gap_in_16 : {0U, 1U, 4U, 12U}) {
      for (unsigned i = 0; i < 50'000; ++i) {
        const std::uint64_t choice = bench.random()();
        const unsigned near =
            static_cast<unsigned>(choice >> 8) % 8 == 0 ? static_cast<unsigned>(choice >> 16) % kEntries : i % distance;
        // The host goes for the indices that are busy.
        if (bench.hostIdle() && (choice >> 24) % 2 == 0)
          bench.host((choice >> 25) % 2 == 0, static_cast<unsigned>(choice >> 32) % (distance + 1), bench.random()());
        const bool gap = (choice & 15) < gap_in_16;
        ASSERT_NO_FATAL_FAILURE(
            bench.cycle(gap ? std::nullopt : std::optional(near), static_cast<std::uint32_t>(choice >> 40)));
        updates += !gap;
      }
    }
  }
  EXPECT_GE(updates, 850'000U);
  EXPECT_GE(bench.hostAccesses(), 40'000U);
}

TEST(UpdateRam, host_waits_for_a_free_cycle) {
  Bench bench;
  while (bench->ready_o == 0) bench.cycle(std::nullopt, 0);
  bench.host(false, 3, 0);
  for (unsigned i = 0; i < 100; ++i) {
    ASSERT_NO_FATAL_FAILURE(bench.cycle(3, i));
    ASSERT_EQ(bench.hostAccesses(), 0U);
  }
  for (unsigned i = 0; i < 4; ++i) ASSERT_NO_FATAL_FAILURE(bench.cycle(std::nullopt, 0));
  EXPECT_EQ(bench.hostAccesses(), 1U);
}

}  // namespace
}  // namespace poplink::tests
