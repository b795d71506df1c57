// SPDX-License-Identifier: Apache-2.0
#include <deque>

#include "measure.h"

namespace poplink::bench {

namespace {

constexpr std::uint64_t kDrainCycles = 200'000;
constexpr unsigned kIdleFrames = 16;

/// Pairs the frames that enter a port with those that leave the port's pair: nothing is lost and order holds.
class Stopwatch {
 public:
  explicit Stopwatch(sim::CardModel& card) {
    card.on_received = [this](unsigned port, std::uint64_t cycle) { inside_[tests::pairOf(port)].push_back(cycle); };
    card.on_sent = [this](sim::SentFrame&& frame) {
      auto& inside = inside_[frame.port];
      taken[tests::isBackbone(frame.port)].push_back(frame.first_cycle - inside.front());
      inside.pop_front();
    };
  }
  /// Cycles inside the card: of frames popped on their way to a customer, and pushed on their way to the backbone.
  std::array<std::vector<std::uint64_t>, 2> taken;

 private:
  std::array<std::deque<std::uint64_t>, tests::kPorts> inside_;
};

constexpr const char* kDirections[] = {"pop", "push"};

std::uint64_t quantile(const std::vector<std::uint64_t>& sorted, double part) {
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

Json measureIdleLatency() {
  Json rows = Json::array();
  const tests::Tables tables = tests::pairedTables();
  Card bench(sim::PortSpeed::ten_gigabit);
  bench.program(tables);
  for (const tests::Mix& mix : tests::standardMixes()) {
    if (mix.sizes.size() > 1) continue;
    Stopwatch watch(bench.card);
    for (unsigned i = 0; i < kIdleFrames; ++i) {
      const unsigned port = i % tests::kPorts;
      bench.card.receive(port, tests::framesInto(port, tables, mix).front());
      if (!bench.card.drain(kDrainCycles)) throw std::runtime_error("the card did not come to rest");
      bench.card.run(i);  // idle in every phase of whatever turns inside
    }
    for (unsigned direction : {1U, 0U}) {
      const auto [least, most] = std::minmax_element(watch.taken[direction].begin(), watch.taken[direction].end());
      rows.push_back({{"size", mix.name}, {"direction", kDirections[direction]}, {"min", *least}, {"max", *most}});
    }
    bench.card.on_sent = nullptr;
    bench.card.on_received = nullptr;
  }
  return rows;
}

Json measureLoadedLatency(std::uint64_t cycles, double load) {
  Json rows = Json::array();
  const tests::Tables tables = tests::pairedTables();
  for (const tests::Mix& mix : tests::standardMixes()) {
    Card bench(sim::PortSpeed::ten_gigabit);
    bench.program(tables);
    Stopwatch watch(bench.card);
    tests::LineRateSource source(bench.card, tables, mix, load);
    for (std::uint64_t i = 0; i < cycles; ++i) {
      source.feed();
      bench.card.step();
    }
    if (!bench.card.drain(kDrainCycles)) throw std::runtime_error("the card did not come to rest");
    for (unsigned direction : {1U, 0U}) {
      auto& taken = watch.taken[direction];
      std::sort(taken.begin(), taken.end());
      rows.push_back({{"size", mix.name},
                      {"direction", kDirections[direction]},
                      {"frames", taken.size()},
                      {"p50", quantile(taken, 0.5)},
                      {"p99", quantile(taken, 0.99)},
                      {"max", taken.back()}});
    }
  }
  return rows;
}

}  // namespace poplink::bench
