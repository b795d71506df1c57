// SPDX-License-Identifier: Apache-2.0
// poplink-bench: measurements of the simulated card, as JSON on standard output. script/bench runs it.
#include <CLI/CLI.hpp>
#include <iostream>

#include "measure.h"

int main(int argc, char** argv) {
  using namespace poplink::bench;
  CLI::App app{"poplink-bench: speed and latency of the simulated card"};
  app.require_subcommand(1);
  std::uint64_t cycles = 1'000'000;
  unsigned repetitions = 5;
  double load = 0.9;
  CLI::App* speed = app.add_subcommand("speed", "Cycles per second under load");
  speed->add_option("--repetitions", repetitions, "Of every load")->check(CLI::Range(1, 1000))->capture_default_str();
  CLI::App* latency = app.add_subcommand("latency", "Cycles through the card, idle and under load");
  latency->add_option("--load", load, "Part of the wires' time in use")
      ->check(CLI::Range(0.01, 0.99))
      ->capture_default_str();
  for (CLI::App* command : {speed, latency}) {
    command->add_option("--cycles", cycles, "Length of every run")
        ->check(CLI::Range(10'000, 1'000'000'000))
        ->capture_default_str();
  }
  std::uint64_t frames = 1'000'000;
  CLI::App* model = app.add_subcommand("model", "Frames per second through the model of a card");
  model->add_option("--frames", frames, "Of every load")->check(CLI::Range(1, 1'000'000'000))->capture_default_str();
  model->add_option("--repetitions", repetitions, "Of every load")->check(CLI::Range(1, 1000))->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    Json result;
    if (app.got_subcommand(speed)) {
      result = {{"samples", measureSpeed(cycles, repetitions)}};
    } else if (app.got_subcommand(model)) {
      result = {{"samples", measureModelSpeed(frames, repetitions)}};
    } else {
      result = {{"idle", measureIdleLatency()},
                {"loaded", {{"load", load}, {"rows", measureLoadedLatency(cycles, load)}}}};
    }
    std::cout << result.dump(2) << "\n";
  } catch (const std::exception& error) {
    std::cerr << "poplink-bench: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
