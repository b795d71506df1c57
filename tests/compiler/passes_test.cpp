// SPDX-License-Identifier: Apache-2.0
// Passes over random netlists keep every output and every lookup; the schedule keeps time.
#include <gtest/gtest.h>

#include <random>

#include "evaluate.h"
#include "optimize.h"
#include "pieces.h"
#include "timing.h"

namespace hlsc {
namespace {

class RandomModule {
 public:
  explicit RandomModule(std::uint64_t seed) : random_(seed) {}

  Module make() {
    module_.name = "random";
    for (int i = 0; i < 4; ++i) {
      const Value in = module_.netlist.addInput(kWidths[random_() % 5], {});
      module_.inputs.push_back({"i" + std::to_string(i), "", static_cast<unsigned>(in.size()), in[0].node});
      pool_.push_back(in);
    }
    const std::size_t lookup_at = random_() % 40;
    for (std::size_t i = 0; i < 60; ++i) {
      if (i == lookup_at) addLookup();
      addOperation();
    }
    if (random_() % 2) addChain();
    if (random_() % 2) addXors();
    if (random_() % 2) addCount();
    for (int i = 0; i < 3; ++i) {
      const Value& value = pool_[pool_.size() - 1 - random_() % 20];
      module_.outputs.push_back(
          {"o" + std::to_string(i), "", slice(value, 0, 1 + static_cast<unsigned>(random_() % value.size()))});
    }
    return std::move(module_);
  }

 private:
  static constexpr unsigned kWidths[5] = {1, 3, 8, 17, 70};

  Value any(unsigned width) {
    const Value& value = pool_[random_() % pool_.size()];
    Value fitted = value.size() >= width
                       ? slice(value, static_cast<unsigned>(random_() % (value.size() - width + 1)), width)
                       : zeroExtend(value, width);
    for (Bit& bit : fitted) {
      if (random_() % 12 == 0) bit = random_() % 2 ? kOne : kZero;
    }
    return fitted;
  }

  void addOperation() {
    static constexpr Kind kKinds[] = {Kind::bitAnd, Kind::bitOr, Kind::bitXor, Kind::bitNot, Kind::mux, Kind::mux,
                                      Kind::add,    Kind::sub,   Kind::mul,    Kind::ult,    Kind::eq};
    const Kind kind = kKinds[random_() % std::size(kKinds)];
    const unsigned width = kWidths[random_() % 5];
    std::vector<Value> operands;
    if (kind == Kind::mux) operands.push_back(any(1));
    operands.push_back(any(width));
    if (kind != Kind::bitNot) operands.push_back(any(width));
    pool_.push_back(module_.netlist.build(kind, operands));
  }

  void addLookup() {
    Lookup lookup{"t", 2, any(1)[0], any(9), 0, {{"all", 0, 20}}, 20, false, 0, {}};
    const Value response = module_.netlist.addInput(20, {});
    lookup.response = response[0].node;
    module_.lookups.push_back(lookup);
    pool_.push_back(response);
  }

  void addChain() {
    Value value = any(8);
    for (int i = 0; i < 12; ++i) value = module_.netlist.mux(any(1)[0], any(8), value);
    pool_.push_back(value);
  }

  /// A network deep enough to be flattened, some bits of which are read on the way.
  void addXors() {
    Value state = any(17);
    for (int i = 0; i < 60; ++i) {
      state = module_.netlist.bitXor(concatenate(slice(state, 1, 16), slice(state, 0, 1)), any(17));
      if (random_() % 4 == 0) state = module_.netlist.bitNot(state);
      if (random_() % 16 == 0) pool_.push_back(state);
    }
    pool_.push_back(state);
  }

  void addCount() {
    Value sum = zeroExtend(any(1), 3 + static_cast<unsigned>(random_() % 5));
    for (int i = 0; i < 9; ++i) {
      sum = module_.netlist.add(sum, zeroExtend(any(1), static_cast<unsigned>(sum.size())));
      if (random_() % 8 == 0) pool_.push_back(sum);
    }
    pool_.push_back(sum);
  }

