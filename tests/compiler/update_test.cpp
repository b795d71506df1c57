// SPDX-License-Identifier: Apache-2.0
// Kernel police() with its two tables of state: the RTL against the source, packet by packet, at every distance between
// two packets of a flow; the host reading and clearing counters under load; and the meter's body against a bucket of
// tokens.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>

#include "../card/rtl_module.h"
#include "Vpolice_tables.h"
#include "hls_table.h"
#include "kernels/police.h"
#include "police_rtl.h"

namespace police {

namespace {

hls::UpdateTable<CountEntry, 10> counts;
hls::UpdateTable<MeterEntry, 10> meters;

}  // namespace

void update_count(bits<10> flow, const CountArgs& args) {
  counts.update(flow, args, count_update);
}
Colour update_meter(bits<10> flow, const MeterArgs& args) {
  return meters.update(flow, args, meter_update);
}

namespace {

using police_rtl::CountPort;
using police_rtl::MeterPort;

constexpr unsigned kRamLatency = 2;  // L: every distance from 1 to L + 2 is tried

std::uint64_t value(std::uint64_t low, std::uint64_t middle, std::uint64_t high, bool carry, bool carry_high) {
  return low + ((middle + (carry ? 1 : 0)) << 24) + ((high + (carry_high ? 1 : 0)) << 48);
}
std::uint64_t packets(const CountEntry& e) {
  return value(static_cast<std::uint64_t>(e.packets_low), static_cast<std::uint64_t>(e.packets_middle),
               static_cast<std::uint64_t>(e.packets_high), e.packets_carry, e.packets_carry_high);
}
std::uint64_t bytes(const CountEntry& e) {
  return value(static_cast<std::uint64_t>(e.bytes_low), static_cast<std::uint64_t>(e.bytes_middle),
               static_cast<std::uint64_t>(e.bytes_high), e.bytes_carry, e.bytes_carry_high);
}

/// A bucket that refills by one for each tick, as RFC 2698 tells it.
struct Bucket {
  std::int64_t burst, tokens = burst, at = 0;
  void refill(std::int64_t now) {
    tokens = std::min(burst, tokens + (now - at));
    at = now;
  }
};

TEST(Police, meter_is_two_token_buckets) {
  std::mt19937_64 random(5);
  for (int flow = 0; flow < 50; ++flow) {
    meters[0] = {};
    Bucket committed{static_cast<std::int64_t>(random() % 5000)}, peak{static_cast<std::int64_t>(random() % 8000)};
    std::uint64_t now = 0, colours[3] = {0, 0, 0};
    for (int i = 0; i < 4000; ++i) {
      now += random() % 4 == 0 ? random() % 2000 : random() % 100;
      In in{};
      in.metered = true;
      in.now = static_cast<bits<32>>(now);
      in.committed = static_cast<bits<24>>(random() % 900);
      in.peak = static_cast<bits<24>>(random() % 700);
      in.committed_burst = static_cast<bits<30>>(committed.burst);
      in.peak_burst = static_cast<bits<30>>(peak.burst);
      committed.refill(static_cast<std::int64_t>(now));
      peak.refill(static_cast<std::int64_t>(now));
      const auto c = static_cast<std::int64_t>(in.committed), p = static_cast<std::int64_t>(in.peak);
      const unsigned want = peak.tokens < p ? 2 : committed.tokens < c ? 1 : 0;
      if (want < 2) peak.tokens -= p;
      if (want == 0) committed.tokens -= c;
      Out out{};
      police(in, out);
      ASSERT_EQ(static_cast<unsigned>(out.colour), want) << "flow " << flow << ", packet " << i;
      ++colours[want];
    }
    EXPECT_GT(colours[0] + colours[1], 0U);
    EXPECT_GT(colours[2], 0U);
  }
}

TEST(Police, meter_works_across_the_end_of_time) {
  meters[0] = {};
  In in{};
  in.metered = true;
  in.committed = in.peak = 60;
  in.committed_burst = in.peak_burst = 100;
  unsigned green = 0;
  for (int i = 0; i < 100; ++i) {
    in.now = static_cast<bits<32>>(0xFFFF'FE00U + static_cast<unsigned>(i) * 10U);
    if (i == 0) meters[0] = {in.now, in.now};
    Out out{};
    police(in, out);
    green += out.colour == 0;
  }
  EXPECT_EQ(green, (100U + 990U) / 60U);  // of the burst and of the time
}

TEST(Police, counters_carry_through_all_of_their_parts) {
  counts[7] = {};
  counts[7].packets_low = counts[7].bytes_low = 0xFF'FFFE;
  counts[7].packets_middle = counts[7].bytes_middle = 0xFF'FFFF;
  std::uint64_t want_packets = packets(counts[7]), want_bytes = bytes(counts[7]);
  for (unsigned i = 0; i < 5000; ++i) {
    update_count(7, {static_cast<bits<14>>(i * 3)});
    want_packets += 1;
    want_bytes += i * 3;
    ASSERT_EQ(packets(counts[7]), want_packets);
    ASSERT_EQ(bytes(counts[7]), want_bytes);
  }
  EXPECT_EQ(counts[7].packets_high, 1);
}

enum class Pattern { one_flow, distance, random_few, random_all };

struct Traffic {
  Pattern pattern;
  unsigned distance;  ///< of Pattern::distance: packets until the same flow again
  bool gaps;
};

class Bench {
 public:
  explicit Bench(std::uint64_t seed) : random_(seed) {
    dut_->in_valid = 0;
    dut_->host_start_i = 0;
    dut_.reset();
    for (std::size_t i = 0; i < counts.size(); ++i) {
      counts[i] = {};
      meters[i] = {};
    }
    while (dut_->ready_o == 0) dut_.clock();
  }

  /// Packets of this traffic, each compared with the source. False at the first difference.
  bool run(const Traffic& traffic, std::uint64_t packets) {
    for (std::uint64_t sent = 0; sent < packets;) {
      const bool send = !traffic.gaps || random_() % 3 != 0;
      if (!step(send ? std::optional(nextPacket(traffic, sent)) : std::nullopt)) return false;
      sent += send;
    }
    return drain();
  }
  bool drain() {
    while (!expected_.empty()) {
      if (!step(std::nullopt)) return false;
    }
    return true;
  }
  /// A packet or a gap.
  bool step(const std::optional<In>& in) {
    dut_->in_valid = in.has_value();
    police_rtl::drive(*dut_.operator->(), in.value_or(noise()));
    if (in) {
      Out out{};
      police(*in, out);
      expected_.push_back({cycle_ + police_rtl::kLatency, out});
    }
    dut_.clock();
    ++cycle_;
    const bool due = !expected_.empty() && expected_.front().due == cycle_;
    if ((dut_->out_valid != 0) != due) return false;
    if (!due) return true;
    Out got{};
    police_rtl::sample(*dut_.operator->(), got);
    const bool same = got.colour == expected_.front().out.colour;
    ++colours_[static_cast<unsigned>(expected_.front().out.colour)];
    expected_.pop_front();
    return same;
  }

  void startHost(unsigned table, bool write, unsigned index, CountPort::Packed data) {
    dut_->host_start_i = static_cast<std::uint8_t>(1U << table);
    dut_->host_write_i = write;
    dut_->host_index_i = static_cast<std::uint16_t>(index);
    hls::rtl::write<CountPort::kEntryWidth>(dut_->host_data_i, data);
  }
  void endHostStart() { dut_->host_start_i = 0; }
  bool hostBusy(unsigned table) { return (dut_->host_busy_o >> table & 1) != 0; }
  CountEntry hostCount() {
    CountEntry entry{};
    CountPort::unpack(hls::rtl::read<CountPort::kEntryWidth>(dut_->host_count_o), entry);
    return entry;
  }
  MeterEntry hostMeter() {
    MeterEntry entry{};
    MeterPort::unpack(hls::rtl::read<MeterPort::kEntryWidth>(dut_->host_meter_o), entry);
    return entry;
  }
  /// A whole access without traffic.
  void host(unsigned table, bool write, unsigned index, CountPort::Packed data = 0) {
    startHost(table, write, index, data);
    step(std::nullopt);
    endHostStart();
    while (hostBusy(table)) step(std::nullopt);
  }
  void expectEntriesEqual() {
    for (unsigned i = 0; i < counts.size(); ++i) {
      host(0, false, i);
      ASSERT_EQ(CountPort::pack(hostCount()), CountPort::pack(counts[i])) << "counter " << i;
      host(1, false, i);
      ASSERT_EQ(MeterPort::pack(hostMeter()), MeterPort::pack(meters[i])) << "meter " << i;
    }
  }
  In nextPacket(const Traffic& traffic, std::uint64_t number) {
    In in{};
    switch (traffic.pattern) {
      case Pattern::one_flow:
        in.flow = 513;
        break;
      case Pattern::distance:
        in.flow = static_cast<bits<10>>(100 + number % traffic.distance);
        break;
      case Pattern::random_few:
        in.flow = static_cast<bits<10>>(random_() % 4);
        break;
      case Pattern::random_all:
        in.flow = static_cast<bits<10>>(random_());
        break;
    }
    in.length = static_cast<bits<14>>(60 + random_() % 9157);
    now_ += random_() % 64 == 0 ? random_() % 4000 : random_() % 30;
    in.now = static_cast<bits<32>>(now_);
    in.committed = static_cast<bits<24>>(random_() % 60);
    in.peak = static_cast<bits<24>>(random_() % 40);
    in.committed_burst = 400;
    in.peak_burst = 300;
    in.metered = random_() % 8 != 0;
    return in;
  }
  std::uint64_t colours(unsigned colour) const { return colours_[colour]; }
  std::mt19937_64& random() { return random_; }

 private:
  In noise() {
    In in{};
    police_rtl::forEachInput(in, [&](const char*, auto& member) {
      member = static_cast<std::remove_reference_t<decltype(member)>>(random_());
    });
    return in;
  }

  struct Expected {
    std::uint64_t due;
    Out out;
  };
  poplink::tests::RtlModule<Vpolice_tables> dut_;
  std::mt19937_64 random_;
  std::deque<Expected> expected_;
  std::uint64_t cycle_ = 0, now_ = 1000, colours_[4] = {};
};

TEST(Update, rtl_equals_source_at_every_distance) {
  Bench bench(1);
  // Carries between the counters' parts happen early.
  CountEntry nearly{};
  nearly.packets_low = nearly.bytes_low = 0xFF'FFF0;
  nearly.packets_middle = nearly.bytes_middle = 0xFF'FFFF;
  for (unsigned flow : {100U, 513U, 2U}) {
    bench.host(0, true, flow, CountPort::pack(nearly));
    counts[flow] = nearly;
  }
  std::vector<Traffic> all = {{Pattern::one_flow, 0, false},
                              {Pattern::one_flow, 0, true},
                              {Pattern::random_few, 0, false},
                              {Pattern::random_few, 0, true},
                              {Pattern::random_all, 0, true}};
  for (unsigned distance = 1; distance <= kRamLatency + 3; ++distance) {
    all.push_back({Pattern::distance, distance, false});
    all.push_back({Pattern::distance, distance, true});
  }
  constexpr std::uint64_t kPacketsEach = 80'000;
  for (const Traffic& traffic : all)
    ASSERT_TRUE(bench.run(traffic, kPacketsEach)) << "distance " << traffic.distance << ", gaps " << traffic.gaps;
  EXPECT_GE(all.size() * kPacketsEach, 1'000'000U);
  for (unsigned colour = 0; colour < 3; ++colour) EXPECT_GT(bench.colours(colour), 1000U);
  bench.expectEntriesEqual();
}

TEST(Update, host_clears_counters_under_load_and_loses_nothing) {
  Bench bench(2);
  std::map<unsigned, std::uint64_t> sent, collected_packets, sent_bytes, collected_bytes;
  unsigned reading = 0;
  bool open = false;
  const auto collect = [&] {
    collected_packets[reading] += packets(bench.hostCount());
    collected_bytes[reading] += bytes(bench.hostCount());
  };
  unsigned clears = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::optional<In> in;
    if (bench.random()() % 8 != 0) {
      in = bench.nextPacket({Pattern::random_few, 0, true}, 0);
      ++sent[static_cast<unsigned>(in->flow)];
      sent_bytes[static_cast<unsigned>(in->flow)] += static_cast<std::uint64_t>(in->length);
    }
    if (open && !bench.hostBusy(0)) {
      collect();
      open = false;
      ++clears;
    }
    if (!open) {
      reading = static_cast<unsigned>(bench.random()() % 4);
      bench.startHost(0, true, reading, 0);  // writing zeros answers what stood there
      open = true;
    } else {
      bench.endHostStart();
    }
    ASSERT_TRUE(bench.step(in));
  }
  bench.endHostStart();
  while (bench.hostBusy(0)) ASSERT_TRUE(bench.step(std::nullopt));
  collect();
  ASSERT_TRUE(bench.drain());
  for (reading = 0; reading < 4; ++reading) {
    bench.host(0, false, reading);
    collect();
  }
  EXPECT_GT(clears, 5000U);
  EXPECT_EQ(collected_packets, sent);
  EXPECT_EQ(collected_bytes, sent_bytes);
}

}  // namespace
}  // namespace police
