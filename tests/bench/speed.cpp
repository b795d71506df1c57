// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <chrono>

#include "measure.h"

namespace poplink::bench {

namespace {

constexpr std::uint64_t kDrainCycles = 200'000;

struct Load {
  std::string name;
  tests::Mix mix;
  sim::PortSpeed speed;
};

std::vector<Load> loads() {
  std::vector<Load> all;
  for (const tests::Mix& mix : tests::standardMixes()) all.push_back({mix.name, mix, sim::PortSpeed::ten_gigabit});
  // Minimum frames are more than the card takes at this speed: a tagged one fills its beat, and behind it the ingress
  // buffer leaves a cycle for growth. The rest is dropped, under its reason.
  for (const std::size_t size : {64U, 1518U})
    all.push_back({"bus " + std::to_string(size), {"", {size}}, sim::PortSpeed::bus});
  return all;
}

/// The process's, because the machine may do other things too.
double userSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec) * 1e-6;
}

struct Fate {
  std::uint64_t delivered = 0;
  std::uint64_t dropped = 0;  ///< under a named reason
};

Fate fateOfAll(Card& bench) {
  Fate fate;
  for (unsigned port = 0; port < tests::kPorts; ++port) {
    fate.delivered += bench.sentCount(port).frames;
    fate.dropped += bench.allDropped(port).frames;
  }
  return fate;
}

Json sample(const Load& load, std::uint64_t cycles) {
  Card bench(load.speed);
  const tests::Tables tables = tests::pairedTables();
  bench.program(tables);
  tests::LineRateSource source(bench.card, tables, load.mix);
  std::uint64_t frames = 0;
  bench.card.on_sent = [&frames](sim::SentFrame&&) { ++frames; };
  const double user = userSeconds();
  const auto wall = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < cycles; ++i) {
    source.feed();
    bench.card.step();
  }
  const double user_taken = userSeconds() - user;
  const double wall_taken = std::chrono::duration<double>(std::chrono::steady_clock::now() - wall).count();
  const std::uint64_t under_load = frames;
  if (!bench.card.drain(kDrainCycles))
    throw std::runtime_error("load " + load.name + ": the card did not come to rest");
  const Fate fate = fateOfAll(bench);
  return {{"load", load.name},
          {"cycles", cycles},
          {"user_seconds", user_taken},
          {"wall_seconds", wall_taken},
          {"frames", under_load},
          {"dropped", fate.dropped},
          {"lost", source.sent() - fate.delivered - fate.dropped}};
}

}  // namespace

Json measureSpeed(std::uint64_t cycles, unsigned repetitions) {
  Json samples = Json::array();
  for (unsigned repetition = 0; repetition < repetitions; ++repetition) {
    for (const Load& load : loads()) samples.push_back(sample(load, cycles));
  }
  return samples;
}

}  // namespace poplink::bench
