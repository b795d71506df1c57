// SPDX-License-Identifier: Apache-2.0
#include "optimize.h"

#include <algorithm>

#include "rebuild.h"

namespace hlsc {

namespace {

class Demand {
 public:
  explicit Demand(const Module& module) : module_(module) {
    for (const Node& node : module.netlist.nodes()) needed_.emplace_back(node.width, false);
    for (const OutputPort& port : module.outputs) mark(port.value);
    for (const Lookup& lookup : module.lookups) {
      mark(lookup.key);
      mark({lookup.request});
    }
    for (auto id = static_cast<NodeId>(needed_.size()); id-- > 0;) propagate(id);
  }
  bool any(NodeId id) const {
    for (bool bit : needed_[id]) {
      if (bit) return true;
    }
    return false;
  }
  bool bit(NodeId id, unsigned index) const { return needed_[id][index]; }
  bool onlyLowest(NodeId id) const {
    return std::find(needed_[id].begin() + 1, needed_[id].end(), true) == needed_[id].end();
  }

 private:
  void mark(const Value& value) {
    for (const Bit& bit : value) markBit(bit);
  }
  void markBit(Bit bit) {
    if (!bit.isConstant()) needed_[bit.node][bit.index] = true;
  }
  void propagate(NodeId id) {
    const Node& node = module_.netlist.node(id);
    if (!any(id)) return;
    switch (node.kind) {
      case Kind::input:
        return;
      case Kind::parity:
        for (unsigned i = 0; i < node.width; ++i) {
          if (needed_[id][i]) mark(node.operands[i]);
        }
        return;
      case Kind::ult:
      case Kind::eq:
      case Kind::count:
        for (const Value& operand : node.operands) mark(operand);
        return;
      case Kind::add:
      case Kind::sub:
      case Kind::mul: {  // a result bit needs the operands' bits up to its own
        unsigned top = node.width;
        while (!needed_[id][top - 1]) --top;
        for (const Value& operand : node.operands) mark(slice(operand, 0, top));
        return;
      }
      default:
        for (const Value& operand : node.operands) {
          if (operand.size() != node.width || node.width == 1) {
            mark(operand);
            continue;
          }
          for (unsigned i = 0; i < node.width; ++i) {
            if (needed_[id][i]) markBit(operand[i]);
          }
        }
        if (node.kind == Kind::mux) mark(node.operands[0]);
    }
  }

  const Module& module_;
  std::vector<std::vector<bool>> needed_;
};

}  // namespace

Module keepDemanded(const Module& module) {
  const Demand demand(module);
  return Rebuild(module).run([&](Rebuild& map, NodeId id) {
    const Node& node = map.node(id);
    if (!demand.any(id)) return undefinedValue(node.width);
    std::vector<Value> operands;
    for (const Value& operand : node.operands) operands.push_back(map(operand));
    const bool per_bit = node.kind == Kind::bitAnd || node.kind == Kind::bitOr || node.kind == Kind::bitXor ||
                         node.kind == Kind::bitNot || node.kind == Kind::mux;
    if (per_bit && node.width > 1) {
      for (std::size_t k = node.kind == Kind::mux ? 1 : 0; k < operands.size(); ++k) {
        for (unsigned i = 0; i < node.width; ++i) {
          if (!demand.bit(id, i)) operands[k][i] = kX;
        }
      }
    }
    if (node.kind == Kind::count && demand.onlyLowest(id))
      return zeroExtend(map.netlist().parity(operands), node.width);
    if (node.kind == Kind::parity) {
      for (unsigned i = 0; i < node.width; ++i) {
        if (!demand.bit(id, i)) operands[i].clear();
      }
    }
    return map.netlist().build(node.kind, operands);
  });
}

Module optimize(const Module& module, const Clock& clock) {
  verify(module);
  Module best = keepDemanded(module);
  verify(best);
  best = flattenXors(best, clock);
  verify(best);
  best = gatherCounts(best, clock);
  verify(best);
  best = keepDemanded(best);
  verify(best);
  best = balanceChains(best, clock);
  verify(best);
  for (;;) {
    Module next = keepDemanded(best);
    verify(next);
    const bool settled = next.netlist.nodes().size() == best.netlist.nodes().size();
    best = std::move(next);
    if (settled) return best;
  }
}

}  // namespace hlsc
