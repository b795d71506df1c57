// SPDX-License-Identifier: Apache-2.0
#include "rebuild.h"

namespace hlsc {

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
  for (const Lookup& lookup : module.lookups) {
    read(lookup.key);
    read({lookup.request});
  }
  return readers;
}

NodeId wholeNode(const Module& module, const Value& value) {
  if (value.empty() || value[0].isConstant()) return Bit::kConstant;
  const NodeId id = value[0].node;
  if (module.netlist.node(id).width != value.size()) return Bit::kConstant;
  for (unsigned i = 0; i < value.size(); ++i) {
    if (value[i] != Bit{id, i}) return Bit::kConstant;
  }
  return id;
}

}  // namespace hlsc
