// SPDX-License-Identifier: Apache-2.0
#include "netlist.h"

#include <algorithm>
#include <functional>

namespace hlsc {

const char* kindName(Kind kind) {
  static constexpr const char* kNames[] = {"input", "and", "or",  "xor", "not",    "mux",  "add",
                                           "sub",   "mul", "ult", "eq",  "parity", "count"};
  return kNames[static_cast<std::size_t>(kind)];
}

Value constantValue(unsigned width, std::uint64_t value) {
  Value bits(width, kZero);
  for (unsigned i = 0; i < width && i < 64; ++i) bits[i] = (value >> i) & 1 ? kOne : kZero;
  return bits;
}

Value undefinedValue(unsigned width) {
  return Value(width, kX);
}

Value slice(const Value& value, unsigned low, unsigned width) {
  return Value(value.begin() + low, value.begin() + low + width);
}

Value concatenate(const Value& low, const Value& high) {
  Value all = low;
  all.insert(all.end(), high.begin(), high.end());
  return all;
}

Value zeroExtend(const Value& value, unsigned width) {
  Value wide = value;
  wide.resize(width, kZero);
  return wide;
}

Value signExtend(const Value& value, unsigned width) {
  Value wide = value;
  wide.resize(width, value.back());
  return wide;
}

bool isConstant(const Value& value) {
  return std::all_of(value.begin(), value.end(), [](Bit b) { return b.isConstant(); });
}

namespace {

std::size_t combine(std::size_t seed, std::size_t value) {
  return seed ^ (value + 0x9E37'79B9'7F4A'7C15ULL + (seed << 6) + (seed >> 2));
}

std::size_t hashNode(Kind kind, unsigned width, const std::vector<Value>& operands) {
  std::size_t hash = combine(static_cast<std::size_t>(kind), width);
  for (const Value& operand : operands) {
    for (const Bit& bit : operand) hash = combine(hash, (static_cast<std::size_t>(bit.node) << 32) | bit.index);
  }
  return hash;
}

/// X may be any value; arithmetic and comparison need it fixed.
Value withoutX(const Value& value) {
  Value fixed = value;
  std::replace(fixed.begin(), fixed.end(), kX, kZero);
  return fixed;
}

/// X between two bits of a node that go on from each other becomes the node's bits between them: a slice and no parts.
Value withoutGaps(Value value) {
  for (std::size_t i = 1, end = 1; i < value.size(); i = end + 1) {
    for (end = i; end < value.size() && value[end].isX();) ++end;
    const Bit before = value[i - 1];
    const auto gap = static_cast<unsigned>(end - i);
    if (end == value.size() || before.isConstant() || value[end] != Bit{before.node, before.index + gap + 1}) continue;
    for (unsigned k = 0; k < gap; ++k) value[i + k] = {before.node, before.index + 1 + k};
  }
  return value;
}

/// Bits up to the highest that is not constant zero.
unsigned activeWidth(const Value& value) {
  auto width = static_cast<unsigned>(value.size());
  while (width > 0 && value[width - 1].isZero()) --width;
  return width;
}

/// Bits that hold a number up to `most`.
unsigned countWidth(std::size_t most) {
  unsigned width = 1;
  while (most >> width != 0) ++width;
  return width;
}

bool isBefore(Bit a, Bit b) {
  return a.node != b.node ? a.node < b.node : a.index < b.index;
}

/// What is left of a sum modulo 2: bits that occur an odd number of times, in order, a constant one last.
Value oddBits(Value row) {
  row = withoutX(row);
  std::sort(row.begin(), row.end(), isBefore);
  Value odd;
  for (const Bit& bit : row) {
    if (bit.isZero()) continue;
    if (!odd.empty() && odd.back() == bit)
      odd.pop_back();
    else
      odd.push_back(bit);
  }
  return odd;
}

/// A constant modulo 2^width as digits 1, 0 and -1 of the powers of two: a run of ones is its end minus its start
/// (non-adjacent form), where that is fewer digits than ones.
std::vector<int> fewestDigits(const Value& constant) {
  std::vector<int> ones, digits;
  bool carry = false;
  for (std::size_t i = 0; i < constant.size(); ++i) {
    const bool one = constant[i].isOne(), next = i + 1 < constant.size() && constant[i + 1].isOne();
    ones.push_back(one ? 1 : 0);
    digits.push_back(one == carry ? 0 : (next ? -1 : 1));
    carry = (one && carry) || ((one != carry) && next);
  }
  const auto zeros = [](const std::vector<int>& of) { return std::count(of.begin(), of.end(), 0); };
  return zeros(digits) > zeros(ones) ? digits : ones;
}

constexpr unsigned kCompactAbove = 64;

}  // namespace

Value Netlist::addInput(unsigned width, Origin origin) {
  const auto id = static_cast<NodeId>(nodes_.size());
  nodes_.push_back({Kind::input, width, {}, std::move(origin)});
  Value bits(width);
  for (unsigned i = 0; i < width; ++i) bits[i] = {id, i};
  return bits;
}

Value Netlist::makeNode(Kind kind, unsigned width, std::vector<Value> operands) {
  std::vector<NodeId>& same_hash = by_hash_[hashNode(kind, width, operands)];
  auto found = std::find_if(same_hash.begin(), same_hash.end(), [&](NodeId id) {
    const Node& n = nodes_[id];
    return n.kind == kind && n.width == width && n.operands == operands;
  });
  NodeId id = 0;
  if (found != same_hash.end()) {
    id = *found;
  } else {
    id = static_cast<NodeId>(nodes_.size());
    same_hash.push_back(id);
    nodes_.push_back({kind, width, std::move(operands), {"", origin_.file, origin_.line}});
  }
  Value bits(width);
  for (unsigned i = 0; i < width; ++i) bits[i] = {id, i};
  return bits;
}

void Netlist::nameValue(const Value& value, const std::string& name) {
  if (value.empty() || name.empty() || value[0].isConstant()) return;
  Node& node = nodes_[value[0].node];
  if (node.width != value.size() || node.kind == Kind::input || !node.origin.name.empty()) return;
  for (unsigned i = 0; i < value.size(); ++i) {
    if (value[i] != Bit{value[0].node, i}) return;
  }
  node.origin.name = name;
}

// Words stay whole, simplified bits included, because slices of whole words make short RTL that simulates fast; only a
// wide word that is mostly simplified away is squeezed to the bits that are left.
void Netlist::makeWordNode(Kind kind, const std::vector<Value>& operands, const std::vector<bool>& pending,
                           Value& done) {
  const auto width = static_cast<unsigned>(pending.size());
  unsigned low = width, high = 0, left = 0;
  for (unsigned i = 0; i < width; ++i) {
    if (!pending[i]) continue;
    low = std::min(low, i);
    high = i;
    ++left;
  }
  if (left == 0) return;
  const unsigned range = high - low + 1;
  const bool squeeze = range > kCompactAbove && left * 2 < range;
  std::vector<unsigned> chosen;
  for (unsigned i = low; i <= high; ++i) {
    if (!squeeze || pending[i]) chosen.push_back(i);
  }
  std::vector<Value> words;
  for (const Value& operand : operands) {
    if (operand.size() != width) {  // a mux's select
      words.push_back(operand);
      continue;
    }
    Value word;
    for (unsigned i : chosen) word.push_back(operand[i]);
    words.push_back(withoutX(withoutGaps(std::move(word))));
  }
  const Value bits = makeNode(kind, static_cast<unsigned>(chosen.size()), std::move(words));
  for (unsigned i = 0; i < chosen.size(); ++i) {
    if (pending[chosen[i]]) done[chosen[i]] = bits[i];
  }
}

Value Netlist::bitwise(Kind kind, const Value& a, const Value& b) {
  Value done(a.size(), kZero);
  std::vector<bool> pending(a.size(), false), inverted(a.size(), false);
  bool any_inverted = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    Bit x = a[i], y = b[i];
    if (y.isConstant()) std::swap(x, y);  // a constant, if there is one, is x
    if (kind == Kind::bitXor) {
      if (x.isX() || y.isX())
        done[i] = kX;
      else if (x == y)
        done[i] = kZero;
      else if (x.isZero())
        done[i] = y;
      else if (x.isOne() && y.isConstant())
        done[i] = kOne;  // 1 ^ 0: equal constants are done above
      else if (x.isOne())
        inverted[i] = any_inverted = true;
      else
        pending[i] = true;
      continue;
    }
    const Bit absorbing = kind == Kind::bitAnd ? kZero : kOne;
    if (x.isX() || x == absorbing || y == absorbing)
      done[i] = x.isX() && y != absorbing ? (y.isX() ? kX : absorbing) : absorbing;
    else if (x.isConstant() || x == y)
      done[i] = y;
    else
      pending[i] = true;
  }
  if (any_inverted) {
    Value source(a.size(), kZero);
    for (std::size_t i = 0; i < a.size(); ++i) source[i] = a[i].isConstant() ? b[i] : a[i];
    makeWordNode(Kind::bitNot, {source}, inverted, done);
  }
  makeWordNode(kind, {a, b}, pending, done);
  return done;
}

Value Netlist::bitAnd(const Value& a, const Value& b) {
  return bitwise(Kind::bitAnd, a, b);
}
Value Netlist::bitOr(const Value& a, const Value& b) {
  return bitwise(Kind::bitOr, a, b);
}
Value Netlist::bitXor(const Value& a, const Value& b) {
  return bitwise(Kind::bitXor, a, b);
}

Value Netlist::bitNot(const Value& a) {
  Value done(a.size(), kZero);
  std::vector<bool> pending(a.size(), false);
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].isConstant())
      done[i] = a[i].isX() ? kX : (a[i].isOne() ? kZero : kOne);
    else if (nodes_[a[i].node].kind == Kind::bitNot)
      done[i] = nodes_[a[i].node].operands[0][a[i].index];
    else
      pending[i] = true;
  }
  makeWordNode(Kind::bitNot, {a}, pending, done);
  return done;
}

