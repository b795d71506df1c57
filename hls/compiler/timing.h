// SPDX-License-Identifier: Apache-2.0
// The earliest pipeline of a netlist, node by node: gates chained within LUTs and LUTs within stages while the clock
// allows.
#pragma once

#include <vector>

#include "cover.h"
#include "module.h"

namespace hlsc {

/// What LUTs compute; the rest are ports, answers, carry chains and multipliers.
bool isLogic(Kind kind);

class Timing {
 public:
  explicit Timing(const Clock& clock) : clock_(clock), cover_(clock) {}

  // Nodes come in order; each is made known before it is placed.
  void add(const Node& node);
  void read(const Value& value);  ///< by a port or a key
  /// Places a node in the first stage where it fits: false when it fits nowhere, because it alone exceeds the clock.
  bool place(NodeId id, const Node& node);
  void placeSource(NodeId id, Arrival arrival);

  unsigned stage(NodeId id) const { return stages_[id]; }
  /// Of the latest bit, `so_far` or later.
  unsigned stage(const Value& value, unsigned so_far) const;
  Arrival arrival(const Value& value) const;
  /// The gate that a bit is, or is the inverse of.
  GateId gate(Bit bit) const { return bit.isConstant() ? kNoGate : bits_[first_bit_[bit.node] + bit.index]; }
  /// A node's own gates, in topological order.
  GateId begin(NodeId id) const { return first_gate_[id]; }
  GateId end(NodeId id) const { return id + 1 < first_gate_.size() ? first_gate_[id + 1] : cover_.size(); }
  const Cover& cover() const { return cover_; }

  /// Moves a node's gates to a stage where all of its operands are there.
  void moveTo(NodeId id, const Node& node, unsigned stage);

 private:
  GateId make(const Node& node, unsigned i);
  bool chooseCuts(NodeId id, unsigned stage);
  double operandTime(const Node& node, unsigned stage) const;

  const Clock clock_;
  Cover cover_;
  std::vector<std::size_t> first_bit_;  ///< by node
  std::vector<GateId> first_gate_;      ///< by node
  std::vector<GateId> bits_;
  std::vector<unsigned> stages_;  ///< by node
};

}  // namespace hlsc
