// SPDX-License-Identifier: Apache-2.0
// The host path by itself under a host that is slow, stuck, wrong and gone at random: a million frames, each of them
// either whole and in order where it belongs, or counted.
#include <deque>
#include <random>

#include "Vhost_path.h"
#include "host_bench.h"
#include "host_bus.h"
#include "rtl_module.h"

namespace poplink::tests {
namespace {

constexpr unsigned kBeat = POPLINK_BEAT_BYTES;
constexpr unsigned kAhead = 127 / kBeat;
constexpr unsigned kPortCount = 8;

/// Registers of rings as the card has them, straight at the module's inputs.
struct PathCard {
  RtlModule<Vhost_path>& dut;

  template <class Port>
  static void put16(Port& port, unsigned at, std::uint32_t value) {
    std::memcpy(reinterpret_cast<std::uint8_t*>(port.data()) + 2 * at, &value, 2);
  }
  void writeRegister(std::uint32_t address, std::uint32_t value) {
    const unsigned ring = address / 4 % 8;
    switch (address / 32 * 32) {
      case map::reg::kRingControl:
        dut->ring_log_entries_i =
            (dut->ring_log_entries_i & ~(0xFU << 4 * ring)) | map::field::kRingControlLogEntries.of(value) << 4 * ring;
        dut->ring_enable_i = static_cast<std::uint8_t>((dut->ring_enable_i & ~(1U << ring)) |
                                                       map::field::kRingControlEnable.of(value) << ring);
        return;
      case map::reg::kRingDescriptorsLow:
        dut->ring_descriptors_low_i[ring] = value;
        return;
      case map::reg::kRingDescriptorsHigh:
        dut->ring_descriptors_high_i[ring] = value;
        return;
      case map::reg::kRingCompletionsLow:
        dut->ring_completions_low_i[ring] = value;
        return;
      case map::reg::kRingCompletionsHigh:
        dut->ring_completions_high_i[ring] = value;
        return;
      case map::reg::kRingTail:
        put16(dut->ring_tail_i, ring, value);
        return;
      case map::reg::kRingArm:
        put16(dut->ring_seen_i, ring, map::field::kRingArmSeen.of(value));
        dut->ring_arm_i = static_cast<std::uint8_t>(1U << ring);
        return;
      case map::reg::kRingModeration:
        put16(dut->ring_frames_i, ring, map::field::kRingModerationFrames.of(value));
        put16(dut->ring_us_i, ring, map::field::kRingModerationUs.of(value));
        return;
      default:
        throw std::logic_error("no such register");
    }
  }
  std::uint32_t readRegister(std::uint32_t address) {
    const unsigned ring = address / 4 % 8;
    if (address / 32 * 32 == map::reg::kRingLost) return dut->ring_lost_o[ring];
    if (address / 32 * 32 != map::reg::kRingStatus) throw std::logic_error("no such register");
    return map::field::kRingStatusRunning.with(dut->ring_running_o >> ring & 1U) |
           map::field::kRingStatusError.with(dut->ring_error_o >> 2 * ring & 3U);
  }
};
struct Path {
  PathCard card;
};

class HostFaults : public ::testing::Test {
 protected:
  using Ring = TestRing<Path>;
  struct Offered {
    unsigned host_class, port;
    std::uint32_t number;
    std::size_t bytes;
    std::uint32_t lost = 0;  ///< since the one before that was queued, or the start of the ring
  };
  /// What the software knows of a ring.
  struct State {
    std::unique_ptr<Ring> ring;
    std::deque<Frame> posted;   ///< TX, not yet reported as taken or refused
    std::deque<bool> outcomes;  ///< TX, reported and not yet completed: taken
    bool stopping = false;
    std::uint64_t said_lost = 0, refused = 0, good = 0;
  };

