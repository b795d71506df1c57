// SPDX-License-Identifier: Apache-2.0
// Shares nothing with the pipeline's emitter, so that a proof of one against the other is worth something.
#include "emit.h"

namespace hlsc {

namespace {

std::string wire(NodeId id) {
  return "v" + std::to_string(id);
}

std::string range(std::size_t width) {
  return "[" + std::to_string(width - 1) + ":0] ";
}

/// Runs of ascending bits as slices, everything else bit by bit.
std::string text(const Value& value) {
  std::string parts;
  for (std::size_t end = value.size(); end > 0;) {
    std::size_t low = end - 1;
    if (!parts.empty()) parts += ", ";
    if (value[low].isConstant()) {
      parts += value[low].isOne() ? "1'b1" : "1'b0";
    } else {
      const Bit top = value[low];
      while (low > 0 && value[low].index > 0 && value[low - 1] == Bit{top.node, value[low].index - 1}) --low;
      parts += wire(top.node) + "[" + std::to_string(top.index) + ":" + std::to_string(value[low].index) + "]";
    }
    end = low;
  }
  return "{" + parts + "}";
}

std::string operation(const Node& node) {
  const auto operand = [&](std::size_t i) { return text(node.operands[i]); };
  const auto infix = [&](const char* sign) { return operand(0) + " " + sign + " " + operand(1); };
  switch (node.kind) {
    case Kind::input:
      break;
    case Kind::bitAnd:
      return infix("&");
    case Kind::bitOr:
      return infix("|");
    case Kind::bitXor:
      return infix("^");
    case Kind::bitNot:
      return "~" + operand(0);
    case Kind::mux:
      return operand(0) + " ? " + operand(1) + " : " + operand(2);
    case Kind::add:
      return infix("+");
    case Kind::sub:
      return infix("-");
    case Kind::mul:
      return infix("*");
    case Kind::ult:
      return infix("<");
    case Kind::eq:
      return infix("==");
    case Kind::parity: {
      std::string bits;
      for (const Value& word : node.operands) bits = "^" + text(word) + (bits.empty() ? "" : ", ") + bits;
      return "{" + bits + "}";
    }
    case Kind::count: {
      std::string sum;
      for (const Bit& bit : node.operands[0])
        sum += (sum.empty() ? "" : " + ") + std::to_string(node.width) + "'(" + text({bit}) + ")";
      return sum;
    }
  }
  return "";
}

}  // namespace

std::string emitNetlist(const Module& module, const std::string& source) {
  const std::vector<Node>& nodes = module.netlist.nodes();
  std::string ports = module.combinational ? "" : "input wire clk, input wire rst, input wire in_valid", body;
  const auto next = [&] { return ports.empty() ? "" : ",\n  "; };
  const auto input = [&](const std::string& name, NodeId id) {
    ports += next() + ("input wire " + range(nodes[id].width)) + name;
    body += "  wire " + range(nodes[id].width) + wire(id) + " = " + name + ";\n";
  };
  const auto output = [&](const std::string& name, std::size_t width, const std::string& value) {
    ports += next() + ("output wire " + range(width)) + name;
    body += "  assign " + name + " = " + value + ";\n";
  };
  for (const InputPort& port : module.inputs) input("in_" + port.path, port.node);
  for (NodeId id = 0; id < nodes.size(); ++id) {
    if (nodes[id].kind == Kind::input) continue;
    body += "  wire " + range(nodes[id].width) + wire(id) + " = " + operation(nodes[id]) + ";\n";
  }
  for (const Lookup& lookup : module.lookups) {
    const std::string port = lookup.port();
    output(port + "_req_valid", 1, "!rst && in_valid && " + text({lookup.request}));
    output(port + (lookup.is_update ? "_index" : "_key"), lookup.index().size(), text(lookup.index()));
    if (lookup.is_update) output(port + "_args", lookup.packedArguments().size(), text(lookup.packedArguments()));
    input(port + "_resp", lookup.response);
  }
  if (!module.combinational) output("out_valid", 1, "!rst && in_valid");
  for (const OutputPort& port : module.outputs) output("out_" + port.path, port.value.size(), text(port.value));
  return "// Made by hlsc from " + source + ": the netlist as it is, without stages.\nmodule " + module.name +
         " (\n  " + ports + "\n);\n" + body + "endmodule\n";
}

}  // namespace hlsc
