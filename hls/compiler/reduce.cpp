// SPDX-License-Identifier: Apache-2.0
// Many bits into few: XOR networks to parities, sums of bits to counts.
#include <algorithm>
#include <set>

#include "cover.h"
#include "optimize.h"
#include "rebuild.h"

namespace hlsc {

namespace {

constexpr unsigned kShallow = 24;  // XORs in a row; above, a network is flattened
constexpr std::size_t kDense = 6;  // bits per 32-bit chunk of a source from which a masked reduction is cheaper

struct Later {
  bool operator()(Bit a, Bit b) const { return a.node != b.node ? a.node > b.node : a.index > b.index; }
};

/// XOR and NOT bits as sums modulo 2 over bits that are neither.
class XorNetwork {
 public:
  explicit XorNetwork(const Module& module) : nodes_(module.netlist.nodes()), rows_(nodes_.size()) {
    measure();
    findRoots(module);
    for (NodeId id = 0; id < nodes_.size(); ++id) {
      for (unsigned i = 0; isSum(id) && i < nodes_[id].width; ++i) {
        if (!root_[id][i] || depth_[id][i] <= kShallow) continue;
        rows_[id].resize(nodes_[id].width);
        rows_[id][i] = flatten({id, i});
      }
    }
  }

  /// By bit of the node, the bits it is the parity of; empty for a bit that stays as it is, or for all.
  const std::vector<Value>& rows(NodeId id) const { return rows_[id]; }

 private:
  bool isSum(NodeId id) const { return nodes_[id].kind == Kind::bitXor || nodes_[id].kind == Kind::bitNot; }
  bool isSum(Bit bit) const { return !bit.isConstant() && isSum(bit.node); }

  void measure() {
    depth_.resize(nodes_.size());
    for (NodeId id = 0; id < nodes_.size(); ++id) {
      if (!isSum(id)) continue;
      for (unsigned i = 0; i < nodes_[id].width; ++i) {
        unsigned below = 0;
        for (const Value& operand : nodes_[id].operands) {
          if (isSum(operand[i])) below = std::max(below, depth_[operand[i].node][operand[i].index]);
        }
        depth_[id].push_back(below + (nodes_[id].kind == Kind::bitXor ? 1 : 0));
      }
    }
  }

  /// Roots are sums that something else than a sum reads.
  void findRoots(const Module& module) {
    for (const Node& node : nodes_) root_.emplace_back(node.width, false);
    const auto read = [&](const Value& value) {
      for (const Bit& bit : value) {
        if (isSum(bit)) root_[bit.node][bit.index] = true;
      }
    };
    for (NodeId id = 0; id < nodes_.size(); ++id) {
      for (const Value& operand : nodes_[id].operands) {
        if (!isSum(id)) read(operand);
      }
    }
    for (const OutputPort& port : module.outputs) read(port.value);
    for (const Lookup& lookup : module.lookups) {
      read(lookup.key);
      read({lookup.request});
    }
  }

  /// Flattened roots are leaves of later sums, which share them (hash ^ seed), unless they stand on such a leaf
  /// themselves: two parities in a row are as deep as it gets.
  bool isLeaf(Bit bit) const { return !isSum(bit) || first_level_.count(bit) != 0; }

  /// All bits stand in one ordered set, where a second occurrence removes the first; operands always come later in it.
  Value flatten(Bit root) {
    std::set<Bit, Later> open;
    Value leaves;
    bool inverted = false, on_leaf_sum = false;
    const auto expand = [&](Bit sum) {
      inverted ^= nodes_[sum.node].kind == Kind::bitNot;
      for (const Value& operand : nodes_[sum.node].operands) {
        const Bit bit = operand[sum.index];
        if (bit.isConstant())
          inverted ^= bit.isOne();
        else if (auto [place, is_new] = open.insert(bit); !is_new)
          open.erase(place);
      }
    };
    for (expand(root); !open.empty();) {
      const Bit bit = *open.begin();
      open.erase(open.begin());
      if (!isLeaf(bit)) {
        expand(bit);
        continue;
      }
      on_leaf_sum |= isSum(bit);
      leaves.push_back(bit);
    }
    if (!on_leaf_sum) first_level_.insert(root);
    if (inverted || leaves.empty()) leaves.push_back(inverted ? kOne : kZero);
    return leaves;
  }