bool Netlist::isInverse(Bit a, Bit b) const {
  const auto inverts = [&](Bit bit, Bit of) {
    return !bit.isConstant() && nodes_[bit.node].kind == Kind::bitNot && nodes_[bit.node].operands[0][bit.index] == of;
  };
  return inverts(a, b) || inverts(b, a) || (a.isZero() && b.isOne());
}

Value Netlist::mux(Bit select, const Value& when_set, const Value& when_clear) {
  if (select.isConstant()) return select.isZero() ? when_clear : when_set;
  if (nodes_[select.node].kind == Kind::bitNot) {
    return mux(nodes_[select.node].operands[0][select.index], when_clear, when_set);
  }
  const auto width = static_cast<unsigned>(when_set.size());
  const auto all = [&](const Value& value, Bit bit) {
    return std::all_of(value.begin(), value.end(), [&](Bit b) { return b == bit || b.isX(); });
  };
  if (all(when_set, kX)) return when_clear;
  if (all(when_clear, kX)) return when_set;
  if (width == 1 || all(when_set, kZero) || all(when_clear, kZero)) {
    const Value selected(width, select);
    if (all(when_clear, kZero)) return bitAnd(selected, when_set);
    if (all(when_set, kZero)) return bitAnd(bitNot(selected), when_clear);
    if (all(when_set, kOne)) return bitOr(selected, when_clear);
    if (all(when_clear, kOne)) return bitOr(bitNot(selected), when_set);
  }
  Value done(width, kZero);
  std::vector<bool> pending(width, false), toggled(width, false);
  bool any_toggled = false;
  for (unsigned i = 0; i < width; ++i) {
    if (when_set[i] == when_clear[i] || when_set[i].isX())
      done[i] = when_clear[i];
    else if (when_clear[i].isX())
      done[i] = when_set[i];
    else if (when_set[i].isOne() && when_clear[i].isZero())
      done[i] = select;
    else if (isInverse(when_set[i], when_clear[i]))
      toggled[i] = any_toggled = true;
    else
      pending[i] = true;
  }
  if (any_toggled) {  // s ? ~x : x is x ^ s: XOR networks stay linear
    Value kept(width, kZero), flip(width, kZero);
    for (unsigned i = 0; i < width; ++i) {
      if (toggled[i]) kept[i] = when_clear[i], flip[i] = select;
    }
    const Value flipped = bitXor(kept, flip);
    for (unsigned i = 0; i < width; ++i) {
      if (toggled[i]) done[i] = flipped[i];
    }
  }
  if (width == 1) {
    if (pending[0]) done = makeNode(Kind::mux, 1, {{select}, when_set, when_clear});
  } else {
    makeWordNode(Kind::mux, {{select}, when_set, when_clear}, pending, done);
  }
  return done;
}

