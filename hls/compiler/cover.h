// SPDX-License-Identifier: Apache-2.0
// Which gates share a LUT, and when each bit is there behind it.
//
// A netlist's logic as gates of two or three inputs, bit by bit; what a gate computes does not matter here, only what
// it reads. A cut of a gate is a set of up to six leaves, so that one LUT on the leaves computes the gate. Of its many
// cuts each gate keeps a few good ones, made of those that its inputs kept.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "clock.h"

namespace hlsc {

using GateId = std::uint32_t;
inline constexpr GateId kNoGate = ~GateId{0};  ///< a constant

struct Cut {
  std::array<GateId, kLutPins> leaves;  ///< ascending
  std::uint32_t size = 0;
  float area = 0;  ///< LUTs from here down, shared ones divided among their readers

  std::span<const GateId> all() const { return {leaves.data(), size}; }
};

class TreeShape;

class Cover {
 public:
  explicit Cover(const Clock& clock) : clock_(clock) {}

  /// What no LUT computes (a port, a table's answer, a sum); always a leaf.
  GateId addSource();
  /// Up to three inputs that differ; constants do not count, and a gate with one input is that input.
  GateId addGate(std::span<const GateId> inputs);
  /// Gates over any number of terms, as a tree of LUTs that is fastest when all terms are there together.
  GateId addTree(std::vector<GateId> terms);
  /// The same for terms that are gates of two inputs each; LUTs at the bottom take the inputs in.
  GateId addTreeOfPairs(std::vector<GateId> terms);
  GateId size() const { return static_cast<GateId>(gates_.size()); }

  void setArrival(GateId gate, Arrival arrival) { gates_[gate].arrival = arrival; }
  const Arrival& arrival(GateId gate) const { return gates_[gate].arrival; }

  /// Chooses cuts of a gate that is computed in `stage`, and sets its arrival. Everything it reads has one, not later.
  void chooseCuts(GateId gate, unsigned stage);
  /// Sets the arrival of a gate that has cuts for another stage.
  void moveTo(GateId gate, unsigned stage);
  std::span<const Cut> cuts(GateId gate) const;
  /// When a LUT on the cut has its result in `stage`. Leaves of earlier stages are in registers.
  double time(const Cut& cut, unsigned stage) const;
  /// When each leaf has to be there for the result to be there at `required`.
  std::array<Arrival, kLutPins> requiredOfLeaves(const Cut& cut, Arrival required) const;
  /// LUTs for this gate and below, shared ones divided among their readers.
  float area(GateId gate) const { return gates_[gate].area / static_cast<float>(std::max(1U, gates_[gate].readers)); }
  /// One more place outside the gates that reads this one.
  void addReader(GateId gate) { ++gates_[gate].readers; }

 private:
  static constexpr std::size_t kKept = 4;

  struct Gate {
    std::array<GateId, 3> inputs{kNoGate, kNoGate, kNoGate};
    std::uint32_t readers = 0;
    std::uint32_t first_cut = 0, cut_count = 0;
    float area = 0;
    Arrival arrival;
  };
  /// A cut under consideration.
  struct Choice {
    Cut cut;
    double time_ns;
  };

  GateId addTree(std::span<const GateId> terms, const TreeShape& shape);
  double leafTime(GateId leaf, unsigned stage) const;
  void merge(std::span<const Cut> left, GateId right);
  void keepBest(Gate& gate, unsigned stage);

  const Clock clock_;
  std::vector<Gate> gates_;
  std::vector<Cut> cuts_;  ///< kKept places for each gate that is no source
  std::vector<Cut> merged_, previous_;
  std::vector<Choice> choices_;
};

/// Whether a tree over that many bits fits a clock.
bool treeFits(const Clock& clock, std::size_t bits);

}  // namespace hlsc
