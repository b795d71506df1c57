// SPDX-License-Identifier: Apache-2.0
#include "module.h"

#include <stdexcept>

namespace hlsc {

namespace {

[[noreturn]] void broken(const Module& module, const std::string& what) {
  throw std::logic_error("netlist of '" + module.name + "' is broken: " + what);
}

void checkBits(const Module& module, const Value& value, NodeId below, const std::string& where) {
  for (const Bit& bit : value) {
    if (bit.isConstant() ? bit.index > 2 : bit.node >= below || bit.index >= module.netlist.node(bit.node).width) {
      broken(module, where + " uses a bit that is not there");
    }
  }
}

void checkWidths(const Module& module, const Node& node, const std::string& where) {
  const auto width = [&](std::size_t i) { return node.operands[i].size(); };
  const auto require = [&](bool holds) {
    if (!holds) broken(module, where + " (" + kindName(node.kind) + ") has operands of the wrong number or width");
  };
  switch (node.kind) {
    case Kind::input:
      require(node.operands.empty());
      break;
    case Kind::bitNot:
      require(node.operands.size() == 1 && width(0) == node.width);
      break;
    case Kind::mux:
      require(node.operands.size() == 3 && width(0) == 1 && width(1) == node.width && width(2) == node.width);
      break;
    case Kind::ult:
    case Kind::eq:
      require(node.operands.size() == 2 && width(0) == width(1) && width(0) > 0 && node.width == 1);
      break;
    case Kind::parity:
      require(node.operands.size() == node.width);
      for (const Value& row : node.operands) require(row.size() > 1);
      break;
    case Kind::count:
      require(node.operands.size() == 1 && width(0) > 1 && width(0) >> node.width == 0);
      break;
    default:
      require(node.operands.size() == 2 && width(0) == node.width && width(1) == node.width);
      break;
  }
}

}  // namespace

void verify(const Module& module) {
  const std::vector<Node>& nodes = module.netlist.nodes();
  const auto count = static_cast<NodeId>(nodes.size());
  for (NodeId id = 0; id < count; ++id) {
    const std::string where = "node " + std::to_string(id);
    if (nodes[id].width == 0) broken(module, where + " has no bits");
    checkWidths(module, nodes[id], where);
    for (const Value& operand : nodes[id].operands) checkBits(module, operand, id, where);
  }
  for (const InputPort& port : module.inputs) {
    if (port.node >= count || nodes[port.node].kind != Kind::input || nodes[port.node].width != port.width) {
      broken(module, "input " + port.path);
    }
  }
  for (const OutputPort& port : module.outputs) checkBits(module, port.value, count, "output " + port.path);
  for (const Lookup& lookup : module.lookups) {
    if (lookup.response >= count || nodes[lookup.response].width != lookup.entry_width)
      broken(module, "lookup " + lookup.table);
    checkBits(module, lookup.key, lookup.response, "key of " + lookup.table);
    checkBits(module, {lookup.request}, lookup.response, "request of " + lookup.table);
  }
}

}  // namespace hlsc
