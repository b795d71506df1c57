// SPDX-License-Identifier: Apache-2.0
// The example of docs/hls.md: its own tests, and its waveform as the page shows it.
#include <gtest/gtest.h>

#include <fstream>
#include <iomanip>
#include <map>
#include <sstream>

#include "../../docs/examples/classify.h"
#include "../support/kernel_bench.h"
#include "Vclassify.h"
#include "classify_rtl.h"
#include "verilated_fst_c.h"

namespace {

PcpEntry pcp_table[1024];

}  // namespace

PcpEntry lookup_pcp(hls::bits<10> key) {
  return pcp_table[static_cast<unsigned>(key)];
}

namespace {

constexpr unsigned kVoice = 46;  // DSCP EF

ClassifyIn frame(unsigned port, std::initializer_list<unsigned> from_ethertype) {
  ClassifyIn in{};
  in.port = static_cast<hls::bits<4>>(port);
  unsigned at = 12;
  for (unsigned byte : from_ethertype) in.header[at++] = static_cast<hls::bits<8>>(byte);
  return in;
}
const ClassifyIn kVoiceOverIpv4 = frame(1, {0x08, 0x00, 0x45, kVoice << 2});
const ClassifyIn kTaggedIpv6 = frame(1, {0x81, 0x00, 3 << 5, 100, 0x86, 0xDD, 0x60 | kVoice >> 2, (kVoice & 3) << 6});
const ClassifyIn kTaggedArp = frame(1, {0x81, 0x00, 3 << 5, 100, 0x08, 0x06});

ClassifyOut classified(const ClassifyIn& in) {
  ClassifyOut out{};
  classify(in, out);
  return out;
}

void fillTable() {
  for (PcpEntry& entry : pcp_table) entry = {};
  pcp_table[1 << 6 | kVoice] = {true, 5};
}

TEST(Classify, takes_the_priority_of_dscp_and_port) {
  fillTable();
  EXPECT_EQ(classified(kVoiceOverIpv4).pcp, 5);
  EXPECT_EQ(classified(kTaggedIpv6).pcp, 5);
  EXPECT_TRUE(classified(kTaggedIpv6).mapped);
}

TEST(Classify, keeps_the_tags_priority_without_an_entry) {
  fillTable();
  ClassifyIn other_port = kTaggedIpv6;
  other_port.port = 2;
  EXPECT_EQ(classified(other_port).pcp, 3);
  EXPECT_FALSE(classified(other_port).mapped);
  EXPECT_EQ(classified(kTaggedArp).pcp, 3);
}

struct Bench {
  using In = ClassifyIn;
  using Out = ClassifyOut;
  using Dut = Vclassify;
  static constexpr unsigned kLatency = classify_rtl::kLatency;

  static In makeInput(std::mt19937_64& random) {
    In in{};
    poplink::tests::randomise(in.header, random);
    poplink::tests::randomise(in.port, random);
    const In frames[] = {kVoiceOverIpv4, kTaggedIpv6, kTaggedArp, in};  // random bytes are hardly ever IP
    In chosen = frames[random() % 4];
    chosen.port = in.port;
    chosen.header[15] = in.header[15];
    return chosen;
  }
  static Out native(const In& in) { return classified(in); }
  static void drive(Dut& dut, const In& in) { classify_rtl::drive(dut, in); }
  static void sample(const Dut& dut, Out& out) { classify_rtl::sample(dut, out); }
  static bool compare(const Out& want, const Out& got) { return want.pcp == got.pcp && want.mapped == got.mapped; }
  void step(Dut& dut, std::mt19937_64& random) {
    table.step(dut, [](auto key) { return classify_rtl::PcpPort::pack(lookup_pcp(key)); }, random);
  }

  poplink::tests::AnswerLine<classify_rtl::PcpPort> table;
};

TEST(Classify, rtl_equals_source) {
  std::mt19937_64 random(1);
  for (PcpEntry& entry : pcp_table) entry = {random() % 2 == 0, static_cast<hls::bits<3>>(random())};
  Vclassify dut;
  Bench bench;
  EXPECT_EQ(poplink::tests::runDifferential(bench, dut, 100'000, 2).packets, 100'000U);
}

/// A row of text for each port, a column for each cycle; a dash where the port says nothing.
class Wave {
 public:
  void note(const std::string& name, bool valid, unsigned value) {
    if (rows_.count(name) == 0) order_.push_back(name);
    std::ostringstream text;
    if (valid)
      text << std::hex << value;
    else
      text << '-';
    rows_[name].push_back(text.str());
  }
  std::string text() const {
    std::ostringstream text;
    for (const std::string& name : order_) {
      text << std::left << std::setw(17) << name;
      for (const std::string& cell : rows_.at(name)) text << std::right << std::setw(5) << cell;
      text << "\n";
    }
    return text.str();
  }

 private:
  std::vector<std::string> order_;
  std::map<std::string, std::vector<std::string>> rows_;
};

void noteCycle(Wave& wave, const Vclassify& dut, unsigned cycle) {
  wave.note("cycle", true, cycle);
  wave.note("in_valid", true, dut.in_valid);
  wave.note("in_port", dut.in_valid, dut.in_port);
  wave.note("lk_pcp_req_valid", true, dut.lk_pcp_req_valid);
  wave.note("lk_pcp_key", dut.lk_pcp_req_valid, dut.lk_pcp_key);
  wave.note("lk_pcp_resp", dut.lk_pcp_resp != 0, dut.lk_pcp_resp);
  wave.note("out_valid", true, dut.out_valid);
  wave.note("out_pcp", dut.out_valid, dut.out_pcp);
  wave.note("out_mapped", dut.out_valid, dut.out_mapped);
}

TEST(Classify, waveform_is_the_pages) {
  fillTable();
  VerilatedContext context;
  context.traceEverOn(true);
  Vclassify dut(&context);
  VerilatedFstC file;
  dut.trace(&file, 99);
  file.open("classify.fst");
  const auto half = [&](bool clock) {
    dut.clk = clock;
    dut.eval();
    context.timeInc(1);
    file.dump(context.time());
  };
  const auto clock = [&] {
    half(true);
    half(false);
  };
  dut.rst = 1;
  dut.in_valid = 0;
  for (int i = 0; i < 2; ++i) clock();
  dut.rst = 0;
  const ClassifyIn* packets[] = {&kVoiceOverIpv4, nullptr, &kTaggedIpv6, &kTaggedArp};
  Wave wave;
  hls::bits<4> memory = 0, answer = 0;  // a RAM of latency 2: address register, output register
  for (unsigned cycle = 0; cycle < 9; ++cycle) {
    const ClassifyIn* packet = cycle < std::size(packets) ? packets[cycle] : nullptr;
    dut.in_valid = packet != nullptr;
    if (packet != nullptr) classify_rtl::drive(dut, *packet);
    classify_rtl::PcpPort::respond(dut, answer);
    dut.eval();
    noteCycle(wave, dut, cycle);
    answer = memory;
    memory = dut.lk_pcp_req_valid ? classify_rtl::PcpPort::pack(lookup_pcp(classify_rtl::PcpPort::key(dut)))
                                  : hls::bits<4>{0};
    clock();
  }
  file.close();
  std::ifstream page(POPLINK_PAGE);
  const std::string text(std::istreambuf_iterator<char>(page), {});
  EXPECT_NE(text.find(wave.text()), std::string::npos) << "docs/hls.md does not show\n" << wave.text();
  EXPECT_TRUE(std::ifstream("classify.fst").good());
}

}  // namespace
