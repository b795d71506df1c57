// SPDX-License-Identifier: Apache-2.0
// bgp-bench-peer: senders and receivers around a BGP speaker that is measured. Everything that can be is made before it
// says who its peers are. Then, for each line on standard input, it does the next phase, the first of which are the
// sessions, and says how it went. JSON, a line each. script/bench runs it.
#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "peer_run.h"

namespace {

using namespace poplink::bench;
using Json = nlohmann::ordered_json;

Json json(const Identity& one) {
  return {{"address", poplink::host::bgp::toString(one.address)}, {"asn", one.asn}};
}

Json json(const std::vector<Identity>& all) {
  Json list = Json::array();
  for (const Identity& one : all) list.push_back(json(one));
  return list;
}

void say(const Json& line) {
  std::cout << line.dump() << "\n" << std::flush;
}

void say(const std::string& phase, const Outcome& outcome) {
  say({{"phase", phase},
       {"seconds", outcome.seconds},
       {"updates", outcome.updates},
       {"octets", outcome.octets},
       {"refused", outcome.refused},
       {"wrong", outcome.wrong}});
}

void run(const Scenario& scenario, std::uint16_t port, double quiet) {
  Json phases = {"connect"};
  for (const Phase& phase : scenario.phases) phases.push_back(phase.name);
  PeerRun run(scenario, port, std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(quiet)));
  say({{"speaker", json(scenario.speaker)},
       {"senders", json(scenario.senders)},
       {"receivers", json(scenario.receivers)},
       {"phases", phases}});
  std::string line;
  if (!std::getline(std::cin, line)) return;
  say("connect", run.connect());
  for (const Phase& phase : scenario.phases) {
    if (!std::getline(std::cin, line)) return;
    say(phase.name, run.run(phase));
  }
  std::getline(std::cin, line);  // the sessions stay until the last figures are read
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"bgp-bench-peer: senders and receivers around a BGP speaker that is measured"};
  std::string name;
  std::size_t size = 1000;
  std::uint64_t seed = 1;
  std::uint16_t port = 1790;
  double quiet = 60;
  app.add_option("scenario", name, "What is measured")->required()->check(CLI::IsMember(scenarioNames()));
  app.add_option("--size", size, "Routes; peers with connect")->check(CLI::Range(1, 2'000'000))->capture_default_str();
  app.add_option("--seed", seed, "Of the routes")->capture_default_str();
  app.add_option("--port", port, "Of the speaker")->capture_default_str();
  app.add_option("--quiet", quiet, "Seconds without news after which a phase has failed")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    run(makeScenario(name, size, seed), port, quiet);
  } catch (const std::exception& error) {
    std::cerr << "bgp-bench-peer: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
