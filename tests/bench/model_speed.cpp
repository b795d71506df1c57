// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include "measure.h"
#include "model_face.h"
#include "model_transport.h"
#include "poplink/driver/rings.h"

namespace poplink::bench {

namespace {

using Model = tests::CardAccess<tests::ModelFace>;

double userSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec) * 1e-6;
}

Json sample(const std::string& load, std::uint64_t frames, std::uint64_t arrived, double seconds) {
  return {{"load", load}, {"frames", frames}, {"lost", frames - arrived}, {"user_seconds", seconds}};
}

/// Both directions of all ports, a frame each in turn, as the line rate's loads.
Json forwarded(const tests::Mix& mix, std::uint64_t frames) {
  Model bench;
  const tests::Tables tables = tests::pairedTables();
  bench.program(tables);
  std::array<std::vector<tests::Frame>, tests::kPorts> into;
  for (unsigned port = 0; port < tests::kPorts; ++port) into[port] = tests::framesInto(port, tables, mix);
  std::uint64_t sent = 0;
  bench.card.model.on_sent = [&sent](unsigned, std::span<const std::uint8_t>) { ++sent; };
  const double start = userSeconds();
  for (std::uint64_t i = 0; i < frames; ++i) {
    const auto port = static_cast<unsigned>(i % tests::kPorts);
    bench.card.model.receive(port, into[port][i / tests::kPorts % mix.sizes.size()]);
  }
  return sample(mix.name, frames, sent, userSeconds() - start);
}

/// LACP's through a ring, each answered by a frame of the host.
Json toHost(std::uint64_t frames) {
  tests::Frame frame = tests::customerFrame(128);
  constexpr std::uint8_t kSlow[] = {0x01, 0x80, 0xC2, 0x00, 0x00, 0x02, 2, 0, 0, 0, 0, 1, 0x88, 0x09};
  std::copy(std::begin(kSlow), std::end(kSlow), frame.begin());
  std::uint64_t now_us = 0, taken = 0, answered = 0;
  sim::ModelCard card([&now_us] { return now_us; });
  card.on_sent = [&answered](unsigned, std::span<const std::uint8_t>) { ++answered; };
  const auto transport = sim::openModelCard(card, "model", "poplink-bench");
  driver::RxRing rx(*transport, driver::HostClass::slow_protocols);
  driver::TxRing tx(*transport, driver::HostClass::slow_protocols);
  const double start = userSeconds();
  for (std::uint64_t i = 0; i < frames; ++i) {
    now_us += 10'000;
    card.receive(static_cast<unsigned>(i % tests::kPorts), frame);
    rx.poll([&](const driver::HostFrame& one) {
      ++taken;
      tx.toPort(one.port, one.bytes);
    });
    tx.flush();
    tx.reap();
  }
  return sample("host and back", frames, std::min(taken, answered), userSeconds() - start);
}

}  // namespace

Json measureModelSpeed(std::uint64_t frames, unsigned repetitions) {
  Json samples = Json::array();
  for (unsigned repetition = 0; repetition < repetitions; ++repetition) {
    for (const tests::Mix& mix : tests::standardMixes()) samples.push_back(forwarded(mix, frames));
    samples.push_back(toHost(frames));
  }
  return samples;
}

}  // namespace poplink::bench
