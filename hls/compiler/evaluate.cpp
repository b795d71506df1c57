// SPDX-License-Identifier: Apache-2.0
#include "evaluate.h"

#include <algorithm>

namespace hlsc {

namespace {

using Results = std::vector<BitVector>;

bool bitOf(const Results& results, Bit bit) {
  return bit.isConstant() ? bit.isOne() : static_cast<bool>(results[bit.node][bit.index]);
}

BitVector gather(const Results& results, const Value& value) {
  BitVector bits(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) bits[i] = bitOf(results, value[i]);
  return bits;
}

/// a + b + carry, or a - b as a + ~b + 1.
BitVector sum(const BitVector& a, const BitVector& b, bool subtract) {
  BitVector out(a.size());
  bool carry = subtract;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool y = b[i] != subtract;
    out[i] = (a[i] != y) != carry;
    carry = (a[i] && y) || (carry && (a[i] || y));
  }
  return out;
}

BitVector product(const BitVector& a, const BitVector& b) {
  BitVector out(a.size(), false);
  for (std::size_t shift = 0; shift < b.size(); ++shift) {
    if (!b[shift]) continue;
    BitVector moved(a.size(), false);
    std::copy(a.begin(), a.end() - static_cast<std::ptrdiff_t>(shift),
              moved.begin() + static_cast<std::ptrdiff_t>(shift));
    out = sum(out, moved, false);
  }
  return out;
}

bool less(const BitVector& a, const BitVector& b) {
  return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend());
}

BitVector compute(const Node& node, const std::vector<BitVector>& operands) {
  const auto zip = [&](auto function) {
    BitVector out(node.width);
    for (std::size_t i = 0; i < node.width; ++i) out[i] = function(operands[0][i], operands[1][i]);
    return out;
  };
  switch (node.kind) {
    case Kind::input:
      break;
    case Kind::bitAnd:
      return zip([](bool a, bool b) { return a && b; });
    case Kind::bitOr:
      return zip([](bool a, bool b) { return a || b; });
    case Kind::bitXor:
      return zip([](bool a, bool b) { return a != b; });
    case Kind::bitNot: {
      BitVector out = operands[0];
      out.flip();
      return out;
    }
    case Kind::mux:
      return operands[0][0] ? operands[1] : operands[2];
    case Kind::add:
      return sum(operands[0], operands[1], false);
    case Kind::sub:
      return sum(operands[0], operands[1], true);
    case Kind::mul:
      return product(operands[0], operands[1]);
    case Kind::ult:
      return {less(operands[0], operands[1])};
    case Kind::eq:
      return {operands[0] == operands[1]};
    case Kind::parity: {
      BitVector out;
      for (const BitVector& row : operands) out.push_back(std::count(row.begin(), row.end(), true) % 2 != 0);
      return out;
    }
    case Kind::count: {
      BitVector out;
      const auto ones = std::count(operands[0].begin(), operands[0].end(), true);
      for (unsigned i = 0; i < node.width; ++i) out.push_back((ones >> i) % 2 != 0);
      return out;
    }
  }
  return {};
}

}  // namespace

std::vector<BitVector> evaluate(const Module& module, const std::vector<BitVector>& inputs, const TableModel& tables) {
  const std::vector<Node>& nodes = module.netlist.nodes();
  Results results(nodes.size());
  for (std::size_t i = 0; i < module.inputs.size(); ++i) results[module.inputs[i].node] = inputs[i];
  std::vector<const Lookup*> answered_by(nodes.size(), nullptr);
  for (const Lookup& lookup : module.lookups) answered_by[lookup.response] = &lookup;

  for (NodeId id = 0; id < nodes.size(); ++id) {
    if (const Lookup* lookup = answered_by[id]) {
      results[id] = bitOf(results, lookup->request) ? tables(lookup->table, gather(results, lookup->key))
                                                    : BitVector(lookup->entry_width, true);
    } else if (nodes[id].kind != Kind::input) {
      std::vector<BitVector> operands;
      for (const Value& operand : nodes[id].operands) operands.push_back(gather(results, operand));
      results[id] = compute(nodes[id], operands);
    }
  }
  std::vector<BitVector> outputs;
  for (const OutputPort& port : module.outputs) outputs.push_back(gather(results, port.value));
  return outputs;
}

}  // namespace hlsc
