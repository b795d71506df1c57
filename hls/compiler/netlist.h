// SPDX-License-Identifier: Apache-2.0
// The netlist between LLVM and the RTL: word-level nodes, bit-level values.
//
// A Value is a vector of Bits, least significant first. A Bit is a constant or one bit of a node's result, so
// everything that only moves bits (shifts by constants, truncation, extension, byte swaps, concatenation) is wiring and
// costs no node. Builders simplify bit by bit and make a node only of what is left; equal nodes are made once. Nodes
// stand in topological order: operands have smaller ids.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace hlsc {

using NodeId = std::uint32_t;

struct Bit {
  static constexpr NodeId kConstant = ~NodeId{0};
  NodeId node = kConstant;
  std::uint32_t index = 0;  ///< bit of the node; of a constant: 0, 1 or 2 (X, any value will do)

  friend bool operator==(const Bit&, const Bit&) = default;
  bool isConstant() const { return node == kConstant; }
  bool isZero() const { return isConstant() && index == 0; }
  bool isOne() const { return isConstant() && index == 1; }
  bool isX() const { return isConstant() && index == 2; }
};

inline constexpr Bit kZero{Bit::kConstant, 0};
inline constexpr Bit kOne{Bit::kConstant, 1};
inline constexpr Bit kX{Bit::kConstant, 2};

using Value = std::vector<Bit>;

enum class Kind : std::uint8_t {
  input,   ///< source: an input port, or the answer of a lookup
  bitAnd,  ///< a & b
  bitOr,   ///< a | b
  bitXor,  ///< a ^ b
  bitNot,  ///< ~a
  mux,     ///< sel ? a : b, sel is one bit
  add,     ///< a + b, modulo 2^width
  sub,     ///< a - b, modulo 2^width
  mul,     ///< a * b, modulo 2^width
  ult,     ///< a < b, unsigned, one bit
  eq,      ///< a == b, one bit
  parity,  ///< bit i is the XOR of all bits of operand i; operands of any width
  count,   ///< number of ones in a
};

const char* kindName(Kind kind);

/// Where in the source a node comes from; empty when unknown.
struct Origin {
  std::string name;  ///< variable that holds the value
  std::string file;  ///< base name
  unsigned line = 0;
};

struct Node {
  Kind kind;
  std::uint32_t width;  ///< bits of the result
  std::vector<Value> operands;
  Origin origin;
};

class Netlist {
 public:
  const std::vector<Node>& nodes() const { return nodes_; }
  const Node& node(NodeId id) const { return nodes_[id]; }

  /// All bits of a new source of `width` bits.
  Value addInput(unsigned width, Origin origin);

  // Operands of one operation have the same width. Results have it too, comparisons have one bit.
  // X in an operand is a bit whose value does not matter.
  Value bitAnd(const Value& a, const Value& b);
  Value bitOr(const Value& a, const Value& b);
  Value bitXor(const Value& a, const Value& b);
  Value bitNot(const Value& a);
  Value mux(Bit select, const Value& when_set, const Value& when_clear);
  Value add(const Value& a, const Value& b);
  Value sub(const Value& a, const Value& b);
  Value mul(const Value& a, const Value& b);
  Bit ult(const Value& a, const Value& b);
  Bit slt(const Value& a, const Value& b);
  Bit eq(const Value& a, const Value& b);
  /// Shifts by a variable amount; an amount of the width or more gives `fill` in every bit (C++ leaves that undefined).
  Value shiftLeft(const Value& a, const Value& amount);
  Value shiftRight(const Value& a, const Value& amount, Bit fill);
  /// Number of ones in `a`, in `width` bits (modulo 2^width): a sum of counts of up to `widest` bits.
  Value popcount(const Value& a, unsigned width, std::size_t widest = ~std::size_t{0});
  /// Bit i is the XOR of all bits of rows[i].
  Value parity(const std::vector<Value>& rows);

  /// `kind` by its builder; for passes that rebuild a netlist.
  Value build(Kind kind, const std::vector<Value>& operands);

  /// New nodes get this origin until the next call.
  void setOrigin(Origin origin) { origin_ = std::move(origin); }
  /// Names the node that `value` is exactly the result of, unless it has a name already.
  void nameValue(const Value& value, const std::string& name);

 private:
  Value countOf(const Value& bits, unsigned width, std::size_t widest);
  bool isInverse(Bit a, Bit b) const;
  Value bitwise(Kind kind, const Value& a, const Value& b);
  Value makeNode(Kind kind, unsigned width, std::vector<Value> operands);
  /// One node over the range of `pending` bits; fills these in `done`.
  void makeWordNode(Kind kind, const std::vector<Value>& operands, const std::vector<bool>& pending, Value& done);

  std::vector<Node> nodes_;
  std::unordered_map<std::size_t, std::vector<NodeId>> by_hash_;
  Origin origin_;
};

// Values without a netlist.
Value constantValue(unsigned width, std::uint64_t value);
Value undefinedValue(unsigned width);
Value slice(const Value& value, unsigned low, unsigned width);
Value concatenate(const Value& low, const Value& high);
Value zeroExtend(const Value& value, unsigned width);
Value signExtend(const Value& value, unsigned width);
bool isConstant(const Value& value);

}  // namespace hlsc