Value Netlist::add(const Value& left, const Value& right) {
  const auto full = static_cast<unsigned>(left.size());
  Value a = withoutX(left), b = withoutX(right);
  const unsigned width = std::min(full, std::max(activeWidth(a), activeWidth(b)) + 1);
  a.resize(width);
  b.resize(width);
  unsigned low = 0;  // where one side has only zeros below, the other passes
  Value done;
  while (low < width && (a[low].isZero() || b[low].isZero())) {
    done.push_back(a[low].isZero() ? b[low] : a[low]);
    ++low;
  }
  if (low == width) return zeroExtend(done, full);
  a = slice(a, low, width - low);
  b = slice(b, low, width - low);
  if (isConstant(a) && isConstant(b)) {
    bool carry = false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const int sum = a[i].isOne() + b[i].isOne() + carry;
      done.push_back(sum & 1 ? kOne : kZero);
      carry = sum > 1;
    }
  } else {
    done = concatenate(done, makeNode(Kind::add, width - low, {a, b}));
  }
  return zeroExtend(done, full);
}

Value Netlist::sub(const Value& left, const Value& right) {
  const auto width = static_cast<unsigned>(left.size());
  Value a = withoutX(left), b = withoutX(right);
  if (a == b) return constantValue(width, 0);
  if (isConstant(b)) {  // a - k is a + (2^width - k): constants stay on the adder's side that simplifies
    Value inverted(width, kZero);
    for (unsigned i = 0; i < width; ++i) inverted[i] = b[i].isOne() ? kZero : kOne;
    return add(a, add(inverted, constantValue(width, 1)));
  }
  unsigned low = 0;
  while (low < width && b[low].isZero()) ++low;
  return concatenate(slice(a, 0, low),
                     makeNode(Kind::sub, width - low, {slice(a, low, width - low), slice(b, low, width - low)}));
}

