// SPDX-License-Identifier: Apache-2.0
// hls_ap.h: results as wide as ap_int.h makes them, a kernel with all of it natively and as netlist, and an example
// that gives the netlist of the same in hls::bits.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "../support/kernel_values.h"
#include "ap_mix_rtl.h"
#include "compile.h"
#include "emit.h"
#include "evaluate.h"
#include "kernels/ap_mix.h"

namespace poplink::tests {
template <int W>
struct WidthOf<hls::ap_base<W, false>> {
  static constexpr unsigned kWidth = W;
};
}  // namespace poplink::tests

namespace ap_mix {

FoundEntry lookup_found(ap_uint<13> key) {
  return {key[0] == 0, ap_uint<12>(key * 7 + 3)};
}

}  // namespace ap_mix

namespace {

using hlsc::Bit;
using hlsc::BitVector;
using hlsc::Module;
using hlsc::NodeId;

TEST(Ap, results_are_as_wide_as_their_values) {
  ap_uint<8> u;
  ap_uint<5> v;
  ap_int<6> s;
  static_assert(std::is_same_v<decltype(u + v), ap_uint<9>>);
  static_assert(std::is_same_v<decltype(u - v), ap_int<9>>);
  static_assert(std::is_same_v<decltype(u * v), ap_uint<13>>);
  static_assert(std::is_same_v<decltype(u + s), ap_int<10>>);
  static_assert(std::is_same_v<decltype(u * s), ap_int<14>>);
  static_assert(std::is_same_v<decltype(u + 1), ap_int<33>>);
  static_assert(std::is_same_v<decltype(u + 1U), ap_uint<33>>);
  static_assert(std::is_same_v<decltype(u & v), ap_uint<8>>);
  static_assert(std::is_same_v<decltype(u | s), ap_int<9>>);
  static_assert(std::is_same_v<decltype(~u), ap_uint<8>>);
  static_assert(std::is_same_v<decltype(-u), ap_int<9>>);
  static_assert(std::is_same_v<decltype(u << 3), ap_uint<8>>);
  static_assert(std::is_same_v<decltype(u / s), ap_int<9>>);
  static_assert(std::is_same_v<decltype(u % v), ap_uint<5>>);
  static_assert(std::is_trivially_copyable_v<ap_uint<8>> && sizeof(ap_uint<8>) == 1);
  std::mt19937_64 random(1);
  for (int i = 0; i < 10'000; ++i) {
    u = random();
    v = random();
    s = random();
    const auto x = static_cast<long>(u), y = static_cast<long>(v), z = static_cast<long>(s);
    ASSERT_TRUE(z >= -32 && z < 32);
    ASSERT_EQ(static_cast<long>(u + v), x + y);
    ASSERT_EQ(static_cast<long>(u - v), x - y);
    ASSERT_EQ(static_cast<long>(u * s), x * z);
    ASSERT_EQ(static_cast<long>(s - u), z - x);
    ASSERT_EQ(static_cast<long>(-u), -x);
    ASSERT_EQ(static_cast<long>((u - v) >> 1), (x - y) >> 1);
    ASSERT_EQ(static_cast<long>(s | u), z | x);
    ASSERT_EQ(u < s, x < z);
    ASSERT_EQ(s >= v, z >= y);
    if (y != 0) ASSERT_EQ(static_cast<long>(u / v) * y + static_cast<long>(u % v), x);
    if (z != 0) ASSERT_EQ(static_cast<long>(u / s), x / z);
    ASSERT_EQ(static_cast<long>((u, v)), x * 32 + y);
    ASSERT_EQ(static_cast<long>((u.range(6, 2), v[4], u)), ((x >> 2 & 31) << 9) + (y >> 4 << 8) + x);
    ap_uint<8> high;
    ap_uint<5> low;
    (high, low) = (u, v);
    ASSERT_TRUE(high == u && low == v);
    (high.range(3, 0), low[2]) = v;
    ASSERT_EQ(high, (x & 0xF0) + y / 2);
    ASSERT_EQ(low, (y & 27) + (y & 1) * 4);
  }
}

TEST(Ap, kernel_means_the_same_natively_and_as_netlist) {
  hlsc::CompileOptions options;
  options.kernel = "ap_mix";
  options.clang_arguments = {"-I" POPLINK_HLS_INCLUDE};
  const hlsc::Compiled compiled = hlsc::compile(POPLINK_KERNELS "/ap_mix.cpp", options);
  const auto answer = [](const std::string&, const BitVector& key) {
    unsigned number = 0;
    for (std::size_t i = 0; i < key.size(); ++i) number |= static_cast<unsigned>(key[i]) << i;
    const ap_mix::FoundEntry entry = ap_mix::lookup_found(number);
    BitVector bits;
    poplink::tests::appendBits(entry.valid, bits);
    poplink::tests::appendBits(entry.value, bits);
    return bits;
  };
  std::mt19937_64 random(2);
  for (int round = 0; round < 3000; ++round) {
    ap_mix::In in{};
    ap_mix::Out out{};
    std::vector<BitVector> inputs, want;
    ap_mix_rtl::forEachInput(in, [&](const char*, auto& member) {
      poplink::tests::randomise(member, random);
      poplink::tests::appendBits(member, inputs.emplace_back());
    });
    ap_mix::ap_mix(in, out);
    std::vector<std::string> names;
    ap_mix_rtl::forEachOutput(out, [&](const char* name, auto& member) {
      poplink::tests::appendBits(member, want.emplace_back());
      names.emplace_back(name);
    });
    for (const Module* module : {&compiled.converted, &compiled.module}) {
      const std::vector<BitVector> got = hlsc::evaluate(*module, inputs, answer);
      for (std::size_t i = 0; i < want.size(); ++i) ASSERT_EQ(got[i], want[i]) << names[i] << ", round " << round;
    }
  }
}

/// Whether two netlists are one but for the numbers of their nodes: walked from the outputs, node by node.
class SameNetlist {
 public:
  SameNetlist(const Module& a, const Module& b) : a_(a), b_(b) {}
  bool check() {
    if (a_.outputs.size() != b_.outputs.size() || a_.inputs.size() != b_.inputs.size() ||
        a_.lookups.size() != b_.lookups.size() || a_.netlist.nodes().size() != b_.netlist.nodes().size())
      return false;
    for (std::size_t i = 0; i < a_.inputs.size(); ++i) {
      if (a_.inputs[i].path != b_.inputs[i].path || !node(a_.inputs[i].node, b_.inputs[i].node)) return false;
    }
    for (std::size_t i = 0; i < a_.lookups.size(); ++i) {
      const hlsc::Lookup &x = a_.lookups[i], &y = b_.lookups[i];
      if (x.table != y.table || !node(x.response, y.response) || !value(x.key, y.key) ||
          !value({x.request}, {y.request}))
        return false;
    }
    for (std::size_t i = 0; i < a_.outputs.size(); ++i) {
      if (a_.outputs[i].path != b_.outputs[i].path || !value(a_.outputs[i].value, b_.outputs[i].value)) return false;
    }
    return true;
  }

