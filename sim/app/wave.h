// SPDX-License-Identifier: Apache-2.0
// A window of the running card as an FST file, with the names that RTL and kernels use.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <variant>

#include "card_model.h"
#include "verilated_fst_c.h"

namespace poplink::sim {

struct WaveOptions {
  std::string file;                   ///< empty: none
  std::optional<std::uint64_t> from;  ///< first cycle, counted as in the stamps; nothing: where the captures start
  std::uint64_t cycles = 1000;
};

/// Writes what the model does while its cycle is in the window; time in the file is the card's, 4 ns a cycle.
template <class Model>
class Wave {
 public:
  Wave(const WaveOptions& options, Model& model)
      : options_(options), model_(model), from_(options.from.value_or(model.cycle())) {
    if (options_.file.empty()) return;
    if constexpr (Model::kTraces) {
      if (from_ < model_.cycle())
        throw std::runtime_error("--wave-from " + std::to_string(from_) + ": the first frame comes in cycle " +
                                 std::to_string(model_.cycle()));
      model_.dut().contextp()->traceEverOn(true);
      trace_.set_time_unit("1ns");
      trace_.set_time_resolution("1ns");
      model_.dut().trace(&trace_, kAllLevels);
      model_.on_eval = [this](bool clock) { note(clock); };
    } else {
      throw std::logic_error("this program writes no waveforms");
    }
  }
  Wave(const Wave&) = delete;
  Wave& operator=(const Wave&) = delete;

  /// At the end of the run.
  void close() {
    if (options_.file.empty()) return;
    if constexpr (Model::kTraces) model_.on_eval = nullptr;
    if (!opened_) {
      throw std::runtime_error("--wave-from " + std::to_string(from_) + ": the card came to rest in cycle " +
                               std::to_string(model_.cycle()));
    }
    if constexpr (Model::kTraces) trace_.close();
  }

 private:
  static constexpr int kAllLevels = 99;

  void note(bool clock) {
    const std::uint64_t cycle = model_.cycle();
    if (cycle < from_ || cycle - from_ >= options_.cycles) return;
    if (!opened_) open();
    trace_.dump(cycle * kNsPerCycle + (clock ? 0 : kNsPerCycle / 2));
  }
  void open() {
    trace_.open(options_.file.c_str());
    if (!trace_.isOpen()) throw std::runtime_error(options_.file + ": cannot be written");
    opened_ = true;
  }

  const WaveOptions options_;
  Model& model_;
  const std::uint64_t from_;
  bool opened_ = false;
  std::conditional_t<Model::kTraces, VerilatedFstC, std::monostate> trace_;
};

}  // namespace poplink::sim
