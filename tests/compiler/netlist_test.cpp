// SPDX-License-Identifier: Apache-2.0
// Builders simplify; whatever they make must mean what the operation means.
#include "netlist.h"

#include <gtest/gtest.h>

#include <random>

#include "evaluate.h"
#include "optimize.h"

namespace hlsc {
namespace {

std::uint64_t toNumber(const BitVector& bits) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bits.size(); ++i) number |= static_cast<std::uint64_t>(bits[i]) << i;
  return number;
}

BitVector toBits(std::uint64_t number, unsigned width) {
  BitVector bits(width);
  for (unsigned i = 0; i < width; ++i) bits[i] = (number >> i) & 1;
  return bits;
}

std::uint64_t mask(unsigned width) {
  return width == 64 ? ~0ULL : (1ULL << width) - 1;
}

/// An operand with some bits replaced by constants, and what it is for given inputs.
struct Operand {
  Value value;
  std::uint64_t set = 0, clear = 0;
  std::uint64_t of(std::uint64_t input) const { return (input | set) & ~clear; }
};

class Builders : public ::testing::TestWithParam<unsigned> {
 protected:
  static constexpr int kRounds = 400;

  Operand operand(Module& module, unsigned width, int constants) {
    const Value input = module.netlist.addInput(width, {});
    module.inputs.push_back({"i" + std::to_string(module.inputs.size()), "", width, input[0].node});
    Operand made{input, 0, 0};
    for (unsigned i = 0; i < width; ++i) {
      const bool fix = constants == 2 || (constants == 1 && random_() % 3 == 0);
      if (!fix) continue;
      const bool one = random_() % 2;
      made.value[i] = one ? kOne : kZero;
      (one ? made.set : made.clear) |= 1ULL << i;
    }
    return made;
  }

  /// Builds the operation over two operands, random bits of which are constant, and compares with `reference` on random
  /// inputs.
  template <class Build, class Reference>
  void check(Build build, Reference reference) {
    const unsigned width = GetParam();
    for (int round = 0; round < kRounds; ++round) {
      Module module;
      const Operand a = operand(module, width, static_cast<int>(random_() % 4)),
                    b = operand(module, width, static_cast<int>(random_() % 4));
      module.outputs.push_back({"r", "r", build(module.netlist, a.value, b.value)});
      verify(module);
      const Module optimized = optimize(module);
      for (int sample = 0; sample < 8; ++sample) {
        std::uint64_t x = random_() & mask(width), y = sample == 0 ? x : random_() & mask(width);
        const std::vector<BitVector> inputs = {toBits(x, width), toBits(y, width)};
        const std::uint64_t want = reference(a.of(x) & mask(width), b.of(y) & mask(width)) &
                                   mask(static_cast<unsigned>(module.outputs[0].value.size()));
        ASSERT_EQ(toNumber(evaluate(module, inputs, nullptr)[0]), want) << "width " << width << " round " << round;
        ASSERT_EQ(toNumber(evaluate(optimized, inputs, nullptr)[0]), want)
            << "optimized, width " << width << " round " << round;
      }
    }
  }

  std::mt19937_64 random_{GetParam()};
};

TEST_P(Builders, bitwise) {
  check([](Netlist& n, const Value& a, const Value& b) { return n.bitAnd(a, b); },
        [](auto a, auto b) { return a & b; });
  check([](Netlist& n, const Value& a, const Value& b) { return n.bitOr(a, b); }, [](auto a, auto b) { return a | b; });
  check([](Netlist& n, const Value& a, const Value& b) { return n.bitXor(a, b); },
        [](auto a, auto b) { return a ^ b; });
  check([](Netlist& n, const Value& a, const Value& b) { return n.bitXor(n.bitNot(a), b); },
        [](auto a, auto b) { return ~a ^ b; });
}

