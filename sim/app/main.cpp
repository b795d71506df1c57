// SPDX-License-Identifier: Apache-2.0
// poplink-sim: cards without hardware.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <set>
#include <systemc>

#include "card_model.h"
#include "modes.h"

namespace {

using namespace poplink::sim;

constexpr int kExitFailed = 1;

/// "3=file.pcap" to a port and a file.
std::map<unsigned, std::string> portFiles(const std::vector<std::string>& texts, const std::string& option) {
  std::map<unsigned, std::string> files;
  for (const std::string& text : texts) {
    const auto equals = text.find('=');
    const std::string digits = text.substr(0, equals);
    const bool number =
        !digits.empty() && digits.size() <= 2 && digits.find_first_not_of("0123456789") == std::string::npos;
    if (equals == std::string::npos || !number || std::stoul(digits) >= CardModel::kPortCount ||
        equals + 1 == text.size()) {
      throw std::runtime_error(option + " " + text + ": write PORT=FILE, PORT from 0 to " +
                               std::to_string(CardModel::kPortCount - 1));
    }
    if (!files.emplace(static_cast<unsigned>(std::stoul(digits)), text.substr(equals + 1)).second)
      throw std::runtime_error(option + " " + text + ": the port has a file already");
  }
  return files;
}

/// What an action is done with.
void readCableObject(CableOptions& cable, const std::string& object) {
  const bool dims = cable.action == "attenuate";
  if ((dims || cable.action == "deafen") == object.empty())
    throw std::runtime_error("cable: deafen names an end, attenuate a loss in dB, and nothing else anything");
  if (!dims) {
    cable.end = object;
    return;
  }
  double loss_db = 0;
  const auto [end, error] =
      std::from_chars(object.data(), object.data() + object.size(), loss_db, std::chars_format::fixed);
  if (error != std::errc() || end != object.data() + object.size())
    throw std::runtime_error("cable: '" + object + "' is no loss in dB");
  cable.loss_db = loss_db;
}

void checkOutputs(const BatchOptions& batch) {
  std::set<std::string> names;
  const auto check = [&](const std::string& file) {
    if (!file.empty() && !names.insert(file).second) throw std::runtime_error(file + ": is to be written twice");
  };
  for (const auto& [port, file] : batch.out) check(file);
  check(batch.stamps);
  check(batch.counters);
  check(batch.wave.file);
}

/// Waveforms cost speed even while none is written, so another build of this program, beside it, writes them.
[[noreturn]] void becomeTracing(char** argv) {
  const auto program = std::filesystem::read_symlink("/proc/self/exe").replace_filename("poplink-sim-wave");
  ::execv(program.c_str(), argv);
  throw std::runtime_error(program.string() + ": " + std::strerror(errno) + "; --wave needs it");
}

}  // namespace

/// SystemC's library has a main of its own, which prints a banner first.
int main(int argc, char** argv) {
  ::setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);
  return sc_core::sc_elab_and_sim(argc, argv);
}

int sc_main(int argc, char** argv) {
  CLI::App app{"poplink-sim: cycle-accurate cards"};
  app.require_subcommand(1);

  LiveOptions live;
  CLI::App* live_command = app.add_subcommand("live", "Cards plugged into this host's network, on the wall clock");
  live_command->add_option("--lab", live.lab, "Lab file: cards, ports, cables")->required();

  CableOptions cable;
  CLI::App* cable_command =
      app.add_subcommand("cable", "The cables of a running lab: show, cut, mend, deafen, attenuate");
  cable_command->add_option("--control", cable.control, "The lab's control socket")->required();
  cable_command->add_flag("--json", cable.json, "Machine-readable output");
  CLI::Option* cable_name = cable_command->add_option("cable", cable.cable, "Cable to do something to");
  CLI::Option* cable_action =
      cable_command
          ->add_option("action", cable.action,
                       "cut: no link; deafen: loses what goes to END; attenuate: loses DB of its light; mend: as new")
          ->check(CLI::IsMember({"cut", "mend", "deafen", "attenuate"}));
  cable_name->needs(cable_action);
  std::string cable_object;
  cable_command->add_option("object", cable_object,
                            "Of deafen: the end that hears nothing any more, a card or host; of attenuate: dB");

  BatchOptions batch;
  std::vector<std::string> in, out;
  std::string timing = "wire";
  CLI::App* batch_command = app.add_subcommand("batch", "One card, captures in and out, on virtual time");
  batch_command->add_option("--tables", batch.tables, "Table image (poplink apply --image)");
  batch_command->add_option("--in", in, "PORT=FILE: capture to send into a port");
  batch_command->add_option("--out", out, "PORT=FILE: write what leaves a port");
  batch_command->add_option("--stamps", batch.stamps, "Write the cycles of every frame to this file (CSV)");
  batch_command->add_option("--counters", batch.counters, "Write all counters to this file (JSON)");
  batch_command
      ->add_option("--timing", timing, "wire: back to back at the port's speed; capture: at the capture's times")
      ->check(CLI::IsMember({"wire", "capture"}))
      ->capture_default_str();
  unsigned gigabits = 10;
  batch_command->add_option("--speed", gigabits, "Gbit/s of every port: 10, 1, or 0 for as fast as the bus")
      ->check(CLI::IsMember({0, 1, 10}))
      ->capture_default_str();
  batch_command->add_option("--wave", batch.wave.file, "Write the card's signals to this file (FST)");
  batch_command->add_option("--wave-from", batch.wave.from,
                            "First cycle, as in the stamps (default: of the first frame)");
  batch_command->add_option("--wave-cycles", batch.wave.cycles, "How many")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitFailed;
  }
  try {
    if (app.got_subcommand(live_command)) return runLive(live);
    if (app.got_subcommand(cable_command)) {
      readCableObject(cable, cable_object);
      return runCable(cable);
    }
    if (!CardModel::kTraces && !batch.wave.file.empty()) becomeTracing(argv);
    batch.in = portFiles(in, "--in");
    batch.out = portFiles(out, "--out");
    checkOutputs(batch);
    batch.capture_times = timing == "capture";
    batch.speed = static_cast<PortSpeed>(gigabits);
    return runBatch(batch);
  } catch (const std::exception& error) {
    std::cerr << "poplink-sim: " << error.what() << "\n";
    return kExitFailed;
  }
}
