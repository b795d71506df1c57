// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "optimize.h"
#include "rebuild.h"
#include "timing.h"

namespace hlsc {

namespace {

bool isAssociative(Kind kind) {
  return kind == Kind::bitAnd || kind == Kind::bitOr || kind == Kind::bitXor;
}

/// Arrival times in a netlist that still grows.
class Arrivals {
 public:
  Arrivals(const Rebuild& copy, const Clock& clock) : copy_(copy), clock_(clock), timing_(clock) {}

  Arrival of(const Value& value) {
    const std::vector<Node>& nodes = copy_.made().netlist.nodes();
    for (; known_ < nodes.size(); ++known_) {
      const Node& node = nodes[known_];
      timing_.add(node);
      if (node.kind == Kind::input)
        timing_.placeSource(known_, source(known_));
      else
        timing_.place(known_, node);
    }
    return timing_.arrival(value);
  }

 private:
  Arrival source(NodeId id) const {
    for (const Lookup& lookup : copy_.made().lookups) {
      if (lookup.response == id)
        return clock_.answer(timing_.stage(lookup.key, timing_.stage({lookup.request}, 0)), lookup.latency);
    }
    return clock_.source();
  }

  const Rebuild& copy_;
  const Clock& clock_;
  Timing timing_;
  NodeId known_ = 0;
};

/// An arm of a first match: `value` when `condition` holds and no arm before it does. Leaves of AND, OR and XOR are
/// values only.
struct Arm {
  Bit condition;
  Value value;
};

/// A tree under construction: which arms are joined, and when the result is there.
struct Branch {
  Arrival condition, value;
  std::size_t tree;  ///< an arm below the number of arms, else a join
};

struct Join {
  std::size_t first, second;
};

class Balancer {
 public:
  Balancer(Rebuild& copy, const Clock& clock) : copy_(copy), clock_(clock), arrivals_(copy, clock) {}

  /// The tree's result when it is there earlier than `plain`, else `plain`.
  Value earlier(Kind kind, std::vector<Arm> arms, const Value& plain) {
    if (arms.size() < 3) return plain;
    std::vector<Branch> open;
    for (std::size_t i = 0; i < arms.size(); ++i)
      open.push_back({arrivals_.of({arms[i].condition}), arrivals_.of(arms[i].value), i});
    const std::size_t width = plain.size();
    std::vector<Join> joins;
    while (open.size() > 1) {
      if (isAssociative(kind)) {  // order is free: the two earliest
        std::sort(open.begin(), open.end(), [](const Branch& a, const Branch& b) {
          return a.value != b.value ? a.value < b.value : a.tree < b.tree;
        });
        join(kind, width, open, 0, arms.size(), joins);
      } else {
        join(kind, width, open, earliestPair(open, width), arms.size(), joins);
      }
    }
    const Value tree = build(kind, arms, joins, open[0].tree).value;
    Arrival in_tree = arrivals_.of(tree);
    in_tree.at_ns += clock_.delays().lut(0);  // by less than a LUT is not worth another shape
    return in_tree < arrivals_.of(plain) ? tree : plain;
  }

 private:
  Arrival joined(const Branch& a, const Branch& b, std::size_t width) const {
    return clock_.after(std::max({a.condition, a.value, b.value}), clock_.delays().operation(Kind::mux, width));
  }

  /// Neighbours only, because the order of arms is their priority.
  std::size_t earliestPair(const std::vector<Branch>& open, std::size_t width) const {
    std::size_t best = 0;
    Arrival best_at = joined(open[0], open[1], width);
    for (std::size_t i = 1; i + 1 < open.size(); ++i) {
      const Arrival at = joined(open[i], open[i + 1], width);
      if (at < best_at) {
        best = i;
        best_at = at;
      }
    }
    return best;
  }