Value Netlist::mul(const Value& left, const Value& right) {
  const auto width = static_cast<unsigned>(left.size());
  Value a = withoutX(left), b = withoutX(right);
  if (isConstant(a)) std::swap(a, b);
  if (isConstant(b)) {  // sums of shifted copies
    Value plus = constantValue(width, 0), minus = plus;
    const std::vector<int> digits = fewestDigits(b);
    for (unsigned i = 0; i < width; ++i) {
      const Value copy = concatenate(constantValue(i, 0), slice(a, 0, width - i));
      if (digits[i] > 0) plus = add(plus, copy);
      if (digits[i] < 0) minus = add(minus, copy);
    }
    return sub(plus, minus);
  }
  const unsigned needed = std::min(width, activeWidth(a) + activeWidth(b));
  return zeroExtend(makeNode(Kind::mul, needed, {slice(a, 0, needed), slice(b, 0, needed)}), width);
}

Bit Netlist::ult(const Value& left, const Value& right) {
  Value a = withoutX(left), b = withoutX(right);
  while (!a.empty() && a.back() == b.back()) {  // equal bits at the top decide nothing
    a.pop_back();
    b.pop_back();
  }
  if (a.empty()) return kZero;
  if (isConstant(a) && isConstant(b)) return b.back();  // the top bits differ: a < b when b has the one
  if (activeWidth(b) == 0) return kZero;
  if (a.size() == 1) return bitAnd(bitNot(a), b)[0];
  const bool all_ones = std::all_of(a.begin(), a.end(), [](Bit bit) { return bit.isOne(); });
  if (all_ones) return kZero;
  // Against the middle of the range, a comparison is the top bit: how LLVM writes a sign or a carry.
  const auto isTop = [](const Value& value, bool top) {
    return value.back() == (top ? kOne : kZero) &&
           std::all_of(value.begin(), value.end() - 1, [&](Bit bit) { return bit == (top ? kZero : kOne); });
  };
  if (isTop(b, true)) return bitNot({a.back()})[0];
  if (isTop(a, false)) return b.back();
  return makeNode(Kind::ult, 1, {a, b})[0];
}

Bit Netlist::slt(const Value& a, const Value& b) {
  Value x = a, y = b;
  x.back() = bitNot({a.back()})[0];
  y.back() = bitNot({b.back()})[0];
  return ult(x, y);
}

