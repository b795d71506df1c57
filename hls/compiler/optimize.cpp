// SPDX-License-Identifier: Apache-2.0
#include "optimize.h"

#include <functional>
#include <map>

namespace hlsc {

namespace {

/// Copies a module node by node through the builders. `make` decides what stands for a node in the copy.
class Rebuild {
 public:
  using Make = std::function<Value(Rebuild&, NodeId)>;

  explicit Rebuild(const Module& from) : from_(from), map_(from.netlist.nodes().size()) {}

  Netlist& netlist() { return to_.netlist; }
  const Node& node(NodeId id) const { return from_.netlist.node(id); }

  Bit operator()(Bit bit) const { return bit.isConstant() ? bit : map_[bit.node][bit.index]; }
  Value operator()(const Value& value) const {
    Value mapped(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) mapped[i] = (*this)(value[i]);
    return mapped;
  }

  Module run(const Make& make) {
    to_.name = from_.name;
    to_.inputs = from_.inputs;
    to_.lookups = from_.lookups;
    std::map<NodeId, std::size_t> input_at, lookup_at;
    for (std::size_t i = 0; i < from_.inputs.size(); ++i) input_at[from_.inputs[i].node] = i;
    for (std::size_t i = 0; i < from_.lookups.size(); ++i) lookup_at[from_.lookups[i].response] = i;
    for (NodeId id = 0; id < map_.size(); ++id) {
      if (node(id).kind == Kind::input) {
        map_[id] = to_.netlist.addInput(node(id).width, node(id).origin);
        if (auto i = input_at.find(id); i != input_at.end()) to_.inputs[i->second].node = map_[id][0].node;
        if (auto i = lookup_at.find(id); i != lookup_at.end()) {
          Lookup& lookup = to_.lookups[i->second];
          lookup.key = (*this)(lookup.key);
          lookup.request = (*this)(lookup.request);
          lookup.response = map_[id][0].node;
        }
        continue;
      }
      to_.netlist.setOrigin(node(id).origin);
      map_[id] = make(*this, id);
      to_.netlist.nameValue(map_[id], node(id).origin.name);
    }
    for (const OutputPort& port : from_.outputs) to_.outputs.push_back({port.path, port.member, (*this)(port.value)});
    return std::move(to_);
  }

 private:
  const Module& from_;
  Module to_;
  std::vector<Value> map_;
};

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
      case Kind::ult:
      case Kind::eq:
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

/// One arm of a chain: when `condition` holds and no arm before it does, `value`.
struct Arm {
  Bit condition;
  Value value;
};

constexpr std::size_t kShortestChain = 6;

/// Halves the arms until one is left: (c1,v1)(c2,v2) is (c1|c2, c1?v1:v2).
Value firstMatch(Netlist& netlist, std::vector<Arm> arms, const Value& otherwise) {
  while (arms.size() > 1) {
    std::vector<Arm> halved;
    for (std::size_t i = 0; i + 1 < arms.size(); i += 2) {
      halved.push_back({netlist.bitOr({arms[i].condition}, {arms[i + 1].condition})[0],
                        netlist.mux(arms[i].condition, arms[i].value, arms[i + 1].value)});
    }
    if (arms.size() % 2) halved.push_back(arms.back());
    arms = std::move(halved);
  }
  return netlist.mux(arms[0].condition, arms[0].value, otherwise);
}

/// How many operands of muxes each node is the whole "clear" side of; only a link that nobody else reads belongs to a
/// chain.
std::vector<unsigned> countReaders(const Module& module) {
  std::vector<unsigned> readers(module.netlist.nodes().size(), 0);
  const auto read = [&](const Value& value) {
    NodeId last = Bit::kConstant;
    for (const Bit& bit : value) {
      if (!bit.isConstant() && bit.node != last) ++readers[last = bit.node];
    }
  };
  for (const Node& node : module.netlist.nodes()) {
    for (const Value& operand : node.operands) read(operand);
  }
  for (const OutputPort& port : module.outputs) read(port.value);
  for (const Lookup& lookup : module.lookups) read(lookup.key);
  return readers;
}

/// The mux node whose whole result `value` is, or kConstant.
NodeId wholeMux(const Module& module, const Value& value) {
  if (value[0].isConstant()) return Bit::kConstant;
  const Node& node = module.netlist.node(value[0].node);
  if (node.kind != Kind::mux || node.width != value.size()) return Bit::kConstant;
  for (unsigned i = 0; i < value.size(); ++i) {
    if (value[i] != Bit{value[0].node, i}) return Bit::kConstant;
  }
  return value[0].node;
}

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
    return map.netlist().build(node.kind, operands);
  });
}

Module balanceMuxes(const Module& module) {
  const std::vector<unsigned> readers = countReaders(module);
  std::vector<bool> inner(module.netlist.nodes().size(), false);  // links of a longer chain
  for (const Node& node : module.netlist.nodes()) {
    if (node.kind != Kind::mux) continue;
    const NodeId next = wholeMux(module, node.operands[2]);
    if (next != Bit::kConstant && readers[next] == 1) inner[next] = true;
  }
  return Rebuild(module).run([&](Rebuild& map, NodeId id) {
    const Node& node = map.node(id);
    std::vector<Value> operands;
    for (const Value& operand : node.operands) operands.push_back(map(operand));
    if (node.kind != Kind::mux || inner[id]) return map.netlist().build(node.kind, operands);
    std::vector<Arm> arms;
    Value rest;
    for (NodeId link = id;;) {
      const Node& mux = map.node(link);
      arms.push_back({map(mux.operands[0][0]), map(mux.operands[1])});
      rest = mux.operands[2];
      link = wholeMux(module, rest);
      if (link == Bit::kConstant || !inner[link]) break;
    }
    if (arms.size() < kShortestChain) return map.netlist().build(node.kind, operands);
    return firstMatch(map.netlist(), std::move(arms), map(rest));
  });
}

Module optimize(const Module& module) {
  verify(module);
  Module best = keepDemanded(module);
  verify(best);
  best = balanceMuxes(best);
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