  HostFaults() {
    bus.memory = &memory;
    bus.timing.read_cycles = [this] { return static_cast<unsigned>(random() % (random() % 16 == 0 ? 400 : 30)); };
    bus.timing.write_cycles = [this] { return static_cast<unsigned>(random() % (random() % 16 == 0 ? 400 : 12)); };
    bus.timing.stalls = [this] { return random() % 8 == 0; };
    bus.on_interrupt = [this](unsigned vector) { ++interrupts[vector]; };
    memory.refuses = [this] { return faults && random() % 3000 == 0; };
    bus.reset(*dut.operator->());
    dut->now_us = 1000;
    dut->valid_i = dut->of_host_i = dut->service_valid_i = dut->capture_enable_i = 0;
    dut->ring_enable_i = dut->ring_arm_i = dut->arm_events_i = dut->clear_rings_i = 0;
    dut->clear_links_i = 0;
    dut->learn_ports_i = 0;
    dut->source_i = 0;
    for (int word = 0; word < 4; ++word) {
      dut->service_interval_i[word] = dut->service_tolerance_i[word] = 0;
      dut->port_interval_i[word] = dut->port_tolerance_i[word] = 0;
      dut->ring_frames_i[word] = dut->ring_us_i[word] = 0;
    }
    dut->port_state_i = 0xFF;
    dut->ring_log_entries_i = 0x2222'2222;
    dut.reset();
    for (int i = 0; i < 20'000; ++i) clock();  // policers clear themselves
    EXPECT_TRUE(dut->ready_o);
    for (unsigned i = 0; i < 8; ++i) states[i].ring = std::make_unique<Ring>(path, memory, i, 2 + i % 4 * 2, 9216);
  }

  // ---- the stream: the module sees a frame's beats kAhead + 2 cycles before its outcome

  void drive() {
    const auto put = [&](std::span<const std::uint8_t> beat) { putBytes(dut->data_i, beat); };
    if (frame_at == current.size() && cycle >= next_frame && offered < want_frames) begin();
    if (frame_at < current.size()) {
      std::array<std::uint8_t, kBeat> beat{};
      const std::size_t part = std::min<std::size_t>(kBeat, current.size() - frame_at);
      std::copy_n(current.begin() + static_cast<std::ptrdiff_t>(frame_at), part, beat.begin());
      put(beat);
      frame_at += part;
      if (frame_at == current.size()) next_frame = cycle + 1 + (random() % 4 == 0 ? random() % pause : 0);
    }
    dut->valid_i = !outcomes.empty() && outcomes.front().first == cycle;
    if (dut->valid_i) {
      const Offered& one = outcomes.front().second;
      dut->drop_i = 3;
      dut->punt_i = 1;
      dut->host_class_i = static_cast<std::uint8_t>(one.host_class);
      dut->port_i = static_cast<std::uint8_t>(one.port);
      dut->length_i = static_cast<std::uint16_t>(one.bytes);
      dut->hash_i = one.number;
      verdicts.push_back(one);
      outcomes.pop_front();
    }
  }
  Offered anything() {
    Offered one{static_cast<unsigned>(random() % 4), static_cast<unsigned>(random() % kPortCount), 0, 0};
    one.bytes = 60 + (random() % 32 == 0 ? random() % 9157 : random() % 200);
    if (random() % 200 == 0) one.bytes = random() % 2 == 0 ? 9216 : 60;
    return one;
  }
  void begin() {
    Offered one = next_offer();
    one.number = offered++;
    current = slowFrame(one.bytes, one.number);
    frame_at = 0;
    outcomes.push_back({cycle + kAhead + 2, one});
  }

  /// Takes frames of the host as the ingress buffer would, and compares them.
  void consume() {
    dut->inject_take_i = dut->inject_read_i = 0;
    if (inject_left > 0) {
      dut->inject_read_i = 1;
      return;
    }
    if (!dut->inject_valid_o || random() % 4 == 0) return;
    dut->inject_take_i = 1;
    inject_bytes = dut->inject_length_o;
    inject_origin = dut->inject_origin_o;
    inject_port = dut->inject_port_o;
    inject_left = (inject_bytes + kBeat - 1) / kBeat;
    injected.clear();
  }
  void consumed(bool read) {
    if (!read) return;
    const Bytes beat = getBytes(dut->inject_data_o, kBeat);
    injected.insert(injected.end(), beat.begin(), beat.end());
    if (--inject_left != 0) return;
    injected.resize(inject_bytes);
    ASSERT_FALSE(taken.empty());
    ASSERT_EQ(injected, taken.front());
    EXPECT_EQ(inject_origin, 1U + injected[24] % 3);
    EXPECT_EQ(inject_port, injected[25] % 16U);
    taken.pop_front();
    ++frames_taken;
  }

  void clock() {
    drive();
    consume();
    bus.drive(*dut.operator->(), cycle);
    const bool read = dut->inject_read_i;
    // Pulses belong to the cycle that ends now.
    dut.settle();
    if (dut->punted_o) punted();
    if (dut->sent_o || dut->refused_o) sentOrRefused();
    const unsigned ran = dut->ring_running_o;
    dut.clock();
    for (unsigned c = 0; c < 4; ++c) {
      if ((~ran & dut->ring_running_o) >> c & 1U) lost_since[c] = 0;
    }
    ++cycle;
    dut->ring_arm_i = 0;
    if (cycle % 250 == 0) dut->now_us = dut->now_us + 1;
    consumed(read);
  }
  void punted() {
    ASSERT_FALSE(verdicts.empty());
    Offered one = verdicts.front();
    verdicts.pop_front();
    ASSERT_EQ(dut->punted_class_o, one.host_class);
    ASSERT_EQ(dut->punted_port_o, one.port);
    ASSERT_EQ(dut->punted_bytes_o, one.bytes);
    ++fates[one.host_class][dut->punted_fate_o];
    std::uint32_t& lost = lost_since[one.host_class];
    if (dut->punted_fate_o != 0) {
      ++lost;
      return;
    }
    one.lost = std::exchange(lost, 0);
    queued[one.host_class].push_back(one);
  }
  void sentOrRefused() {
    State& state = states[4 + dut->sent_class_o];
    ASSERT_FALSE(state.posted.empty());
    if (dut->sent_o) {
      ASSERT_EQ(dut->sent_bytes_o, state.posted.front().size());
      taken.push_back(std::move(state.posted.front()));
    }
    state.posted.pop_front();
    state.outcomes.push_back(dut->sent_o);
  }

  // ---- the host

  void host(unsigned number) {
    State& state = states[number];
    Ring& ring = *state.ring;
    while (const auto one = ring.poll()) completed(number, *one);
    if (state.stopping) {
      if (!ring.atRest()) return;
      EXPECT_FALSE(ring.poll());
      state.posted.clear();
      state.outcomes.clear();
      state.stopping = false;
      ring.start();
      return;
    }
    if (ring.error() != 0 || (faults && random() % 500 == 0)) {
      if (ring.error() != 0) ++stops;
      ring.stop();
      state.stopping = true;
      return;
    }
    if (hanging(number)) return;
    unsigned count = static_cast<unsigned>(random() % (ring.free() + 1));
    for (; count > 0; --count) {
      if (number < 4) {
        ring.post();
      } else if (frames_posted < want_frames) {
        Frame frame = randomBytes(random, 60 + (random() % 32 == 0 ? random() % 9157 : random() % 200));
        ring.post(frame, 1U + frame[24] % 3, frame[25] % 16U);
        state.posted.push_back(std::move(frame));
        ++frames_posted;
      }
    }
    ring.ring();
    if (random() % 4 == 0) ring.arm();
  }
  /// A host that does nothing about a ring for a long while.
  bool hanging(unsigned number) const { return faults && (cycle >> 14) % 16 == number; }

  void completed(unsigned number, const Completion& one) {
    State& state = states[number];
    if (number >= 4) {
      ASSERT_FALSE(state.outcomes.empty());
      EXPECT_EQ((one.status & kBusError) == 0, state.outcomes.front());
      state.outcomes.pop_front();
      ++(one.status & kBusError ? state.refused : state.good);
      return;
    }
    state.said_lost += one.lost;
    // Those before it are lost with the ring that they were for, and counted; never is one early, twice, or changed.
    auto& expected = queued[number];
    while (!expected.empty() && expected.front().number != one.hash) expected.pop_front();
    ASSERT_FALSE(expected.empty()) << "frame " << one.hash << " comes again or out of order";
    const Offered was = expected.front();
    expected.pop_front();
    ASSERT_EQ(one.port, was.port);
    ASSERT_EQ(one.frame_bytes, was.bytes);
    ASSERT_EQ(one.lost, was.lost);
    if (one.status & kBusError) {
      ++state.refused;
      return;
    }
    ++state.good;
    ASSERT_EQ(one.frame, slowFrame(was.bytes, was.number));
  }

  void runUntil(const std::function<bool()>& done, std::uint64_t limit) {
    for (const std::uint64_t end = cycle + limit; cycle < end && !done() && !HasFatalFailure();) {
      for (unsigned i = 0; i < 64; ++i) clock();
      host(static_cast<unsigned>(random() % 8));
    }
    ASSERT_TRUE(done()) << "no end after " << limit << " cycles";
  }

  std::function<Offered()> next_offer = [this] { return anything(); };
  std::mt19937_64 random{2026};
  TestMemory memory{64U << 20};
  RtlModule<Vhost_path> dut;
  Path path{PathCard{dut}};
  sim::HostBusModel<Vhost_path, kBeat> bus;
  std::array<State, 8> states;
  std::uint64_t cycle = 0, next_frame = 0, pause = 300;
  std::uint32_t offered = 0, want_frames = 0;
  Frame current;
  std::size_t frame_at = 0;
  std::deque<std::pair<std::uint64_t, Offered>> outcomes;
  std::deque<Offered> verdicts;
  std::array<std::deque<Offered>, 4> queued;
  std::array<std::uint32_t, 4> lost_since{};  ///< by class, as Offered::lost
  std::array<std::array<std::uint64_t, 4>, 4> fates{};
  std::map<unsigned, std::uint64_t> interrupts;
  std::deque<Frame> taken;
  Frame injected;
  unsigned inject_left = 0, inject_bytes = 0, inject_origin = 0, inject_port = 0;
  std::uint64_t frames_posted = 0, frames_taken = 0, stops = 0;
  bool faults = false;
};

TEST_F(HostFaults, every_frame_arrives_whole_and_in_order_or_is_counted) {
  dut->port_interval_i[2] = 20 << 8;  // class 2 is policed: 50 000 a second and port
  dut->port_tolerance_i[2] = 200;
  faults = true;
  want_frames = POPLINK_HOST_FRAMES;
  runUntil([&] { return offered == want_frames && frames_posted >= want_frames; }, 1000ULL * want_frames);
  // The host comes to its senses.
  faults = false;
  want_frames += 64;
  pause = 40'000;
  runUntil([&] { return offered == want_frames && frame_at == current.size(); }, 20'000'000);
  runUntil(
      [&] {
        bool idle = outcomes.empty() && verdicts.empty() && taken.empty() && inject_left == 0;
        for (unsigned i = 0; i < 8; ++i) idle = idle && !states[i].stopping && states[i].posted.empty();
        for (const auto& one : queued) idle = idle && one.empty();
        return idle;
      },
      10'000'000);

  std::uint64_t good = 0, bad = 0;
  for (unsigned c = 0; c < 4; ++c) {
    State& state = states[c];
    const auto& fate = fates[c];
    const std::uint64_t discarded = state.ring->lost();
    EXPECT_EQ(fate[0], state.good + discarded) << "class " << c;
    EXPECT_LE(state.said_lost, fate[1] + fate[2] + fate[3]) << "class " << c;
    EXPECT_GT(state.said_lost, 0U);
    EXPECT_GT(state.good, 0U);
    EXPECT_GT(discarded, 0U);
    EXPECT_GT(fate[3], 0U);
    EXPECT_EQ(fate[2] > 0, c == 2);
    good += state.good;
    bad += state.refused;
  }
  EXPECT_GT(bad, 0U);
  EXPECT_GT(stops, 10U);
  EXPECT_EQ(memory.violations, 0U);
  for (unsigned vector = 0; vector < 8; ++vector) EXPECT_GT(interrupts[vector], 0U);
  RecordProperty("frames_in", std::to_string(offered));
  RecordProperty("frames_to_host", std::to_string(good));
  RecordProperty("frames_from_host", std::to_string(frames_taken));
  RecordProperty("ring_errors", std::to_string(stops));
  std::printf("%u frames offered, %llu in host memory, %llu from the host, %llu stopped rings, %llu cycles\n", offered,
              static_cast<unsigned long long>(good), static_cast<unsigned long long>(frames_taken),
              static_cast<unsigned long long>(stops), static_cast<unsigned long long>(cycle));
}

TEST_F(HostFaults, frame_that_is_half_in_is_not_for_the_ring_that_starts_meanwhile) {
  Ring& ring = *states[0].ring;
  const auto offer = [&](std::size_t bytes) {
    next_offer = [bytes] { return Offered{.host_class = 0, .port = 1, .number = 0, .bytes = bytes}; };
    const std::size_t before = queued[0].size();
    ++want_frames;
    while (queued[0].size() == before && !HasFatalFailure()) clock();
  };
  offer(9216);
  ring.stop();
  while (!ring.atRest()) clock();
  ring.start();
  for (int i = 0; i < 32; ++i) clock();
  EXPECT_FALSE(ring.running());
  for (unsigned i = 0; i < 9216 / kBeat + 32; ++i) clock();
  EXPECT_TRUE(ring.running());
  EXPECT_EQ(ring.lost(), 1U);
  ring.post();
  ring.ring();
  offer(60);
  runUntil([&] { return states[0].good == 1; }, 1000);
  EXPECT_EQ(states[0].said_lost, 0U);
  EXPECT_TRUE(queued[0].empty());
}

TEST_F(HostFaults, largest_rings_wrap) {
  bus.timing = {};
  bus.timing.write_cycles = [] { return 1U; };
  for (unsigned log = 11; log <= 15; ++log) {
    State& state = states[0];
    state.ring->stop();
    runUntil([&] { return state.ring->atRest(); }, 100'000);
    state.stopping = false;
    state.ring = std::make_unique<Ring>(path, memory, 0, log, 64);
    pause = 1;
    next_offer = [] { return Offered{.host_class = 0, .port = 1, .number = 0, .bytes = 60}; };
    const std::uint64_t before = state.good, wanted = (2ULL << log) + 100;
    while (state.good < before + wanted && !HasFatalFailure()) {
      want_frames = offered + 100;  // never more than the queue holds
      runUntil([&] { return offered == want_frames && queued[0].empty() && verdicts.empty() && outcomes.empty(); },
               1'000'000);
    }
    EXPECT_EQ(state.said_lost, 0U) << "entries " << (1U << log);
    EXPECT_EQ(state.ring->error(), 0U);
  }
  EXPECT_EQ(memory.violations, 0U);
}

/// Every cycle brings a frame of one class on one port, but for those of the others that are due: each (port, class)
/// one in 50 us, which is what its policer allows.
class HostFaultsFlood : public HostFaults, public ::testing::WithParamInterface<unsigned> {};

TEST_P(HostFaultsFlood, costs_no_other_port_or_class_a_frame) {
  constexpr unsigned kFloodPort = 3;
  constexpr std::uint64_t kFrameCycles = 50 * 250;
  bus.timing = {};
  for (unsigned c = 0; c < 4; ++c) {
    dut->port_interval_i[c] = 50 << 8;
    dut->port_tolerance_i[c] = 31 * 50;
  }
  std::map<std::pair<unsigned, unsigned>, std::uint64_t> due;
  for (unsigned c = 0; c < 4; ++c) {
    for (unsigned port = 0; port < kPortCount; ++port) {
      if (c != GetParam() || port != kFloodPort) due[{c, port}] = cycle + random() % kFrameCycles;
    }
  }
  std::uint64_t others = 0;
  pause = 1;
  next_offer = [&] {
    for (auto& [who, when] : due) {
      if (cycle < when) continue;
      when += kFrameCycles;
      ++others;
      return Offered{who.first, who.second, 0, 60 + random() % 200};
    }
    return Offered{GetParam(), kFloodPort, 0, 60};
  };
  want_frames = POPLINK_HOST_FRAMES;
  runUntil([&] { return offered == want_frames; }, 20'000'000);
  runUntil([&] { return queued[0].empty() && queued[1].empty() && queued[2].empty() && queued[3].empty(); }, 1'000'000);
  std::uint64_t good = 0, refused = 0;
  for (unsigned c = 0; c < 4; ++c) {
    good += states[c].good;
    EXPECT_EQ(fates[c][3], 0U) << "no room in class " << c;
    if (c != GetParam()) EXPECT_EQ(fates[c][2], 0U);
    refused += fates[c][2];
  }
  const std::uint64_t of_flood = want_frames - others;
  EXPECT_EQ(good + refused, want_frames);
  EXPECT_EQ(good - others, of_flood - refused) << "all others came";
  EXPECT_GT(of_flood, want_frames * 9ULL / 10);
  EXPECT_LT(good - others, cycle / kFrameCycles + 40);
}

INSTANTIATE_TEST_SUITE_P(of_class, HostFaultsFlood, ::testing::Values(0U, 1U, 2U, 3U),
                         ::testing::PrintToStringParamName());

}  // namespace
}  // namespace poplink::tests