  const std::vector<Node>& nodes_;
  std::vector<std::vector<unsigned>> depth_;
  std::vector<std::vector<bool>> root_;
  std::vector<std::vector<Value>> rows_;
  std::set<Bit, Later> first_level_;
};

/// Whether the rows take most bits of the words they touch.
bool isDense(const std::vector<Value>& rows) {
  std::size_t bits = 0, chunks = 0;
  for (const Value& row : rows) {
    std::set<std::pair<NodeId, unsigned>> touched;
    for (const Bit& bit : row) touched.emplace(bit.node, bit.index / 32);
    bits += row.size();
    chunks += touched.size();
  }
  return bits >= kDense * chunks;
}

/// Rows side by side as words, XORed as a balanced tree: the n-th bits of all rows are a word, most often of one
/// source.
Value xorColumns(Netlist& netlist, std::vector<Value> rows) {
  std::vector<Value> words;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::sort(rows[i].begin(), rows[i].end(), [](Bit a, Bit b) { return Later()(b, a); });
    if (rows[i].size() > words.size())
      words.resize(rows[i].size(), constantValue(static_cast<unsigned>(rows.size()), 0));
    for (std::size_t k = 0; k < rows[i].size(); ++k) words[k][i] = rows[i][k];
  }
  if (words.empty()) return constantValue(static_cast<unsigned>(rows.size()), 0);
  while (words.size() > 1) {
    std::vector<Value> halved;
    for (std::size_t i = 0; i + 1 < words.size(); i += 2) halved.push_back(netlist.bitXor(words[i], words[i + 1]));
    if (words.size() % 2 != 0) halved.push_back(words.back());
    words = std::move(halved);
  }
  return words[0];
}

/// Which bits an addition counts; only links that nobody else reads are looked through, because others are needed
/// anyway.
class Counts {
 public:
  explicit Counts(const Module& module)
      : nodes_(module.netlist.nodes()), readers_(countReaders(module)), counted_(nodes_.size()) {
    for (NodeId id = 0; id < nodes_.size(); ++id) {
      const Node& node = nodes_[id];
      if (node.kind == Kind::count) counted_[id] = node.operands[0];
      if (node.kind != Kind::add) continue;
      const Value a = countedBy(node.operands[0]), b = countedBy(node.operands[1]);
      if (a.empty() || b.empty()) continue;
      counted_[id] = concatenate(a, b);
    }
  }

  const Value& of(NodeId id) const { return counted_[id]; }

 private:
  Value countedBy(Value value) const {
    while (!value.empty() && value.back().isZero()) value.pop_back();
    if (value.empty() || value[0].isConstant()) return {};
    if (value.size() == 1) return value;
    const NodeId id = value[0].node;
    for (unsigned i = 0; i < value.size(); ++i) {
      if (value[i] != Bit{id, i}) return {};
    }
    const bool wraps = value.size() < 32 && counted_[id].size() >> value.size() != 0;
    return readers_[id] == 1 && !wraps ? counted_[id] : Value{};
  }

  const std::vector<Node>& nodes_;
  const std::vector<unsigned> readers_;
  std::vector<Value> counted_;
};

constexpr std::size_t kSmallestCount = 4, kLargestCount = 1024;

/// Parities that fit a clock, and their sum.
Value parityOf(Netlist& netlist, const std::vector<Value>& rows, const Clock& clock) {
  std::set<std::size_t> sizes;
  for (const Value& row : rows) sizes.insert(row.size());
  const bool fit = std::all_of(sizes.begin(), sizes.end(),
                               [&](std::size_t size) { return size <= kLutPins || treeFits(clock, size); });
  if (fit) return netlist.parity(rows);
  std::vector<Value> low, high;
  for (const Value& row : rows) {
    const auto half = static_cast<unsigned>(row.size() / 2);
    low.push_back(slice(row, 0, half));
    high.push_back(slice(row, half, static_cast<unsigned>(row.size()) - half));
  }
  return netlist.bitXor(parityOf(netlist, low, clock), parityOf(netlist, high, clock));
}

}  // namespace

Module flattenXors(const Module& module, const Clock& clock) {
  const XorNetwork network(module);
  return Rebuild(module).run([&](Rebuild& map, NodeId id) {
    const Node& node = map.node(id);
    std::vector<Value> operands, rows;
    for (const Value& operand : node.operands) operands.push_back(map(operand));
    Value result = map.netlist().build(node.kind, operands);
    std::vector<unsigned> places;
    for (unsigned i = 0; i < network.rows(id).size(); ++i) {
      if (network.rows(id)[i].empty()) continue;
      places.push_back(i);
      rows.push_back(map(network.rows(id)[i]));
    }
    if (rows.empty()) return result;
    const Value flat = isDense(rows) ? parityOf(map.netlist(), rows, clock) : xorColumns(map.netlist(), rows);
    for (std::size_t k = 0; k < places.size(); ++k) result[places[k]] = flat[k];
    return result;
  });
}

Module gatherCounts(const Module& module, const Clock& clock) {
  const Counts counts(module);
  std::size_t widest = kSmallestCount;
  while (widest < kLargestCount &&
         clock.fits(clock.after(clock.source(), clock.delays().operation(Kind::count, widest + 1))))
    ++widest;
  return Rebuild(module).run([&](Rebuild& map, NodeId id) {
    const Node& node = map.node(id);
    if (counts.of(id).size() >= kSmallestCount) return map.netlist().popcount(map(counts.of(id)), node.width, widest);
    std::vector<Value> operands;
    for (const Value& operand : node.operands) operands.push_back(map(operand));
    return map.netlist().build(node.kind, operands);
  });
}

}  // namespace hlsc