  void join(Kind kind, std::size_t width, std::vector<Branch>& open, std::size_t at, std::size_t arms,
            std::vector<Join>& joins) const {
    Branch& a = open[at];
    const Branch& b = open[at + 1];
    const DelayModel& delays = clock_.delays();
    joins.push_back({a.tree, b.tree});
    if (isAssociative(kind)) {
      a.value = clock_.after(std::max(a.value, b.value), delays.operation(kind, width));
    } else {
      a.value = joined(a, b, width);
      a.condition = clock_.after(std::max(a.condition, b.condition), delays.operation(Kind::bitOr, 1));
    }
    a.tree = arms + joins.size() - 1;
    open.erase(open.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }

  /// (c1,v1)(c2,v2) is (c1|c2, c1?v1:v2).
  Arm build(Kind kind, const std::vector<Arm>& arms, const std::vector<Join>& joins, std::size_t tree) {
    if (tree < arms.size()) return arms[tree];
    std::vector<Arm> made;
    for (const Join& join : joins) {
      const auto side = [&](std::size_t i) { return i < arms.size() ? arms[i] : made[i - arms.size()]; };
      const Arm a = side(join.first), b = side(join.second);
      Netlist& netlist = copy_.netlist();
      if (isAssociative(kind))
        made.push_back({kOne, netlist.build(kind, {a.value, b.value})});
      else
        made.push_back({netlist.bitOr({a.condition}, {b.condition})[0], netlist.mux(a.condition, a.value, b.value)});
    }
    return made.back();
  }

  Rebuild& copy_;
  const Clock& clock_;
  Arrivals arrivals_;
};

/// Chains of a module: which nodes are links inside a longer one, because only the next link reads them.
class Chains {
 public:
  explicit Chains(const Module& module)
      : module_(module), readers_(countReaders(module)), inner_(module.netlist.nodes().size(), false) {
    for (const Node& node : module.netlist.nodes()) {
      if (node.kind == Kind::mux) {
        if (const NodeId next = nextLink(node); next != Bit::kConstant) inner_[next] = true;
      } else if (isAssociative(node.kind)) {
        for (const Value& operand : node.operands) {
          if (const NodeId next = link(node.kind, operand); next != Bit::kConstant) inner_[next] = true;
        }
      }
    }
  }

  bool isInner(NodeId id) const { return inner_[id]; }

  /// Arms of the chain that ends in `id`, as the copy sees them; a first match ends with an arm that always holds.
  std::vector<Arm> arms(Rebuild& map, NodeId id) const {
    std::vector<Arm> arms;
    const Kind kind = map.node(id).kind;
    if (kind != Kind::mux) {
      gather(map, kind, id, arms);
      return arms;
    }
    for (;;) {
      const Node& mux = map.node(id);
      const NodeId next = nextLink(mux);
      const Value condition = map(mux.operands[0]);
      if (link(Kind::mux, mux.operands[2]) == next) {
        arms.push_back({condition[0], map(mux.operands[1])});
        if (next == Bit::kConstant) {
          arms.push_back({kOne, map(mux.operands[2])});
          return arms;
        }
      } else {
        arms.push_back({map.netlist().bitNot(condition)[0], map(mux.operands[2])});
      }
      id = next;
    }
  }

 private:
  /// The node of `kind` whose whole result `value` is and that nobody else reads.
  NodeId link(Kind kind, const Value& value) const {
    const NodeId id = wholeNode(module_, value);
    return id != Bit::kConstant && module_.netlist.node(id).kind == kind && readers_[id] == 1 ? id : Bit::kConstant;
  }

  /// A chain goes on in the side not selected, or else in the selected one.
  NodeId nextLink(const Node& mux) const {
    const NodeId clear = link(Kind::mux, mux.operands[2]);
    return clear != Bit::kConstant ? clear : link(Kind::mux, mux.operands[1]);
  }

  void gather(Rebuild& map, Kind kind, NodeId id, std::vector<Arm>& arms) const {
    std::vector<NodeId> open{id};
    while (!open.empty()) {
      const Node& node = map.node(open.back());
      open.pop_back();
      for (const Value& operand : node.operands) {
        if (const NodeId next = link(kind, operand); next != Bit::kConstant)
          open.push_back(next);
        else
          arms.push_back({kOne, map(operand)});
      }
    }
  }

  const Module& module_;
  const std::vector<unsigned> readers_;
  std::vector<bool> inner_;
};

}  // namespace

Module balanceChains(const Module& module, const Clock& clock) {
  const Chains chains(module);
  Rebuild copy(module);
  Balancer balancer(copy, clock);
  return copy.run([&](Rebuild& map, NodeId id) {
    const Node& node = map.node(id);
    std::vector<Value> operands;
    for (const Value& operand : node.operands) operands.push_back(map(operand));
    const Value plain = map.netlist().build(node.kind, operands);
    const bool is_chain = (node.kind == Kind::mux || isAssociative(node.kind)) && !chains.isInner(id);
    return is_chain ? balancer.earlier(node.kind, chains.arms(map, id), plain) : plain;
  });
}

}  // namespace hlsc