TEST_P(Builders, arithmetic) {
  check([](Netlist& n, const Value& a, const Value& b) { return n.add(a, b); }, [](auto a, auto b) { return a + b; });
  check([](Netlist& n, const Value& a, const Value& b) { return n.sub(a, b); }, [](auto a, auto b) { return a - b; });
  check([](Netlist& n, const Value& a, const Value& b) { return n.mul(a, b); }, [](auto a, auto b) { return a * b; });
}

TEST_P(Builders, comparisons) {
  const unsigned width = GetParam();
  const auto sign = [width](std::uint64_t x) { return static_cast<std::int64_t>(x << (64 - width)) >> (64 - width); };
  check([](Netlist& n, const Value& a, const Value& b) { return Value{n.ult(a, b)}; },
        [](auto a, auto b) -> std::uint64_t { return a < b; });
  check([](Netlist& n, const Value& a, const Value& b) { return Value{n.eq(a, b)}; },
        [](auto a, auto b) -> std::uint64_t { return a == b; });
  check([](Netlist& n, const Value& a, const Value& b) { return Value{n.slt(a, b)}; },
        [sign](auto a, auto b) -> std::uint64_t { return sign(a) < sign(b); });
}

TEST_P(Builders, mux_selects) {
  check([](Netlist& n, const Value& a, const Value& b) { return n.mux(a[0], a, b); },
        [](auto a, auto b) { return a & 1 ? a : b; });
  check([](Netlist& n, const Value& a, const Value& b) { return n.mux(n.bitNot(b)[0], a, n.bitNot(a)); },
        [](auto a, auto b) { return b & 1 ? ~a : a; });
}

TEST_P(Builders, shifts) {
  const unsigned width = GetParam();
  check([](Netlist& n, const Value& a,
           const Value& b) { return n.shiftLeft(a, slice(b, 0, std::min(7U, static_cast<unsigned>(b.size())))); },
        [width](auto a, auto b) -> std::uint64_t { return (b & 127) >= width ? 0 : a << (b & 127); });
  check(
      [](Netlist& n, const Value& a, const Value& b) {
        return n.shiftRight(a, slice(b, 0, std::min(7U, static_cast<unsigned>(b.size()))), kOne);
      },
      [width](auto a, auto b) -> std::uint64_t {
        const auto by = b & 127;
        return by >= width ? mask(width) : (a >> by) | (mask(width) & ~(mask(width) >> by));
      });
}

TEST_P(Builders, popcount) {
  check([](Netlist& n, const Value& a, const Value&) { return n.popcount(a, 8); },
        [](auto a, auto) -> std::uint64_t { return static_cast<std::uint64_t>(__builtin_popcountll(a)); });
}

INSTANTIATE_TEST_SUITE_P(widths, Builders, ::testing::Values(1U, 2U, 3U, 7U, 8U, 16U, 33U, 64U));

