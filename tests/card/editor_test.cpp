// SPDX-License-Identifier: Apache-2.0
// The editor by itself, with every strip and prepend that its ports allow, not only those that today's kernels make.
#include <gtest/gtest.h>

#include <optional>

#include "Veditor.h"
#include "rtl_module.h"

namespace poplink::tests {
namespace {

constexpr std::size_t kBeat = POPLINK_BEAT_BYTES;
constexpr std::size_t kMaxPrepend = 64, kMaxStrip = 127;
constexpr std::size_t kAhead = kMaxStrip / kBeat + 2;  // cycles from a frame's first beat to its edit

struct Job {
  Bytes frame;
  std::size_t strip;
  Bytes prepend;
  unsigned port;
  bool queue;

  Bytes result() const {
    Bytes out = prepend;
    out.insert(out.end(), frame.begin() + static_cast<std::ptrdiff_t>(strip), frame.end());
    return out;
  }
};

std::size_t beats(std::size_t bytes) {
  return (bytes + kBeat - 1) / kBeat;
}

class Editor : public ::testing::Test {
 protected:
  Editor() {
    dut->start_i = 0;
    dut.reset();
  }

  /// Streams the jobs, each `gap()` cycles behind the earliest that its predecessor allows; collects what comes out.
  template <class Gap>
  void run(const std::vector<Job>& jobs, Gap gap) {
    std::vector<std::uint64_t> first;  // cycle of each frame's first beat
    for (std::size_t j = 0; j < jobs.size(); ++j) {
      if (j == 0) {
        first.push_back(0);
        continue;
      }
      const Job& before = jobs[j - 1];
      first.push_back(first.back() + std::max(beats(before.frame.size()), beats(before.result().size())) + gap());
    }
    const std::uint64_t end = first.back() + beats(jobs.back().frame.size()) + kAhead + 20;
    std::size_t feeding = 0, editing = 0;
    for (std::uint64_t cycle = 0; cycle < end; ++cycle) {
      while (feeding < jobs.size() && cycle >= first[feeding] + beats(jobs[feeding].frame.size())) ++feeding;
      feed(feeding < jobs.size() && cycle >= first[feeding] ? &jobs[feeding] : nullptr,
           feeding < jobs.size() ? cycle - first[feeding] : 0);
      dut->start_i = editing < jobs.size() && cycle == first[editing] + kAhead;
      if (dut->start_i != 0)
        edit(jobs[editing++]);
      else
        edit(noise());
      dut.clock();
      collect();
    }
  }

  void feed(const Job* job, std::uint64_t beat) {
    Bytes data = randomBytes(random, kBeat);  // behind a frame's end and between frames: anything
    if (job != nullptr) {
      const std::size_t at = beat * kBeat, part = std::min(kBeat, job->frame.size() - at);
      std::copy_n(job->frame.begin() + static_cast<std::ptrdiff_t>(at), part, data.begin());
    }
    putBytes(dut->data_i, data);
  }
  /// What stands on the ports while nothing starts must not matter.
  Job noise() {
    return {randomBytes(random, kMaxStrip + 1 + random() % 300), random() % (kMaxStrip + 1),
            randomBytes(random, random() % (kMaxPrepend + 1)), static_cast<unsigned>(random() % 16), random() % 2 != 0};
  }
  void edit(const Job& job) {
    Bytes data = randomBytes(random, kMaxPrepend);
    std::copy(job.prepend.begin(), job.prepend.end(), data.begin());
    putBytes(dut->edit_data_i, data);
    dut->strip_i = static_cast<std::uint8_t>(job.strip);
    dut->prepend_i = static_cast<std::uint8_t>(job.prepend.size());
    const std::size_t size = job.result().size();
    dut->beats_i = static_cast<std::uint16_t>(beats(size));
    dut->last_bytes_i = static_cast<std::uint8_t>((size - 1) % kBeat + 1);
    dut->port_i = static_cast<std::uint8_t>(job.port);
    dut->queue_i = job.queue;
  }
  void collect() {
    overruns += dut->overrun_o;
    if (dut->valid_o == 0) return;
    const Bytes data = getBytes(dut->data_o, dut->bytes_o);
    out.insert(out.end(), data.begin(), data.end());
    EXPECT_TRUE(dut->last_o || dut->bytes_o == kBeat);
    if (dut->last_o == 0) return;
    done.push_back({std::move(out), 0, {}, dut->port_o, dut->queue_o != 0});
    out.clear();
  }
  void expectResults(const std::vector<Job>& jobs) {
    ASSERT_EQ(done.size(), jobs.size());
    for (std::size_t j = 0; j < jobs.size(); ++j) {
      ASSERT_EQ(done[j].frame, jobs[j].result()) << "frame " << j << " of " << jobs[j].frame.size() << " bytes, strip "
                                                 << jobs[j].strip << ", prepend " << jobs[j].prepend.size();
      EXPECT_EQ(done[j].port, jobs[j].port);
      EXPECT_EQ(done[j].queue, jobs[j].queue);
    }
  }

  std::mt19937_64 random{kBeat};
  RtlModule<Veditor> dut;
  Bytes out;
  std::vector<Job> done;
  unsigned overruns = 0;
};

TEST_F(Editor, applies_every_strip_and_every_prepend) {
  std::vector<Job> jobs;
  for (std::size_t strip = 0; strip <= kMaxStrip; ++strip) {
    for (std::size_t prepend : {random() % (kMaxPrepend + 1), strip % (kMaxPrepend + 1), std::size_t{0}, kMaxPrepend}) {
      const std::size_t size = std::max<std::size_t>(60, strip + 1 + random() % 400);
      jobs.push_back({randomBytes(random, size), strip, randomBytes(random, prepend),
                      static_cast<unsigned>(random() % 16), random() % 2 != 0});
    }
  }
  std::shuffle(jobs.begin(), jobs.end(), random);
  run(jobs, [&] { return random() % 3 == 0 ? random() % 5 : 0; });
  expectResults(jobs);
  EXPECT_EQ(overruns, 0U);
}

TEST_F(Editor, edits_frames_back_to_back) {
  std::vector<Job> jobs;
  for (int i = 0; i < 4000; ++i) {
    const std::size_t strip = random() % 60;
    jobs.push_back({randomBytes(random, 60 + random() % (4 * kBeat)), strip,
                    randomBytes(random, random() % (kMaxPrepend + 1)), static_cast<unsigned>(i % 16), i % 5 == 0});
  }
  run(jobs, [] { return 0; });
  expectResults(jobs);
  EXPECT_EQ(overruns, 0U);
}

TEST_F(Editor, one_byte_is_a_frame_too) {
  const std::vector<Job> jobs = {{randomBytes(random, 128), 127, {}, 3, true},
                                 {randomBytes(random, 128), 127, {}, 4, false}};
  run(jobs, [] { return 0; });
  expectResults(jobs);
}

TEST_F(Editor, frame_over_the_one_before_is_reported) {
  const std::vector<Job> jobs = {{randomBytes(random, 60 + kBeat), 0, randomBytes(random, kMaxPrepend), 0, false},
                                 {randomBytes(random, 60), 0, {}, 1, false}};
  std::vector<Job> early = jobs;
  feed(nullptr, 0);
  edit(early[0]);
  dut->start_i = 1;
  dut.clock();
  EXPECT_EQ(dut->overrun_o, 0);
  edit(early[1]);
  dut.clock();
  EXPECT_EQ(dut->overrun_o, 1);
  dut->start_i = 0;
  dut.clock();
  EXPECT_EQ(dut->overrun_o, 0);
}

}  // namespace
}  // namespace poplink::tests
