// SPDX-License-Identifier: Apache-2.0
// The ECMP pipeline against its own source on a million random frames with bubbles.
#include "ecmp_rtl.h"

#include <gtest/gtest.h>

#include "Vecmp.h"
#include "ecmp_model.h"
#include "forward_model.h"
#include "kernel_bench.h"

namespace poplink::tests {
namespace {

struct Bench {
  using In = kernels::EcmpIn;
  using Out = kernels::EcmpOut;
  using Dut = Vecmp;
  static constexpr unsigned kLatency = ecmp_rtl::kLatency;

  Bench() {
    std::mt19937_64 random(5);
    for (auto& entry : tables.group) {
      entry = {random() % 8 != 0, static_cast<hls::bits<16>>(random()), static_cast<hls::bits<16>>(random()),
               static_cast<hls::bits<4>>(6 + random() % 7)};
    }
    const auto member = [&] { return static_cast<hls::bits<4>>(random()); };
    for (auto& entry : tables.bucket) entry = {random() % 16 != 0, member(), member(), member()};
    for (auto& entry : tables.lag) entry = {random() % 16 != 0, member(), member(), member()};
    for (auto& entry : tables.link) entry = {random() % 8 != 0, static_cast<hls::bits<16>>(random() & random())};
    tables.live_ports = 0x9B5D;
  }

  static In makeInput(std::mt19937_64& random) {
    const Frame frame = random() % 4 == 0 ? randomFrame(random, 60 + random() % 80) : ipFrame(random);
    const kernels::ForwardIn window = headerWindow(frame, 0);
    In in{};
    std::copy(std::begin(window.header), std::end(window.header), std::begin(in.header));
    in.length = window.length;
    in.group = static_cast<hls::bits<10>>(random());
    in.seed = static_cast<hls::bits<32>>(random());
    in.symmetric = random() % 2 == 0;
    return in;
  }
  static Out native(const In& in) {
    Out out{};
    kernels::ecmp(in, out);
    return out;
  }
  static void drive(Dut& dut, const In& in) { ecmp_rtl::drive(dut, in); }
  static void sample(const Dut& dut, Out& out) { ecmp_rtl::sample(dut, out); }
  static bool compare(const Out& want, const Out& got) {
    EXPECT_EQ(static_cast<std::uint32_t>(got.path_hash), static_cast<std::uint32_t>(want.path_hash));
    EXPECT_EQ(static_cast<std::uint32_t>(got.port_hash), static_cast<std::uint32_t>(want.port_hash));
    EXPECT_EQ(got.found, want.found);
    EXPECT_EQ(static_cast<unsigned>(got.link), static_cast<unsigned>(want.link));
    EXPECT_EQ(static_cast<unsigned>(got.port), static_cast<unsigned>(want.port));
    return !::testing::Test::HasFailure();
  }
  void step(Dut& dut, std::mt19937_64& random) {
    group.step(dut, [](auto key) { return ecmp_rtl::GroupPort::pack(kernels::lookup_group(key)); }, random);
    bucket.step(dut, [](auto key) { return ecmp_rtl::BucketPort::pack(kernels::lookup_bucket(key)); }, random);
    live.step(dut, [](auto key) { return ecmp_rtl::LivePort::pack(kernels::lookup_live(key)); }, random);
    lag.step(dut, [](auto key) { return ecmp_rtl::LagPort::pack(kernels::lookup_lag(key)); }, random);
    link.step(dut, [](auto key) { return ecmp_rtl::LinkPort::pack(kernels::lookup_link(key)); }, random);
  }

  EcmpTables tables;
  AnswerLine<ecmp_rtl::GroupPort> group;
  AnswerLine<ecmp_rtl::BucketPort> bucket;
  AnswerLine<ecmp_rtl::LivePort> live;
  AnswerLine<ecmp_rtl::LagPort> lag;
  AnswerLine<ecmp_rtl::LinkPort> link;
};

TEST(EcmpRtl, equals_its_source_on_a_million_frames) {
  Vecmp dut;
  Bench bench;
  const TablesInUse use(bench.tables);
  EXPECT_EQ(runDifferential(bench, dut, 1'000'000, 7).packets, 1'000'000U);
}

}  // namespace
}  // namespace poplink::tests