TEST(Netlist, wiring_costs_no_node) {
  Netlist netlist;
  const Value a = netlist.addInput(32, {});
  const std::size_t before = netlist.nodes().size();
  const Value swapped = concatenate(slice(a, 24, 8), slice(a, 0, 24));
  const Value masked = netlist.bitAnd(swapped, constantValue(32, 0x00FF'00FF));
  netlist.bitOr(netlist.shiftLeft(masked, constantValue(5, 8)),
                netlist.shiftRight(masked, constantValue(5, 24), kZero));
  EXPECT_EQ(netlist.nodes().size(), before);
}

TEST_P(Builders, parities) {
  check([](Netlist& n, const Value& a, const Value& b) { return n.parity({concatenate(a, b), a, concatenate(b, b)}); },
        [](auto a, auto b) {
          const auto odd = [](auto x) { return static_cast<std::uint64_t>(__builtin_parityll(x)); };
          return (odd(a) ^ odd(b)) | odd(a) << 1;
        });
}

TEST_P(Builders, mux_of_a_value_and_its_inverse) {
  check([](Netlist& n, const Value& a, const Value& b) { return n.mux(a[0], n.bitNot(b), b); },
        [](auto a, auto b) { return a & 1 ? ~b : b; });
}

TEST(Netlist, mux_of_a_value_and_its_inverse_is_linear) {
  Netlist netlist;
  const Value a = netlist.addInput(8, {}), s = netlist.addInput(1, {});
  const Value r = netlist.mux(s[0], netlist.bitXor(a, constantValue(8, 0xA5)), a);
  EXPECT_EQ(netlist.node(r[0].node).kind, Kind::bitXor);
  EXPECT_EQ(r[1], a[1]);
}

TEST(Netlist, wide_counts_are_sums_of_counts_that_fit_a_clock) {
  Module module;
  const Value a = module.netlist.addInput(300, {});
  module.inputs = {{"a", "a", 300, a[0].node}};
  module.outputs = {{"r", "r", module.netlist.popcount(a, 9, 64)}, {"m", "m", module.netlist.popcount(a, 3, 64)}};
  verify(module);
  for (const Node& node : module.netlist.nodes()) {
    if (node.kind == Kind::count) EXPECT_LE(node.operands[0].size(), 64U);
  }
  BitVector ones(300, true);
  ones[17] = false;
  EXPECT_EQ(toNumber(evaluate(module, {ones}, nullptr)[0]), 299U);
  EXPECT_EQ(toNumber(evaluate(module, {ones}, nullptr)[1]), 299U % 8);
}

TEST(Netlist, product_with_a_negative_constant_is_few_sums) {
  Module module;
  const Value a = module.netlist.addInput(8, {});
  module.inputs = {{"a", "a", 8, a[0].node}};
  module.outputs = {{"r", "r", module.netlist.mul(zeroExtend(a, 32), constantValue(32, 0xFFFF'FF9C))}};  // -100
  EXPECT_LE(module.netlist.nodes().size(), 5U);
  for (std::uint64_t x : {0U, 1U, 77U, 255U})
    EXPECT_EQ(toNumber(evaluate(module, {toBits(x, 8)}, nullptr)[0]), (0 - x * 100) & mask(32));
}

TEST(Netlist, sign_and_carry_are_wires) {
  Netlist netlist;
  const Value x = netlist.addInput(9, {});
  const std::size_t before = netlist.nodes().size();
  EXPECT_EQ(netlist.slt(constantValue(9, 0x1FF), x), netlist.bitNot({x[8]})[0]);  // -1 < x
  EXPECT_EQ(netlist.slt(x, constantValue(9, 0)), x[8]);
  EXPECT_EQ(netlist.ult(constantValue(9, 0xFF), x), x[8]);
  EXPECT_EQ(netlist.ult(x, constantValue(9, 0x100)), netlist.bitNot({x[8]})[0]);
  EXPECT_EQ(netlist.nodes().size(), before + 1);  // the inverter
  EXPECT_NE(netlist.ult(constantValue(9, 0x7F), x), x[8]);
}

TEST(Netlist, equal_operations_are_one_node) {
  Netlist netlist;
  const Value a = netlist.addInput(8, {}), b = netlist.addInput(8, {});
  EXPECT_EQ(netlist.add(a, b), netlist.add(a, b));
  EXPECT_NE(netlist.add(a, b), netlist.add(b, netlist.bitNot(a)));
}

TEST(Netlist, undefined_bits_take_the_cheapest_value) {
  Netlist netlist;
  const Value a = netlist.addInput(8, {}), select = netlist.addInput(1, {});
  EXPECT_EQ(netlist.mux(select[0], a, undefinedValue(8)), a);
  EXPECT_EQ(netlist.mux(select[0], undefinedValue(8), a), a);
  EXPECT_TRUE(netlist.eq(undefinedValue(8), a).isOne());
}

TEST(Module, verify_finds_a_forward_reference) {
  Module module;
  const Value a = module.netlist.addInput(4, {});
  module.inputs.push_back({"a", "a", 4, a[0].node});
  module.outputs.push_back({"r", "r", {Bit{99, 0}, kZero, kZero, kZero}});
  EXPECT_THROW(verify(module), std::logic_error);
}

}  // namespace
}  // namespace hlsc
