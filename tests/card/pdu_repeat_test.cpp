// SPDX-License-Identifier: Apache-2.0
// pdu_repeat by itself: when each port's frame goes out, and that nothing but whole frames does, whatever time, link,
// host and stream do meanwhile.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>

#include "Vpdu_repeat.h"
#include "rtl_module.h"

namespace poplink::tests {
namespace {

constexpr unsigned kBeat = POPLINK_BEAT_BYTES, kPorts = 16;
constexpr unsigned kSettled = 3 * kPorts + 40;  ///< cycles in which whatever is due has gone out

struct Times {
  std::uint32_t wait, interval, lifetime;
};
struct Sent {
  unsigned port;
  Bytes bytes;
  std::uint64_t us;  ///< when it was taken
};

class Bench {
 public:
  Bench() { reset(); }
  void reset() {
    dut_->now_us = now_us;
    dut_->port_up_i = links = 0xFFFF;
    dut_->arm_i = dut_->refresh_i = dut_->stop_i = 0;
    dut_->take_i = dut_->read_i = 0;
    reading_.reset();
    dut_.reset();
  }

  /// One cycle: the stream takes a frame if it `accepts`, and reads its beats later, one after the other.
  void cycle() {
    dut_->now_us = now_us;
    dut_->port_up_i = links;
    dut_.settle();
    dut_->take_i = dut_->valid_o && accepts && !reading_;
    dut_->read_i = reading_ && pause_ == 0;
    if (dut_->take_i) {
      reading_ = Reading{{dut_->port_o, {}, now_us}, dut_->length_o};
      pause_ = static_cast<unsigned>(random() % 4);
    } else if (pause_ != 0) {
      --pause_;
    }
    const bool reads = dut_->read_i;
    dut_.clock();
    dut_->arm_i = dut_->refresh_i = dut_->stop_i = 0;
    if (!reads) return;
    pause_ = static_cast<unsigned>(random() % 4);
    read();
  }
  void run(unsigned cycles = kSettled) {
    for (unsigned i = 0; i < cycles; ++i) cycle();
  }
  /// Card time goes on by steps of 1 us.
  void pass(std::uint64_t us, unsigned cycles_per_us = kSettled) {
    for (std::uint64_t i = 0; i < us; ++i) {
      ++now_us;
      run(cycles_per_us);
    }
  }

  // What the host does, in the next cycle.
  void arm(unsigned port, const Bytes& frame, const Times& times) {
    Bytes padded = frame;
    padded.resize(128, 0xEE);
    putBytes(dut_->frame_i, padded);
    dut_->bytes_i = static_cast<std::uint8_t>(frame.size());
    dut_->wait_i = times.wait;
    dut_->interval_i = times.interval;
    dut_->lifetime_i = times.lifetime;
    dut_->arm_i = static_cast<std::uint16_t>(1U << port);
  }
  void refresh(unsigned port) { dut_->refresh_i = static_cast<std::uint16_t>(1U << port); }
  void stop(unsigned port) { dut_->stop_i = static_cast<std::uint16_t>(1U << port); }
  void armAndRun(unsigned port, const Bytes& frame, const Times& times) {
    arm(port, frame, times);
    run();
  }

  bool armed(unsigned port) { return (dut_->armed_o >> port & 1) != 0; }
  std::uint32_t count(unsigned port) { return dut_->sent_o[port]; }
  std::vector<Sent> take() { return std::exchange(sent, {}); }
  std::vector<std::uint64_t> times() {
    std::vector<std::uint64_t> all;
    for (const Sent& one : take()) all.push_back(one.us);
    return all;
  }
  Vpdu_repeat* operator->() { return dut_.operator->(); }

  std::uint64_t now_us = 1'000'000;
  std::uint16_t links = 0xFFFF;
  bool accepts = true;
  std::vector<Sent> sent;
  std::mt19937_64 random{1};

 private:
  struct Reading {
    Sent frame;
    unsigned length;
  };
  void read() {
    const Bytes beat = getBytes(dut_->data_o, kBeat);
    Bytes& bytes = reading_->frame.bytes;
    const std::size_t part = std::min<std::size_t>(kBeat, reading_->length - bytes.size());
    bytes.insert(bytes.end(), beat.begin(), beat.begin() + static_cast<std::ptrdiff_t>(part));
    if (bytes.size() < reading_->length) return;
    sent.push_back(std::move(reading_->frame));
    reading_.reset();
  }