  std::mt19937_64 random_;
  Module module_;
  std::vector<Value> pool_;
};

BitVector answer(const std::string&, const BitVector& key) {
  std::size_t hash = std::hash<BitVector>{}(key);
  BitVector entry(20);
  for (unsigned i = 0; i < 20; ++i) entry[i] = (hash >> i) & 1;
  return entry;
}

std::vector<BitVector> randomInputs(const Module& module, std::mt19937_64& random) {
  std::vector<BitVector> inputs;
  for (const InputPort& port : module.inputs) {
    BitVector bits(port.width);
    for (unsigned i = 0; i < port.width; ++i) bits[i] = random() & 1;
    inputs.push_back(bits);
  }
  return inputs;
}

class Passes : public ::testing::TestWithParam<int> {};

TEST_P(Passes, keep_what_the_module_computes) {
  const Module module = RandomModule(static_cast<std::uint64_t>(GetParam())).make();
  verify(module);
  const std::pair<const char*, Module> variants[] = {{"keepDemanded", keepDemanded(module)},
                                                     {"balanceChains", balanceChains(module, {{}, 1.2})},
                                                     {"flattenXors", flattenXors(module, {{}, 1.2})},
                                                     {"gatherCounts", gatherCounts(module, {{}, 1.2})},
                                                     {"optimize", optimize(module)}};
  std::mt19937_64 random(7);
  for (int sample = 0; sample < 40; ++sample) {
    const std::vector<BitVector> inputs = randomInputs(module, random);
    const std::vector<BitVector> want = evaluate(module, inputs, answer);
    for (const auto& [name, variant] : variants) ASSERT_EQ(evaluate(variant, inputs, answer), want) << name;
  }
}

TEST_P(Passes, schedule_respects_data_clock_and_lookups) {
  const Module module = optimize(RandomModule(static_cast<std::uint64_t>(GetParam())).make());
  const DelayModel delays;
  for (double clock_ns : {1.2, 2.6, 1000.0}) {
    const Schedule made = schedule(module, delays, clock_ns);
    for (NodeId id = 0; id < module.netlist.nodes().size(); ++id) {
      for (const Value& operand : module.netlist.node(id).operands) {
        for (const Bit& bit : operand) ASSERT_TRUE(bit.isConstant() || made.stage[bit.node] <= made.stage[id]);
      }
      ASSERT_LT(made.stage[id], made.latency);
    }
    for (std::size_t i = 0; i < module.lookups.size(); ++i) {
      const Lookup& lookup = module.lookups[i];
      ASSERT_EQ(made.stage[lookup.response], made.request[i] + 1 + lookup.latency);
      for (const Bit& bit : lookup.key) ASSERT_TRUE(bit.isConstant() || made.stage[bit.node] <= made.request[i]);
    }
    if (made.warnings.empty()) {
      EXPECT_LE(made.longest_ns, clock_ns);
    }
  }
  EXPECT_GE(schedule(module, delays, 1.2).latency, schedule(module, delays, 2.6).latency);
}

TEST_P(Passes, schedule_leaves_time_for_each_lut) {
  const Module module = optimize(RandomModule(static_cast<std::uint64_t>(GetParam())).make());
  for (double clock_ns : {1.6, 2.6}) {
    const Clock clock({}, clock_ns);
    const Schedule made = schedule(module, {}, clock_ns);
    if (!made.warnings.empty()) continue;
    Timing timing(clock);
    for (NodeId id = 0; id < module.netlist.nodes().size(); ++id) {
      const Node& node = module.netlist.node(id);
      timing.add(node);
      const bool is_answer = node.kind == Kind::input && made.stage[id] > 0;
      if (node.kind == Kind::input)
        timing.placeSource(id, is_answer ? Arrival{made.stage[id], clock.delays().tableOut()} : clock.source());
      else
        timing.place(id, node);
      ASSERT_LE(timing.stage(id), made.stage[id]) << "earlier than all of its operands";
      if (node.kind != Kind::input) timing.moveTo(id, node, made.stage[id]);
      for (GateId gate = timing.begin(id); gate < timing.end(id); ++gate)
        ASSERT_TRUE(clock.fits(timing.cover().arrival(gate))) << kindName(node.kind) << " " << id;
    }
  }
}

TEST_P(Passes, balancing_never_makes_anything_later) {
  const Module module = keepDemanded(RandomModule(static_cast<std::uint64_t>(GetParam())).make());
  for (double clock_ns : {1.2, 2.6, 1000.0}) {
    const Schedule before = schedule(module, {}, clock_ns);
    const Schedule after = schedule(keepDemanded(balanceChains(module, {{}, clock_ns})), {}, clock_ns);
    EXPECT_LE(after.latency, before.latency);
    if (after.latency == 1 && before.latency == 1) {
      EXPECT_LE(after.longest_ns, before.longest_ns + 1e-9);
    }
  }
}

TEST_P(Passes, pieces_hold_every_used_bit_at_every_use) {
  const Module module = optimize(RandomModule(static_cast<std::uint64_t>(GetParam())).make());
  const Schedule made = schedule(module, {}, 1.2);
  const Pieces pieces(module, made);
  for (NodeId id = 0; id < module.netlist.nodes().size(); ++id) {
    for (const Piece& piece : pieces.of(id)) {
      unsigned at = made.stage[id];
      std::size_t reached = 0;
      for (const Hop& hop : pieces.hops(piece)) {
        ASSERT_EQ(hop.from, at);
        ASSERT_TRUE(hop.to - hop.from == 1 || hop.to - hop.from >= kDelayLineFrom);
        at = hop.to;
        if (reached < piece.uses.size() && piece.uses[reached] == at) ++reached;
      }
      ASSERT_EQ(reached, piece.uses.size());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(seeds, Passes, ::testing::Range(1, 41));

unsigned countKind(const Module& module, Kind kind) {
  unsigned count = 0;
  for (const Node& node : module.netlist.nodes()) count += node.kind == kind ? 1 : 0;
  return count;
}

/// A shift register of 16 bits that takes `rounds` bits of its input, with feedback: as a CRC.
Module shiftRegister(unsigned rounds) {
  Module module;
  const Value in = module.netlist.addInput(rounds, {});
  module.inputs = {{"a", "a", rounds, in[0].node}};
  Value state = constantValue(16, 0xFFFF);
  for (unsigned i = 0; i < rounds; ++i) {
    const Bit out = module.netlist.bitXor({state[0]}, {in[i]})[0];
    Value feedback(16, kZero);
    for (unsigned tap : {15U, 12U, 5U, 0U}) feedback[tap] = out;
    state = module.netlist.bitXor(concatenate(slice(state, 1, 15), {kZero}), feedback);
  }
  module.outputs.push_back({"r", "r", state});
  return module;
}

TEST(FlattenXors, makes_a_deep_network_parities) {
  const Module flat = optimize(shiftRegister(200));
  EXPECT_LE(flat.netlist.nodes().size(), 17U);
  EXPECT_GE(countKind(flat, Kind::parity), 1U);
  EXPECT_EQ(countKind(flat, Kind::bitXor), 0U);
}

TEST(FlattenXors, leaves_a_shallow_network_as_words) {
  EXPECT_EQ(countKind(optimize(shiftRegister(10)), Kind::parity), 0U);
}

TEST(FlattenXors, cuts_a_parity_that_is_deeper_than_a_clock) {
  const Module flat = optimize(shiftRegister(200), {{}, 2.0});
  EXPECT_GE(countKind(flat, Kind::parity), 2U);
  const Schedule made = schedule(flat, {}, 2.0);
  EXPECT_TRUE(made.warnings.empty());
  EXPECT_EQ(made.latency, 2U);
}

/// x ^ (a & b) ^ c: one LUT per bit.
Value mix(Netlist& netlist, const Value& x) {
  const auto turned = [&](unsigned by) { return concatenate(slice(x, 32 - by, by), slice(x, 0, 32 - by)); };
  return netlist.bitXor(netlist.bitXor(x, netlist.bitAnd(turned(7), turned(13))), turned(22));
}

TEST(Schedule, puts_registers_between_luts_not_inside) {
  Module module;
  const Value in = module.netlist.addInput(32, {});
  module.inputs = {{"a", "a", 32, in[0].node}};
  Value value = in;
  for (int i = 0; i < 9; ++i) value = mix(module.netlist, value);
  module.outputs.push_back({"r", "r", value});
  const Module made = optimize(module);
  const Schedule stages = schedule(made, {}, 2.6);
  EXPECT_EQ(stages.latency, 3U);
  const Pieces pieces(made, stages);
  for (NodeId id = 0; id < made.netlist.nodes().size(); ++id) {
    if (made.netlist.node(id).kind == Kind::bitAnd) {
      for (const Piece& piece : pieces.of(id)) EXPECT_TRUE(piece.uses.empty());
    }
  }
}

TEST(Schedule, waits_with_what_widens_and_hurries_with_what_narrows) {
  Module module;
  const Value in = module.netlist.addInput(96, {});
  module.inputs = {{"a", "a", 96, in[0].node}};
  const Value a = slice(in, 0, 32), b = slice(in, 32, 32), c = slice(in, 64, 32);
  const Value late = module.netlist.mul(module.netlist.mul(a, b), module.netlist.mul(b, c));
  const Bit narrow = module.netlist.ult(slice(a, 0, 16), slice(b, 0, 16));
  const Value side = zeroExtend(slice(c, 0, 4), 8);
  const Value wide = module.netlist.mul(side, side);  // 8 bits of 4
  module.outputs = {{"l", "l", late}, {"n", "n", {narrow}}, {"w", "w", wide}};
  const Schedule made = schedule(module, {}, 4.5);
  EXPECT_GE(made.latency, 2U);
  EXPECT_EQ(made.stage[narrow.node], 0U);
  EXPECT_EQ(made.stage[wide[0].node], made.latency - 1);
}

TEST(FlattenXors, folds_words_as_a_balanced_tree_of_words) {
  Module module;
  const Value in = module.netlist.addInput(8 * 64, {});
  module.inputs = {{"a", "a", 8 * 64, in[0].node}};
  Value fold = slice(in, 0, 8);
  for (unsigned i = 1; i < 64; ++i) fold = module.netlist.bitXor(fold, slice(in, i * 8, 8));
  module.outputs.push_back({"r", "r", fold});
  const Module flat = optimize(module);
  EXPECT_EQ(countKind(flat, Kind::bitXor), 63U);
  EXPECT_EQ(schedule(flat, {}, 2.6).latency, 1U);
}

TEST(GatherCounts, makes_a_sum_of_bits_one_count) {
  Module module;
  const Value in = module.netlist.addInput(33, {});
  module.inputs = {{"a", "a", 33, in[0].node}};
  Value sum = constantValue(32, 0);
  for (unsigned i = 0; i < 33; ++i) sum = module.netlist.add(sum, zeroExtend({in[i]}, 32));
  module.outputs.push_back({"r", "r", slice(sum, 0, 7)});
  EXPECT_EQ(optimize(module, {{}, 100}).netlist.nodes().size(), 2U);
}

TEST(BalanceChains, turns_a_chain_into_a_tree) {
  Module module;
  Value value = constantValue(16, 0);
  const Value selects = module.netlist.addInput(32, {}), values = module.netlist.addInput(512, {});
  module.inputs = {{"s", "s", 32, selects[0].node}, {"v", "v", 512, values[0].node}};
  for (unsigned i = 0; i < 32; ++i) value = module.netlist.mux(selects[i], slice(values, i * 16, 16), value);
  module.outputs.push_back({"r", "r", value});
  const unsigned chain = schedule(keepDemanded(module), {}, 2.6).latency;
  const unsigned tree = schedule(optimize(module), {}, 2.6).latency;
  EXPECT_GE(chain, 4U);
  EXPECT_LE(tree, 2U);
}

/// A first match of `arms` early values before a value behind two dependent additions.
Module chainWithLateTail(unsigned arms) {
  Module module;
  const Value selects = module.netlist.addInput(arms, {}), values = module.netlist.addInput(arms * 16, {});
  module.inputs = {{"s", "s", arms, selects[0].node}, {"v", "v", arms * 16, values[0].node}};
  Value value =
      module.netlist.sub(slice(values, 0, 16), module.netlist.add(slice(values, 16, 16), zeroExtend(selects, 16)));
  for (unsigned i = arms; i-- > 0;) value = module.netlist.mux(selects[i], slice(values, i * 16, 16), value);
  module.outputs.push_back({"r", "r", value});
  return module;
}

TEST(BalanceChains, lets_what_is_late_enter_late) {
  const DelayModel delays;
  const Module late = chainWithLateTail(8);
  const Schedule made = schedule(optimize(late, {delays, 1000}), delays, 1000);
  const double tail = delays.registerOut() + delays.operation(Kind::add, 16) + delays.operation(Kind::sub, 16);
  // The early arms are a tree beside the additions, so that one LUT is left behind these.
  EXPECT_NEAR(made.longest_ns, tail + delays.lut(0), 1e-9);
}

TEST(BalanceChains, joins_the_earliest_of_a_conjunction_first) {
  Module module;
  const Value flags = module.netlist.addInput(4, {}), words = module.netlist.addInput(64, {});
  module.inputs = {{"f", "f", 4, flags[0].node}, {"w", "w", 64, words[0].node}};
  Value all = {module.netlist.ult(slice(words, 0, 32), slice(words, 32, 32))};
  for (const Bit& flag : flags) all = module.netlist.bitAnd(all, {flag});
  module.outputs.push_back({"r", "r", all});
  const DelayModel delays;
  const Schedule made = schedule(optimize(module, {delays, 1000}), delays, 1000);
  EXPECT_NEAR(made.longest_ns, delays.registerOut() + delays.operation(Kind::ult, 32) + delays.lut(0), 1e-9);
}

}  // namespace
}  // namespace hlsc