 private:
  bool node(NodeId x, NodeId y) {
    const auto [known, fresh] = pairs_.emplace(x, y);
    if (!fresh) return known->second == y;
    const hlsc::Node &m = a_.netlist.node(x), &n = b_.netlist.node(y);
    if (m.kind != n.kind || m.width != n.width || m.operands.size() != n.operands.size()) return false;
    for (std::size_t i = 0; i < m.operands.size(); ++i) {
      if (!value(m.operands[i], n.operands[i])) return false;
    }
    return true;
  }
  bool value(const hlsc::Value& x, const hlsc::Value& y) {
    if (x.size() != y.size()) return false;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (x[i].index != y[i].index || x[i].isConstant() != y[i].isConstant()) return false;
      if (!x[i].isConstant() && !node(x[i].node, y[i].node)) return false;
    }
    return true;
  }

  const Module &a_, &b_;
  std::map<NodeId, NodeId> pairs_;
};

TEST(Ap, example_gives_the_netlist_of_the_same_in_bits) {
  hlsc::CompileOptions options;
  options.kernel = "classify";
  options.clang_arguments = {"-I" POPLINK_HLS_INCLUDE};
  const hlsc::Compiled bits = hlsc::compile(POPLINK_EXAMPLES "/classify.cpp", options);
  const hlsc::Compiled ap = hlsc::compile(POPLINK_KERNELS "/classify_ap.cpp", options);
  EXPECT_TRUE(SameNetlist(bits.module, ap.module).check());
  const hlsc::EmitOptions emit{"classify.cpp", "", {}, 2.6};
  EXPECT_EQ(emitReport(bits.module, bits.schedule, emit, {}), emitReport(ap.module, ap.schedule, emit, {}));
  EXPECT_EQ(emitHeader(bits.module, bits.schedule, emit), emitHeader(ap.module, ap.schedule, emit));
  EXPECT_EQ(emitPackage(bits.module, bits.schedule, emit), emitPackage(ap.module, ap.schedule, emit));
  hlsc::Module other = ap.module;
  other.outputs[0].value[0] = other.outputs[0].value[1];
  EXPECT_FALSE(SameNetlist(bits.module, other).check());
}

}  // namespace