  RtlModule<Vpdu_repeat> dut_;
  std::optional<Reading> reading_;
  unsigned pause_ = 0;
};

class PduRepeat : public ::testing::Test {
 protected:
  Bytes frame(std::size_t bytes = 124) { return randomBytes(bench.random, bytes); }
  /// After this nothing of `port` goes out, however long one waits.
  void expectDisarmed(unsigned port, const char* why) {
    EXPECT_FALSE(bench.armed(port)) << why;
    bench.sent.clear();
    for (const std::uint64_t us : {1U, 100U, 10'000'000U}) {
      bench.now_us += us;
      bench.run();
    }
    EXPECT_TRUE(bench.sent.empty()) << why;
  }

  Bench bench;
};

TEST_F(PduRepeat, comes_after_wait_then_every_interval_until_the_lifetime_ends) {
  const std::uint64_t start = bench.now_us;
  const Bytes pdu = frame();
  bench.armAndRun(3, pdu, {30, 10, 70});
  EXPECT_TRUE(bench.armed(3));
  bench.pass(200);
  EXPECT_FALSE(bench.armed(3));
  EXPECT_EQ(bench.count(3), 5U);
  for (const Sent& one : bench.sent) {
    EXPECT_EQ(one.port, 3U);
    EXPECT_EQ(one.bytes, pdu);
  }
  EXPECT_EQ(bench.times(), (std::vector<std::uint64_t>{start + 30, start + 40, start + 50, start + 60, start + 70}))
      << "the last in the microsecond in which the lifetime ends";
}

TEST_F(PduRepeat, every_length_goes_out_whole_on_every_port) {
  for (std::size_t length = 60; length <= 128; ++length) {
    const auto port = static_cast<unsigned>(length % kPorts);
    const Bytes pdu = frame(length);
    bench.armAndRun(port, pdu, {0, 5, 4});
    ASSERT_EQ(bench.sent.size(), 1U) << length;
    EXPECT_EQ(bench.sent[0].port, port);
    EXPECT_EQ(bench.sent[0].bytes, pdu) << length;
    bench.sent.clear();
    bench.pass(5);
    EXPECT_FALSE(bench.armed(port));
  }
}

TEST_F(PduRepeat, nothing_is_repeated_while_the_host_refreshes) {
  bench.armAndRun(2, frame(), {30, 10, 100});
  for (unsigned i = 0; i < 20; ++i) {
    bench.pass(29);
    bench.refresh(2);
    bench.run();
  }
  EXPECT_TRUE(bench.sent.empty());
  const std::uint64_t last = bench.now_us;
  bench.pass(300);
  const auto times = bench.times();
  ASSERT_FALSE(times.empty());
  EXPECT_EQ(times.front(), last + 30);
  EXPECT_EQ(times.back(), last + 100);
}

TEST_F(PduRepeat, refresh_behind_repetitions_begins_with_wait_again) {
  const std::uint64_t start = bench.now_us;
  bench.armAndRun(2, frame(), {30, 10, 1000});
  bench.pass(45);
  bench.refresh(2);
  bench.run();
  bench.pass(40);
  EXPECT_EQ(bench.times(), (std::vector<std::uint64_t>{start + 30, start + 40, start + 75, start + 85}));
}

TEST_F(PduRepeat, refresh_does_not_bring_back_what_has_ended) {
  bench.refresh(1);
  bench.run();
  expectDisarmed(1, "never armed");
  const Times times = {10, 10, 50};
  bench.armAndRun(1, frame(), times);
  bench.stop(1);
  bench.cycle();
  bench.refresh(1);
  bench.run();
  expectDisarmed(1, "stopped");
  bench.armAndRun(1, frame(), times);
  bench.now_us += 51;
  bench.refresh(1);  // in the first cycle of the time in which nobody has noticed yet
  bench.run();
  expectDisarmed(1, "lifetime over");
  bench.armAndRun(1, frame(), times);
  bench.links = 0xFFFD;
  bench.refresh(1);
  bench.cycle();
  bench.links = 0xFFFF;
  bench.refresh(1);
  bench.run();
  expectDisarmed(1, "link fell");
}

TEST_F(PduRepeat, link_that_falls_for_a_cycle_ends_it_in_every_state) {
  for (unsigned wait = 0; wait < 40; ++wait) {
    bench.accepts = wait % 2 == 0;
    bench.armAndRun(9, frame(), {10, 10, 1000});
    bench.arm(4, frame(), {0, 1000, 1000});
    bench.now_us += 10;
    bench.run(wait);
    bench.links = 0xFFFF & ~(1U << 9);
    bench.cycle();
    bench.links = 0xFFFF;
    bench.cycle();
    EXPECT_FALSE(bench.armed(9)) << wait;
    bench.accepts = true;
    bench.run();  // what was taken before still goes out
    EXPECT_TRUE(bench.armed(4)) << "another port's";
    expectDisarmed(9, "link fell");
    bench.stop(4);
    bench.run();
  }
}

TEST_F(PduRepeat, nothing_is_armed_without_link_or_out_of_range) {
  bench.links = 0x00FF;
  bench.armAndRun(8, frame(), {0, 1, 100});
  EXPECT_FALSE(bench.armed(8));
  bench.links = 0xFFFF;
  const Bytes pdu = frame();
  bench.armAndRun(5, pdu, {20, 10, 1000});
  for (const std::size_t bytes : {0U, 59U, 129U, 188U, 255U}) bench.armAndRun(5, frame(bytes), {0, 1, 1000});
  bench.armAndRun(5, frame(), {0, 0, 1000});
  EXPECT_TRUE(bench.sent.empty());
  bench.pass(20);
  ASSERT_EQ(bench.sent.size(), 1U) << "what was armed before goes on";
  EXPECT_EQ(bench.sent[0].bytes, pdu);
}

TEST_F(PduRepeat, of_several_bits_the_highest_counts) {
  bench.arm(5, frame(), {0, 10, 1000});
  bench.stop(5);
  bench.refresh(5);
  bench.run();
  expectDisarmed(5, "stop");
  const Bytes pdu = frame();
  bench.arm(5, pdu, {7, 10, 1000});
  bench.refresh(5);
  bench.run();
  EXPECT_TRUE(bench.armed(5));
  bench.now_us += 5;
  bench.arm(5, frame(59), {0, 10, 1000});
  bench.refresh(5);
  bench.run();
  bench.pass(6);
  EXPECT_TRUE(bench.sent.empty()) << "refreshed, though the arming was refused";
  bench.pass(1);
  ASSERT_EQ(bench.sent.size(), 1U);
  EXPECT_EQ(bench.sent[0].bytes, pdu);
}

TEST_F(PduRepeat, jump_past_several_due_times_sends_one) {
  const std::uint64_t start = bench.now_us;
  bench.armAndRun(6, frame(), {30, 10, 1000});
  bench.now_us = start + 95;
  bench.run();
  EXPECT_EQ(bench.times(), (std::vector<std::uint64_t>{start + 95}));
  bench.pass(9);
  EXPECT_TRUE(bench.sent.empty());
  bench.pass(1);
  EXPECT_EQ(bench.times(), (std::vector<std::uint64_t>{start + 105}));
  bench.now_us = start + 117;
  bench.run();
  bench.pass(8);
  EXPECT_EQ(bench.times(), (std::vector<std::uint64_t>{start + 117, start + 125})) << "one that is late moves no other";
  bench.now_us = start + 1000;
  bench.run();
  EXPECT_EQ(bench.times(), (std::vector<std::uint64_t>{start + 1000})) << "just in its lifetime";
  bench.now_us = start + 1001;
  bench.run();
  EXPECT_FALSE(bench.armed(6));
}

TEST_F(PduRepeat, jump_out_of_the_lifetime_sends_none_however_far) {
  for (const std::uint64_t jump :
       {std::uint64_t{1'001}, std::uint64_t{1} << 32, (std::uint64_t{1} << 32) + 30, (std::uint64_t{1} << 33) + 500,
        std::uint64_t{1} << 63, ~std::uint64_t{0}, ~std::uint64_t{0} - 5'000}) {
    bench.armAndRun(7, frame(), {30, 10, 1'000});
    bench.now_us += jump;  // the last ones go back
    bench.run();
    EXPECT_TRUE(bench.sent.empty()) << jump;
    EXPECT_FALSE(bench.armed(7)) << jump;
  }
}

TEST_F(PduRepeat, time_may_carry_and_wrap) {
  for (const std::uint64_t edge : {std::uint64_t{1} << 32, std::uint64_t{1} << 33, std::uint64_t{0}}) {
    const std::uint64_t start = bench.now_us = edge - 25;
    bench.armAndRun(7, frame(), {20, 10, 60});
    bench.pass(100);
    EXPECT_EQ(bench.times(), (std::vector<std::uint64_t>{start + 20, start + 30, start + 40, start + 50, start + 60}));
  }
}

TEST_F(PduRepeat, longest_times_are_as_written) {
  constexpr std::uint32_t kMost = 0xFFFF'FFFF;
  const std::uint64_t start = bench.now_us;
  bench.armAndRun(0, frame(), {kMost, 1, kMost});
  bench.armAndRun(1, frame(), {5, kMost, kMost});
  bench.now_us = start + 5;
  bench.run();
  bench.now_us = start + kMost - 1;
  bench.run();
  EXPECT_EQ(bench.count(0), 0U);
  EXPECT_EQ(bench.count(1), 1U);
  bench.now_us = start + kMost;
  bench.run();
  EXPECT_EQ(bench.count(0), 1U);
  EXPECT_EQ(bench.count(1), 1U);
  bench.now_us = start + std::uint64_t{kMost} + 1;
  bench.run();
  EXPECT_FALSE(bench.armed(0) || bench.armed(1));
}

// In each cycle from the due time until the frame is out and beyond.
TEST_F(PduRepeat, frame_that_is_rewritten_while_it_goes_out_is_whole) {
  bool old_one = false, new_one = false;
  for (unsigned delay = 0; delay < 60; ++delay) {
    const Bytes before = frame(), after = frame(100);
    bench.armAndRun(11, before, {10, 10, 1000});
    bench.now_us += 10;
    bench.run(delay);
    bench.arm(11, after, {10, 10, 1000});
    bench.run();
    ASSERT_LE(bench.sent.size(), 1U);
    if (!bench.sent.empty()) {
      EXPECT_EQ(bench.sent[0].bytes, before) << delay;
    }
    (bench.sent.empty() ? new_one : old_one) = true;
    bench.sent.clear();
    bench.pass(10);
    ASSERT_EQ(bench.sent.size(), 1U) << delay;
    EXPECT_EQ(bench.sent[0].bytes, after) << delay;
    bench.sent.clear();
  }
  EXPECT_TRUE(old_one && new_one);
}

TEST_F(PduRepeat, refresh_in_any_cycle_around_the_due_time_lets_one_go_or_none) {
  std::array<unsigned, 2> seen{};
  bench.armAndRun(11, frame(), {10, 10, 1000});
  for (unsigned delay = 0; delay < 60; ++delay) {
    const std::uint32_t before = bench.count(11);
    bench.now_us += 10;
    bench.run(delay);
    bench.refresh(11);
    bench.run();
    bench.pass(9);
    const std::uint32_t sent = bench.count(11) - before;
    ASSERT_LE(sent, 1U) << delay;
    ++seen.at(sent);
    bench.refresh(11);
    bench.run();
  }
  EXPECT_GT(seen[0], 0U);
  EXPECT_GT(seen[1], 0U);
}

TEST_F(PduRepeat, frame_that_the_stream_cannot_take_is_withdrawn_with_its_reason) {
  const std::pair<const char*, std::function<void()>> reasons[] = {{"lifetime over", [&] { bench.now_us += 1000; }},
                                                                   {"time goes back", [&] { bench.now_us -= 500; }},
                                                                   {"stopped", [&] { bench.stop(4); }},
                                                                   {"refreshed", [&] { bench.refresh(4); }},
                                                                   {"link fell", [&] { bench.links = 0xFFEF; }}};
  for (const auto& [why, happens] : reasons) {
    bench.accepts = false;
    bench.armAndRun(4, frame(), {10, 10, 500});
    bench.now_us += 10;
    bench.run();
    EXPECT_TRUE(bench->valid_o) << why;
    for (unsigned i = 0; i < 2 * kPorts; bench.cycle(), ++i) EXPECT_TRUE(bench->busy_o) << why;
    happens();
    bench.cycle();
    bench.cycle();
    bench.accepts = true;
    bench.run();
    EXPECT_TRUE(bench.sent.empty()) << why;
    bench.links = 0xFFFF;
    bench.stop(4);
    bench.run();
  }
}

TEST_F(PduRepeat, all_ports_are_due_at_once_and_each_has_its_turn) {
  std::map<unsigned, Bytes> pdus;
  for (unsigned port = 0; port < kPorts; ++port) {
    pdus[port] = frame(60 + port);
    bench.armAndRun(port, pdus[port], {500, 1, 100'000});
  }
  EXPECT_TRUE(bench.sent.empty());
  bench.now_us += 500;
  bench.run(40 * kPorts);
  ASSERT_EQ(bench.sent.size(), kPorts);
  for (unsigned port = 0; port < kPorts; ++port) {
    EXPECT_EQ(bench.sent[port].port, port) << "in turn";
    EXPECT_EQ(bench.sent[port].bytes, pdus[port]);
  }
  for (const unsigned first : {5U, 12U}) {
    bench.sent.clear();
    for (unsigned port = 0; port < kPorts; ++port) {
      bench.refresh(port);
      bench.run();
    }
    bench.armAndRun(first, pdus[first], {0, 10'000, 100'000});
    bench.now_us += 500;
    bench.run(40 * kPorts);
    ASSERT_EQ(bench.sent.size(), kPorts);
    for (unsigned i = 0; i < kPorts; ++i) EXPECT_EQ(bench.sent[i].port, (first + i) % kPorts) << "and on from there";
    bench.armAndRun(first, pdus[first], {500, 1, 100'000});
    bench.now_us += 500;
    bench.run(40 * kPorts);
  }
  // More are due than the stream takes: nobody waits for ever.
  for (unsigned i = 0; i < 4'000; ++i) {
    ++bench.now_us;
    bench.run(5);
  }
  for (unsigned port = 0; port < kPorts; ++port) {
    EXPECT_GT(bench.count(port), 20U) << port;
    EXPECT_NEAR(bench.count(port), bench.count(0), 1) << port;
  }
}

TEST_F(PduRepeat, rests_until_its_alarm) {
  bench.run();
  EXPECT_FALSE(bench->busy_o || bench->alarm_o);
  const std::uint64_t start = bench.now_us;
  bench.armAndRun(3, frame(), {300, 100, 450});
  bench.armAndRun(12, frame(), {1000, 100, 320});
  std::vector<std::uint64_t> alarms;
  while (bench->alarm_o) {
    ASSERT_FALSE(bench->busy_o);
    alarms.push_back(bench->alarm_us_o);
    bench.now_us = bench->alarm_us_o - 1;
    bench.run();
    EXPECT_FALSE(bench->busy_o);
    ++bench.now_us;
    bench->now_us = bench.now_us;
    bench->eval();
    EXPECT_TRUE(bench->busy_o) << "in the cycle in which it is due";
    bench.run();
  }
  EXPECT_EQ(alarms, (std::vector<std::uint64_t>{start + 300, start + 321, start + 400, start + 451}))
      << "also the end of a lifetime";
  EXPECT_EQ(bench.times(), (std::vector<std::uint64_t>{start + 300, start + 400}));
  EXPECT_FALSE(bench->busy_o);
}

TEST_F(PduRepeat, is_busy_until_it_knows_its_alarm) {
  bench.armAndRun(15, frame(), {100, 100, 10'000});
  bench.now_us += 50;
  for (const unsigned port : {15U, 3U}) {
    bench.refresh(port);
    bench.cycle();
    for (unsigned i = 0; i < 2 * kPorts; bench.cycle(), ++i) {
      ASSERT_NE(bench->busy_o, bench->alarm_o) << i;
      if (bench->alarm_o) {
        EXPECT_EQ(bench->alarm_us_o, bench.now_us + 100);
      }
    }
    EXPECT_TRUE(bench->alarm_o);
  }
}

TEST_F(PduRepeat, what_was_stopped_sets_no_alarm) {
  const std::uint64_t start = bench.now_us;
  bench.armAndRun(3, frame(), {100, 100, 10'000});
  bench.armAndRun(4, frame(), {700, 100, 10'000});
  bench.stop(3);
  bench.run();
  EXPECT_EQ(bench->alarm_us_o, start + 700);
  bench.stop(4);
  bench.run();
  EXPECT_FALSE(bench->alarm_o || bench->busy_o);
}

TEST_F(PduRepeat, reset_ends_whatever_is_under_way) {
  for (unsigned delay = 0; delay < 60; ++delay) {
    bench.accepts = delay % 2 == 0;
    for (unsigned port = 0; port < 4; ++port) bench.armAndRun(port, frame(), {10, 10, 1000});
    bench.now_us += 10;
    bench.run(delay);
    bench.reset();
    bench.sent.clear();
    EXPECT_FALSE(bench->valid_o || bench->busy_o || bench->alarm_o || bench->armed_o) << delay;
    for (unsigned port = 0; port < kPorts; ++port) EXPECT_EQ(bench.count(port), 0U);
    bench.accepts = true;
    bench.armAndRun(9, frame(), {0, 10, 0});
    ASSERT_EQ(bench.sent.size(), 1U) << delay;
    bench.sent.clear();
    bench.pass(1);
  }
}

/// What should happen, by the description, when everything comes to rest between the steps.
struct Expected {
  Bytes frame;
  Times times{};
  bool armed = false;
  std::uint64_t refreshed = 0, next = 0, sent = 0;  ///< next: from the refresh on
  void at(std::uint64_t now, std::vector<Bytes>& out) {
    const std::uint64_t age = now - refreshed;
    if (armed && age > times.lifetime) armed = false;
    for (; armed && age >= next; ++sent) {
      out.push_back(frame);
      next = next + times.interval > age ? next + times.interval : age + times.interval;
    }
  }
};

TEST_F(PduRepeat, does_what_the_description_says_whatever_happens) {
  std::array<Expected, kPorts> ports;
  const auto pick = [&](std::uint64_t below) { return bench.random() % below; };
  std::uint64_t frames = 0, expired = 0;
  for (unsigned i = 0; i < 20'000; ++i) {
    const auto number = static_cast<unsigned>(pick(kPorts));
    Expected& port = ports.at(number);
    const bool was_armed = port.armed;
    switch (pick(8)) {
      case 0: {
        const Times times = {static_cast<std::uint32_t>(pick(50)), static_cast<std::uint32_t>(1 + pick(50)),
                             static_cast<std::uint32_t>(pick(400))};
        port = {frame(60 + pick(69)), times, true, bench.now_us, times.wait, port.sent};
        bench.arm(number, port.frame, times);
        break;
      }
      case 1:
        if (port.armed) port.refreshed = bench.now_us, port.next = port.times.wait;
        bench.refresh(number);
        break;
      case 2:
        port.armed = port.armed && pick(4) != 0;
        if (was_armed && !port.armed) bench.stop(number);
        break;
      case 3:
        if (pick(4) != 0) break;
        port.armed = false;
        bench.links = static_cast<std::uint16_t>(~(1U << number));
        bench.cycle();
        bench.links = 0xFFFF;
        break;
      default: {
        const std::uint64_t choice = pick(64);
        bench.now_us += choice == 0 ? 0x1'0000'0000 : choice < 4 ? pick(500) : pick(30);
        break;
      }
    }
    std::array<std::vector<Bytes>, kPorts> want, got;
    bench.run(40 * kPorts);
    for (unsigned p = 0; p < kPorts; ++p) {
      const bool before = ports.at(p).armed;
      ports.at(p).at(bench.now_us, want.at(p));
      if (before && !ports.at(p).armed) ++expired;
    }
    for (const Sent& one : bench.take()) got.at(one.port).push_back(one.bytes);
    ASSERT_EQ(got, want) << "step " << i;
    for (unsigned p = 0; p < kPorts; ++p) {
      frames += want.at(p).size();
      ASSERT_EQ(bench.armed(p), ports.at(p).armed) << "port " << p << ", step " << i;
      ASSERT_EQ(bench.count(p), ports.at(p).sent);
    }
  }
  EXPECT_GT(frames, 5'000U);
  EXPECT_GT(expired, 100U);
}

}  // namespace
}  // namespace poplink::tests
