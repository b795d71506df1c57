// SPDX-License-Identifier: Apache-2.0
// What passes are made of: copying a module while some nodes become something else.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "module.h"

namespace hlsc {

/// Copies a module node by node through the builders. `make` decides what stands for a node in the copy.
class Rebuild {
 public:
  using Make = std::function<Value(Rebuild&, NodeId)>;

  explicit Rebuild(const Module& from) : from_(from), map_(from.netlist.nodes().size()) {}

  Netlist& netlist() { return to_.netlist; }
  const Module& made() const { return to_; }  ///< the copy so far
  const Node& node(NodeId id) const { return from_.netlist.node(id); }

  Bit operator()(Bit bit) const { return bit.isConstant() ? bit : map_[bit.node][bit.index]; }
  Value operator()(const Value& value) const {
    Value mapped(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) mapped[i] = (*this)(value[i]);
    return mapped;
  }

  Module run(const Make& make) {
    to_.name = from_.name;
    to_.combinational = from_.combinational;
    to_.inputs = from_.inputs;
    to_.lookups = from_.lookups;
    for (Lookup& lookup : to_.lookups) lookup.response = Bit::kConstant;  // until it is copied
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

/// How many operands, outputs and keys read each node.
std::vector<unsigned> countReaders(const Module& module);

/// The node whose whole result `value` is, or kConstant.
NodeId wholeNode(const Module& module, const Value& value);

}  // namespace hlsc