Bit Netlist::eq(const Value& left, const Value& right) {
  Value a, b;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i] == right[i] || left[i].isX() || right[i].isX()) continue;
    if (left[i].isConstant() && right[i].isConstant()) return kZero;
    a.push_back(left[i].isConstant() ? right[i] : left[i]);  // constants on the right
    b.push_back(left[i].isConstant() ? left[i] : right[i]);
  }
  if (a.empty()) return kOne;
  if (a.size() == 1) {
    if (b[0].isOne()) return a[0];
    if (b[0].isZero()) return bitNot(a)[0];
    return bitNot(bitXor(a, b))[0];
  }
  return makeNode(Kind::eq, 1, {a, b})[0];
}

Value Netlist::shiftLeft(const Value& a, const Value& amount) {
  Value reversed(a.rbegin(), a.rend());
  Value shifted = shiftRight(reversed, amount, kZero);
  return Value(shifted.rbegin(), shifted.rend());
}

Value Netlist::shiftRight(const Value& a, const Value& amount, Bit fill) {
  const auto width = static_cast<unsigned>(a.size());
  Value result = a;
  for (unsigned k = 0; k < amount.size(); ++k) {
    const std::uint64_t distance = k < 32 ? std::uint64_t{1} << k : width;
    Value moved(width, fill);
    for (unsigned i = 0; i + distance < width; ++i) moved[i] = result[i + static_cast<unsigned>(distance)];
    result = mux(amount[k], moved, result);
  }
  return result;
}

Value Netlist::popcount(const Value& a, unsigned width, std::size_t widest) {
  Value unknown;
  std::uint64_t ones = 0;
  for (const Bit& bit : a) {
    if (!bit.isConstant())
      unknown.push_back(bit);
    else
      ones += bit.isOne() ? 1 : 0;
  }
  std::sort(unknown.begin(), unknown.end(), isBefore);
  return add(countOf(unknown, width, widest), constantValue(width, ones));
}

Value Netlist::countOf(const Value& bits, unsigned width, std::size_t widest) {
  if (bits.size() > widest) {
    const auto half = static_cast<unsigned>(bits.size() / 2);
    return add(countOf(slice(bits, 0, half), width, widest),
               countOf(slice(bits, half, static_cast<unsigned>(bits.size()) - half), width, widest));
  }
  Value sum = bits;
  if (bits.size() > 1) sum = makeNode(Kind::count, countWidth(bits.size()), {bits});
  sum.resize(width, kZero);
  return sum;
}

Value Netlist::parity(const std::vector<Value>& rows) {
  Value done(rows.size(), kZero);
  std::vector<Value> left;
  std::vector<std::size_t> place;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Value row = oddBits(rows[i]);
    if (row.empty() || row[0].isConstant()) {
      if (!row.empty()) done[i] = kOne;
    } else if (row.size() == 1) {
      done[i] = row[0];
    } else {
      place.push_back(i);
      left.push_back(std::move(row));
    }
  }
  if (left.empty()) return done;
  const Value bits = makeNode(Kind::parity, static_cast<unsigned>(left.size()), std::move(left));
  for (std::size_t k = 0; k < place.size(); ++k) done[place[k]] = bits[k];
  return done;
}

Value Netlist::build(Kind kind, const std::vector<Value>& operands) {
  switch (kind) {
    case Kind::input:
      break;
    case Kind::bitAnd:
      return bitAnd(operands[0], operands[1]);
    case Kind::bitOr:
      return bitOr(operands[0], operands[1]);
    case Kind::bitXor:
      return bitXor(operands[0], operands[1]);
    case Kind::bitNot:
      return bitNot(operands[0]);
    case Kind::mux:
      return mux(operands[0][0], operands[1], operands[2]);
    case Kind::add:
      return add(operands[0], operands[1]);
    case Kind::sub:
      return sub(operands[0], operands[1]);
    case Kind::mul:
      return mul(operands[0], operands[1]);
    case Kind::ult:
      return {ult(operands[0], operands[1])};
    case Kind::eq:
      return {eq(operands[0], operands[1])};
    case Kind::parity:
      return parity(operands);
    case Kind::count:
      return popcount(operands[0], countWidth(operands[0].size()));
  }
  return {};
}

}  // namespace hlsc
