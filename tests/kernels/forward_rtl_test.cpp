// SPDX-License-Identifier: Apache-2.0
// The compiled pipeline against its own source: a million random frames with bubbles, every output bit.
#include "forward_rtl.h"

#include <gtest/gtest.h>

#include <set>

#include "Vforward.h"
#include "forward_model.h"
#include "kernel_bench.h"

namespace poplink::tests {
namespace {

struct Bench {
  using In = kernels::ForwardIn;
  using Out = kernels::ForwardOut;
  using Dut = Vforward;
  static constexpr unsigned kLatency = forward_rtl::kLatency;

  Bench() {
    tables = exampleTables();
    // Random entries in unused places, so that no field is constant over the run.
    std::mt19937_64 random(11);
    for (unsigned p = 8; p < 16; ++p) {
      tables.port[p] = {random() % 4 != 0, static_cast<hls::bits<2>>(random()), random() % 4 != 0,
                        static_cast<hls::bits<4>>(random()),
                        static_cast<hls::bits<16>>(random() % 2 == 0 ? 0x88A8 : random())};
      tables.attachment[p] = {random() % 4 != 0, random() % 2 == 0, static_cast<hls::bits<12>>(random()),
                              random() % 2 == 0, static_cast<hls::bits<12>>(random())};
    }
    tables.port[9] = {true, 0, true, 9, 0x88A8};    // a customer of random services
    tables.port[10] = {true, 3, true, 10, 0x88A8};  // the host's own
    for (unsigned i = 0x8000; i < 0x10000; ++i)
      tables.vid[i] = {random() % 2 == 0, static_cast<hls::bits<12>>(random())};
    for (unsigned i = 16; i < 4096; ++i) {
      tables.service[i] = {
          random() % 4 != 0,
          static_cast<hls::bits<4>>(random() % 2 == 0 ? 9 : random()),
          static_cast<hls::bits<10>>(random()),
          static_cast<hls::bits<12>>(random()),
          static_cast<hls::bits<16>>(random()),
          static_cast<hls::bits<3>>(random()),
          static_cast<hls::bits<14>>(random() % 8 == 0 ? random() : 40 + random() % 80)};  // near the frames
    }
    const auto member = [&] { return static_cast<hls::bits<4>>(random()); };
    for (unsigned i = 16; i < tables.group.size(); ++i) {
      tables.group[i] = {random() % 8 != 0, static_cast<hls::bits<16>>(random() & random()),
                         static_cast<hls::bits<16>>(random()), static_cast<hls::bits<4>>(6 + random() % 7)};
    }
    tables.group[7] = {true, 0xFFC0, 0, 8};  // services of the example, too, over many links
    for (auto& entry : tables.bucket) entry = {random() % 16 != 0, member(), member(), member()};
    for (auto& entry : tables.lag) entry = {random() % 16 != 0, member(), member(), member()};
    for (unsigned i = 8; i < 16; ++i)
      tables.link[i] = {random() % 4 != 0, static_cast<hls::bits<16>>(random() & random())};
    tables.live_ports = 0xDB6F;
  }

  In makeInput(std::mt19937_64& random) const {
    const Frame frame = random() % 2 == 0 ? randomFrame(random, 60 + random() % 80) : ipFrame(random);
    In in = headerWindow(frame, static_cast<unsigned>(random() % 16));
    if (random() % 4 == 0) in.length = static_cast<hls::bits<14>>(60 + random() % 9157);
    if (random() % 4 == 0) in.origin = static_cast<hls::bits<2>>(random());
    in.hash_seed = static_cast<hls::bits<32>>(random());
    in.hash_symmetric = random() % 2 == 0;
    return in;
  }
  Out native(const In& in) {
    Out out{};
    kernels::forward(in, out);
    drops.insert(static_cast<unsigned>(out.drop));
    return out;
  }
  static void drive(Dut& dut, const In& in) { forward_rtl::drive(dut, in); }
  static void sample(const Dut& dut, Out& out) { forward_rtl::sample(dut, out); }
  static bool compare(Out& want, Out& got) {
    bool equal = true;
    std::vector<const void*> members;
    forward_rtl::forEachOutput(want, [&](const char*, auto& member) { members.push_back(&member); });
    std::size_t i = 0;
    forward_rtl::forEachOutput(got, [&](const char* name, auto& member) {
      using Member = std::remove_reference_t<decltype(member)>;
      if (same(member, *static_cast<const Member*>(members[i++]))) return;
      equal = false;
      ADD_FAILURE() << name << " differs";
    });
    return equal;
  }
  void step(Dut& dut, std::mt19937_64& random) {
    port.step(dut, [](auto key) { return forward_rtl::PortPort::pack(kernels::lookup_port(key)); }, random);
    attachment.step(
        dut, [](auto key) { return forward_rtl::AttachmentPort::pack(kernels::lookup_attachment(key)); }, random);
    vid.step(dut, [](auto key) { return forward_rtl::VidPort::pack(kernels::lookup_vid(key)); }, random);
    service.step(dut, [](auto key) { return forward_rtl::ServicePort::pack(kernels::lookup_service(key)); }, random);
    group.step(dut, [](auto key) { return forward_rtl::GroupPort::pack(kernels::lookup_group(key)); }, random);
    bucket.step(dut, [](auto key) { return forward_rtl::BucketPort::pack(kernels::lookup_bucket(key)); }, random);
    live.step(dut, [](auto key) { return forward_rtl::LivePort::pack(kernels::lookup_live(key)); }, random);
    lag.step(dut, [](auto key) { return forward_rtl::LagPort::pack(kernels::lookup_lag(key)); }, random);
    link.step(dut, [](auto key) { return forward_rtl::LinkPort::pack(kernels::lookup_link(key)); }, random);
  }

  Tables tables;
  std::set<unsigned> drops;
  AnswerLine<forward_rtl::PortPort> port;
  AnswerLine<forward_rtl::AttachmentPort> attachment;
  AnswerLine<forward_rtl::VidPort> vid;
  AnswerLine<forward_rtl::ServicePort> service;
  AnswerLine<forward_rtl::GroupPort> group;
  AnswerLine<forward_rtl::BucketPort> bucket;
  AnswerLine<forward_rtl::LivePort> live;
  AnswerLine<forward_rtl::LagPort> lag;
  AnswerLine<forward_rtl::LinkPort> link;
};

TEST(ForwardRtl, equals_its_source_on_a_million_frames) {
  Vforward dut;
  Bench bench;
  const TablesInUse use(bench.tables);
  const BenchCounts counts = runDifferential(bench, dut, 1'000'000, 2026);
  EXPECT_EQ(counts.packets, 1'000'000U);
  std::set<unsigned> all = {0};
#define POPLINK_DROP(number, name, text) all.insert(number);
#include "drop_reasons.def"
#undef POPLINK_DROP
  EXPECT_EQ(bench.drops, all) << "the frames must meet every drop reason";
}

}  // namespace
}  // namespace poplink::tests
