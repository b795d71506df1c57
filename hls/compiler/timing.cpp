// SPDX-License-Identifier: Apache-2.0
#include "timing.h"

namespace hlsc {

bool isLogic(Kind kind) {
  switch (kind) {
    case Kind::bitAnd:
    case Kind::bitOr:
    case Kind::bitXor:
    case Kind::bitNot:
    case Kind::mux:
    case Kind::eq:
    case Kind::parity:
      return true;
    default:
      return false;
  }
}

void Timing::add(const Node& node) {
  first_bit_.push_back(bits_.size());
  first_gate_.push_back(cover_.size());
  for (unsigned i = 0; i < node.width; ++i) bits_.push_back(make(node, i));
  if (isLogic(node.kind)) return;
  for (const Value& operand : node.operands) read(operand);
}

GateId Timing::make(const Node& node, unsigned i) {
  const auto input = [&](std::size_t operand) { return gate(node.operands[operand][i]); };
  switch (node.kind) {
    case Kind::bitNot:
      return input(0);
    case Kind::bitAnd:
    case Kind::bitOr:
    case Kind::bitXor:
      return cover_.addGate({{input(0), input(1)}});
    case Kind::mux:
      return cover_.addGate({{gate(node.operands[0][0]), input(1), input(2)}});
    case Kind::eq: {
      std::vector<GateId> same;
      bool pairs = false;
      for (std::size_t k = 0; k < node.operands[0].size(); ++k) {
        const GateId a = gate(node.operands[0][k]), b = gate(node.operands[1][k]);
        pairs |= a != kNoGate && b != kNoGate;
        same.push_back(cover_.addGate({{a, b}}));
      }
      return pairs ? cover_.addTreeOfPairs(std::move(same)) : cover_.addTree(std::move(same));
    }
    case Kind::parity: {
      std::vector<GateId> row;
      for (const Bit& bit : node.operands[i]) row.push_back(gate(bit));
      return cover_.addTree(std::move(row));
    }
    default:
      return cover_.addSource();
  }
}

void Timing::read(const Value& value) {
  for (const Bit& bit : value) {
    if (gate(bit) != kNoGate) cover_.addReader(gate(bit));
  }
}

bool Timing::place(NodeId id, const Node& node) {
  unsigned first = 0;
  for (const Value& operand : node.operands) first = stage(operand, first);
  if (!isLogic(node.kind)) {
    const Arrival done = clock_.after({first, operandTime(node, first)}, clock_.delays().node(node));
    placeSource(id, done);
    return clock_.fits(done);
  }
  stages_.push_back(first);
  if (chooseCuts(id, first)) return true;
  if (operandTime(node, first) <= clock_.source().at_ns) return false;
  stages_[id] = first + 1;
  return chooseCuts(id, first + 1);
}

void Timing::placeSource(NodeId id, Arrival arrival) {
  stages_.push_back(arrival.stage);
  for (GateId gate = begin(id); gate < end(id); ++gate) cover_.setArrival(gate, arrival);
}

bool Timing::chooseCuts(NodeId id, unsigned stage) {
  bool fits = true;
  for (GateId gate = begin(id); gate < end(id); ++gate) {
    cover_.chooseCuts(gate, stage);
    fits &= clock_.fits(cover_.arrival(gate));
  }
  return fits;
}

unsigned Timing::stage(const Value& value, unsigned so_far) const {
  for (const Bit& bit : value) {
    if (!bit.isConstant()) so_far = std::max(so_far, stages_[bit.node]);
  }
  return so_far;
}

Arrival Timing::arrival(const Value& value) const {
  Arrival latest = clock_.source(stage(value, 0));
  for (const Bit& bit : value) {
    if (gate(bit) != kNoGate) latest = std::max(latest, cover_.arrival(gate(bit)));
  }
  return latest;
}

/// When all operands are there in `stage`.
double Timing::operandTime(const Node& node, unsigned stage) const {
  Arrival latest = clock_.source(stage);
  for (const Value& operand : node.operands) {
    for (const Bit& bit : operand) {
      if (gate(bit) != kNoGate) latest = std::max(latest, cover_.arrival(gate(bit)));
    }
  }
  return latest.at_ns;
}

void Timing::moveTo(NodeId id, const Node& node, unsigned stage) {
  stages_[id] = stage;
  if (isLogic(node.kind)) {
    for (GateId gate = begin(id); gate < end(id); ++gate) cover_.moveTo(gate, stage);
  } else if (node.kind != Kind::input) {
    const Arrival done{stage, operandTime(node, stage) + clock_.delays().node(node)};
    for (GateId gate = begin(id); gate < end(id); ++gate) cover_.setArrival(gate, done);
  }
}

}  // namespace hlsc
