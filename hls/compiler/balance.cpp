// SPDX-License-Identifier: Apache-2.0
#include "optimize.h"
#include "rebuild.h"

namespace hlsc {

namespace {

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

}  // namespace

Module balanceMuxes(const Module& module) {
  const std::vector<unsigned> readers = countReaders(module);
  std::vector<bool> inner(module.netlist.nodes().size(), false);  // links of a longer chain
  for (const Node& node : module.netlist.nodes()) {
    if (node.kind != Kind::mux) continue;
    const NodeId next = wholeNode(module, node.operands[2]);
    if (next == Bit::kConstant || module.netlist.node(next).kind != Kind::mux) continue;
    if (readers[next] == 1) inner[next] = true;
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
      link = wholeNode(module, rest);
      if (link == Bit::kConstant || !inner[link]) break;
    }
    if (arms.size() < kShortestChain) return map.netlist().build(node.kind, operands);
    return firstMatch(map.netlist(), std::move(arms), map(rest));
  });
}

}  // namespace hlsc
