// SPDX-License-Identifier: Apache-2.0
// The whole card with a host in a test's memory.
#pragma once

#include <memory>
#include <vector>

#include "card_bench.h"
#include "host_bench.h"

namespace poplink::tests {

using Ring = TestRing<Bench>;

class HostPath : public ::testing::Test {
 protected:
  HostPath() {
    bench.card.host.memory = &memory;
    bench.card.host.on_interrupt = [this](unsigned vector) { interrupts.push_back(vector); };
    Tables tables = exampleTables();
    tables.port[5] = {true, static_cast<hls::bits<2>>(kernels::Role::host), true, 5, 0x88A8};
    bench.program(tables);
    bench.on_sent = [this](const sim::SentFrame& frame) { sent.push_back(frame); };
  }
  ~HostPath() override { EXPECT_EQ(memory.violations, 0U); }

  Ring& open(unsigned number, unsigned log_entries = 4, unsigned buffer_bytes = 9216) {
    Ring& ring = *rings.emplace_back(std::make_unique<Ring>(bench, memory, number, log_entries, buffer_bytes));
    if (number < 4) {
      while (ring.free() != 0) ring.post();
      ring.ring();
    }
    return ring;
  }
  void settle() { ASSERT_TRUE(bench.card.drain(2'000'000)); }

  TestMemory memory{16U << 20};
  Bench bench;
  std::vector<std::unique_ptr<Ring>> rings;
  std::vector<unsigned> interrupts;
  std::vector<sim::SentFrame> sent;
};

}  // namespace poplink::tests
