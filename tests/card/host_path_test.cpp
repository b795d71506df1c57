// SPDX-License-Identifier: Apache-2.0
// The host path of the whole card: frames to the host and from it, through rings in a test's memory.
#include <random>

#include "host_path_fixture.h"

namespace poplink::tests {
namespace {

TEST_F(HostPath, slow_protocol_frame_comes_with_everything_about_it) {
  Ring& ring = open(0);
  bench.card.setNow(0x1234'5678'9ABC);
  const Frame frame = slowFrame(124, 77);
  bench.card.receive(2, frame);
  settle();
  const auto got = ring.poll();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->frame, frame);
  EXPECT_EQ(got->frame_bytes, 124U);
  EXPECT_EQ(got->port, 2U);
  EXPECT_EQ(got->reason, static_cast<unsigned>(kernels::Drop::slow_protocol));
  EXPECT_EQ(got->service >> 15, 0U);
  EXPECT_EQ(got->hash, static_cast<std::uint32_t>(decide(bench.golden, frame, 2).out.hash));
  EXPECT_EQ(got->kind, 0U);
  EXPECT_EQ(got->lost, 0U);
  EXPECT_EQ(got->us, 0x1234'5678'9ABCU);
  EXPECT_EQ(got->status & ~1U, 0U);
  EXPECT_FALSE(ring.poll());
  EXPECT_EQ(hostCount(bench, 0, 2, Fate::queued), (Count{1, 124}));
  EXPECT_EQ(bench.dropped(2, 3), (Count{1, 124}));
}

/// The layouts of docs/host-path.md, byte by byte.
std::string hex(const std::uint8_t* at, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    char byte[8];
    std::snprintf(byte, sizeof byte, "%s%02x", i == 0 ? "" : i % 8 == 0 ? "  " : " ", at[i]);
    text += byte;
  }
  return text;
}

TEST_F(HostPath, descriptors_and_completions_are_laid_out_as_written_down) {
  bench.card.writeRegister(map::reg::kHashSeed, 0);
  Ring& rx = open(3, 4, 128);
  bench.card.writeRegister(map::reg::kCapturePorts, 1);
  bench.card.writeRegister(map::reg::kCaptureOutcomesLow, 1);
  bench.card.writeRegister(map::reg::kCaptureControl, 1);
  bench.card.setNow(0x0102'0304'0506'0708);
  const Frame frame = routingFrame(300, 5);
  bench.card.receive(0, frame);
  settle();
  Tables tables = bench.golden;
  tables.hash_seed = 0;
  const auto hash = static_cast<std::uint32_t>(decide(tables, frame, 0).out.hash);
  std::uint8_t hash_bytes[4];
  for (unsigned i = 0; i < 4; ++i) hash_bytes[i] = static_cast<std::uint8_t>(hash >> (8 * i));
  const std::uint64_t buffer = rx.buffer(0);
  std::uint8_t address[8];
  for (unsigned i = 0; i < 8; ++i) address[i] = static_cast<std::uint8_t>(buffer >> (8 * i));
  EXPECT_EQ(hex(memory.at(rx.descriptorAddress(0)), 16), hex(address, 8) + "  80 00 00 00 00 00 00 00");
  // 128 of 300 bytes, from port 0, forwarded (reason 0), service 4; its hash, to port 6, a copy; time; none lost
  // before, descriptor 0, class 3, status truncated and phase 1.
  EXPECT_EQ(hex(memory.at(rx.completionAddress(0)), 32),
            "80 00 2c 01 00 00 04 80  " + hex(hash_bytes, 4) +
                " 06 01 00 00  08 07 06 05 04 03 02 01  00 00 00 00 00 00 03 03");

  Ring& tx = open(6, 4);
  tx.post(frame, 2, 9);
  tx.post(frame, 1, 3);
  tx.ring();
  settle();
  EXPECT_EQ(hex(memory.at(tx.descriptorAddress(1)) + 8, 8), "2c 01 01 03 00 00 00 00");
  EXPECT_EQ(hex(memory.at(tx.completionAddress(1)), 32),
            "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  08 07 06 05 04 03 02 01  00 00 00 00 01 00 02 01");
}

TEST_F(HostPath, host_port_gives_everything_to_the_routing_ring) {
  Ring& ring = open(1);
  const Frame frame = routingFrame(1514, 1);
  bench.card.receive(5, frame);
  settle();
  const auto got = ring.poll();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->frame, frame);
  EXPECT_EQ(got->reason, static_cast<unsigned>(kernels::Drop::host_port));
}

TEST_F(HostPath, raw_frame_leaves_its_port_unchanged) {
  Ring& ring = open(4);
  const Frame frame = slowFrame(124, 5);
  bench.card.setNow(99);
  ring.post(frame, 1, 3);
  ring.ring();
  settle();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].port, 3U);
  EXPECT_EQ(sent[0].bytes, frame);
  const auto done = ring.poll();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->status & ~1U, 0U);
  EXPECT_EQ(done->us, 99U);
  EXPECT_EQ(hostSent(bench, 0, false), (Count{1, 124}));
  EXPECT_EQ(bench.sentCount(3), (Count{1, 124}));
}

TEST_F(HostPath, link_frame_takes_the_port_that_its_hash_chooses_among_those_alive) {
  Tables tables = bench.golden;
  tables.link[0] = {true, 0b0000'1111};
  for (unsigned i = 0; i < 256; ++i)
    tables.lag[i] = {true, static_cast<hls::bits<4>>(i % 4), static_cast<hls::bits<4>>((i + 1) % 4),
                     static_cast<hls::bits<4>>((i + 2) % 4)};
  bench.program(tables);
  Ring& ring = open(5, 6);
  std::set<unsigned> ports;
  for (const bool all : {true, false}) {
    bench.setPortUp(2, all);
    for (std::uint32_t i = 0; i < 64; ++i) {
      Frame frame = routingFrame(90, i);
      frame[5] = static_cast<std::uint8_t>(i);
      kernels::ForwardIn in = headerWindow(frame, 0);
      in.origin = static_cast<hls::bits<2>>(kernels::Origin::to_link);
      in.hash_seed = bench.golden.hash_seed;
      kernels::ForwardOut out;
      {
        const TablesInUse use(bench.golden);
        kernels::forward(in, out);
      }
      sent.clear();
      ring.post(frame, 2, 0);
      ring.ring();
      settle();
      ASSERT_TRUE(ring.poll());
      ASSERT_EQ(sent.size(), 1U);
      EXPECT_EQ(sent[0].port, static_cast<unsigned>(out.egress_port));
      EXPECT_EQ(sent[0].bytes, frame);
      if (all) ports.insert(sent[0].port);
      if (!all) EXPECT_NE(sent[0].port, 2U);
    }
  }
  EXPECT_EQ(ports.size(), 4U);
}

TEST_F(HostPath, frame_as_if_received_goes_through_forward) {
  Ring& ring = open(5);
  Ring& back = open(0);
  Frame frame = routingFrame(90, 1);  // untagged on port 0: service 4, S-VID 1004 on port 6
  ring.post(frame, 3, 0);
  ring.post(slowFrame(124, 2), 3, 2);  // comes back, as from the host
  ring.ring();
  settle();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].port, 6U);
  EXPECT_EQ(sent[0].bytes, decide(bench.golden, frame, 0).frame);
  const auto got = back.poll();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->port, 16U);
  EXPECT_EQ(bench.service(4, true).frames, 1U);
  EXPECT_EQ(bench.dropped(16, 3).frames, 1U);
}

TEST_F(HostPath, control_frames_overtake_customers) {
  Ring& ring = open(4);
  bench.card.blockEgress(6, true);
  for (std::uint32_t i = 0; i < 20; ++i) bench.card.receive(0, routingFrame(1000, i));
  bench.card.run(2000);
  ring.post(slowFrame(124, 5), 1, 6);
  ring.ring();
  bench.card.run(2000);
  bench.card.blockEgress(6, false);
  settle();
  ASSERT_EQ(sent.size(), 21U);
  const auto at = std::find_if(sent.begin(), sent.end(), [](const auto& one) { return one.bytes.size() == 124; });
  EXPECT_LE(at - sent.begin(), 2);
}

TEST_F(HostPath, every_length_in_both_directions) {
  Ring& rx = open(1, 3);
  Ring& tx = open(5, 3);
  std::uint32_t number = 0;
  for (unsigned bytes = 60; bytes <= 9216; ++bytes) {
    const Frame frame = routingFrame(bytes, ++number);
    bench.card.receive(5, frame);
    tx.post(frame, 1, 2);
    tx.ring();
    sent.clear();
    settle();
    const auto got = rx.poll();
    ASSERT_TRUE(got) << bytes;
    ASSERT_EQ(got->frame, frame) << bytes;
    rx.post();
    rx.ring();
    ASSERT_TRUE(tx.poll());
    ASSERT_EQ(sent.size(), 1U);
    ASSERT_EQ(sent[0].bytes, frame) << bytes;
  }
}

TEST_F(HostPath, rings_of_every_size_wrap) {
  for (unsigned log = 2; log <= 10; ++log) {
    Ring& rx = open(0, log, 128);
    Ring& tx = open(4, log, 128);
    for (std::uint32_t i = 0; i < (3U << log) + 3; ++i) {
      const Frame frame = slowFrame(60 + i % 64, i);
      if (tx.free() == 0) ASSERT_TRUE(tx.poll());
      tx.post(frame, 1, 1);
      tx.ring();
      bench.card.receive(i % 8, frame);
      settle();
      const auto got = rx.poll();
      ASSERT_TRUE(got) << "entries " << (1U << log) << " frame " << i;
      ASSERT_EQ(got->frame, frame);
      rx.post();
      rx.ring();
    }
    while (tx.outstanding() != 0) ASSERT_TRUE(tx.poll());
    for (Ring* ring : {&rx, &tx}) {
      ring->stop();
      settle();
      EXPECT_FALSE(ring->running());
      EXPECT_EQ(ring->error(), 0U);
    }
  }
}

TEST_F(HostPath, frame_longer_than_its_buffer_is_cut_and_says_so) {
  Ring& ring = *rings.emplace_back(std::make_unique<Ring>(bench, memory, 1, 4, 9216));
  for (unsigned bytes : {64U, 128U, 4096U, 65472U}) ring.post(bytes);
  ring.ring();
  for (unsigned i = 0; i < 3; ++i) {
    bench.card.receive(5, routingFrame(9000, i));
    settle();
  }
  for (unsigned bytes : {64U, 128U, 4096U}) {
    const auto got = ring.poll();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->written, bytes);
    EXPECT_EQ(got->frame_bytes, 9000U);
    EXPECT_EQ(got->status & ~1U, kTruncated);
    const Frame whole = routingFrame(9000, got->index);
    EXPECT_TRUE(std::equal(got->frame.begin(), got->frame.end(), whole.begin()));
  }
}

TEST_F(HostPath, buffers_may_cross_pages) {
  Ring& ring = *rings.emplace_back(std::make_unique<Ring>(bench, memory, 1, 4, 64));
  Ring& tx = *rings.emplace_back(std::make_unique<Ring>(bench, memory, 5, 4, 64));
  for (unsigned offset = 0; offset < 4096; offset += 448) {
    memory.alignTo(4096, offset);
    const std::uint64_t buffer = memory.allocate(9216, true, true);
    ring.describe(buffer, 9216, 0, 0);
    ring.ring();
    const Frame frame = routingFrame(9216 - offset, offset);
    bench.card.receive(5, frame);
    settle();
    ASSERT_TRUE(ring.poll());
    EXPECT_TRUE(std::equal(frame.begin(), frame.end(), memory.at(buffer)));
    tx.describe(buffer, static_cast<unsigned>(frame.size()), 1, 3);
    tx.ring();
    sent.clear();
    settle();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].bytes, frame);
    ASSERT_TRUE(tx.poll());
  }
}

TEST_F(HostPath, bad_descriptors_say_so_and_nothing_is_lost) {
  Ring& rx = *rings.emplace_back(std::make_unique<Ring>(bench, memory, 1, 4));
  Ring& tx = *rings.emplace_back(std::make_unique<Ring>(bench, memory, 5, 4));
  rx.describe(rx.buffer(0) + 32, 9216, 0, 0);
  rx.describe(rx.buffer(1), 0, 0, 0);
  rx.describe(rx.buffer(2), 96, 0, 0);
  rx.post();
  rx.ring();
  const Frame frame = routingFrame(200, 1);
  bench.card.receive(5, frame);
  tx.describe(tx.buffer(0) + 1, 100, 1, 0);  // misaligned
  tx.describe(tx.buffer(1), 59, 1, 0);       // short
  tx.describe(tx.buffer(2), 9217, 1, 0);     // long
  tx.describe(tx.buffer(3), 100, 0, 0);      // no mode
  tx.describe(tx.buffer(4), 100, 4, 0);      // no such mode
  tx.describe(tx.buffer(5), 100, 1, 16);     // no such port
  tx.post(frame, 1, 3);
  tx.ring();
  settle();
  for (int i = 0; i < 3; ++i) {
    const auto got = rx.poll();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->status & ~1U, kBadDescriptor);
    EXPECT_EQ(got->written, 0U);
  }
  const auto got = rx.poll();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->frame, frame);
  EXPECT_EQ(rx.lost(), 0U);
  for (int i = 0; i < 6; ++i) {
    const auto done = tx.poll();
    ASSERT_TRUE(done);
    EXPECT_EQ(done->status & ~1U, kBadDescriptor) << i;
  }
  ASSERT_TRUE(tx.poll());
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].bytes, frame);
  EXPECT_EQ(hostSent(bench, 1, true).frames, 6U);
}

TEST_F(HostPath, refused_buffer_costs_its_frame_only) {
  Ring& rx = open(1);
  Ring& tx = open(5);
  memory.refuse_writes.insert(rx.buffer(1) + 4096);
  memory.refuse_reads.insert(tx.buffer(1) + 128);
  for (std::uint32_t i = 0; i < 3; ++i) {
    bench.card.receive(5, routingFrame(9000, i));
    tx.post(routingFrame(9000, i), 1, 3);
    tx.ring();
    settle();
  }
  for (std::uint32_t i = 0; i < 3; ++i) {
    const auto got = rx.poll(), done = tx.poll();
    ASSERT_TRUE(got && done);
    EXPECT_EQ(got->status & ~1U, i == 1 ? kBusError : 0U);
    EXPECT_EQ(done->status & ~1U, i == 1 ? kBusError : 0U);
    if (i != 1) EXPECT_EQ(got->frame, routingFrame(9000, i));
  }
  EXPECT_EQ(rx.lost(), 1U);
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(numberOf(sent[1].bytes), 2U);
  EXPECT_EQ(hostSent(bench, 1, true).frames, 1U);
}

TEST_F(HostPath, ring_without_its_descriptors_or_completions_stops_alone) {
  Ring& slow = open(0);
  Ring& routing = open(1);
  Ring& tx = open(4);
  memory.refuse_reads.insert(routing.descriptorAddress(0));
  memory.refuse_writes.insert(tx.completionAddress(0));
  bench.card.writeRegister(map::reg::kEventClear, map::field::kEventClearArm.with(1));
  bench.card.receive(5, routingFrame(100, 1));
  bench.card.receive(3, slowFrame(124, 2));
  tx.post(slowFrame(124, 3), 1, 3);
  tx.ring();
  settle();
  EXPECT_EQ(routing.error(), 2U);
  EXPECT_FALSE(routing.running());
  EXPECT_EQ(tx.error(), 3U);
  EXPECT_TRUE(slow.poll());
  EXPECT_TRUE(slow.running());
  EXPECT_EQ(routing.lost(), 1U);
  ASSERT_FALSE(interrupts.empty());
  EXPECT_EQ(interrupts.front(), 8U);
  EXPECT_EQ(map::field::kEventStatusRings.of(bench.card.readRegister(map::reg::kEventStatus)), 0b0001'0010U);

  // Stopped and started again it is as new.
  memory.refuse_reads.clear();
  memory.refuse_writes.clear();
  for (Ring* ring : {&routing, &tx}) {
    ring->stop();
    settle();
    ring->start();
  }
  routing.post();
  routing.ring();
  bench.card.receive(5, routingFrame(100, 4));
  tx.post(slowFrame(124, 5), 1, 3);
  tx.ring();
  settle();
  ASSERT_TRUE(routing.poll());
  ASSERT_TRUE(tx.poll());
  EXPECT_EQ(routing.error(), 0U);
}

TEST_F(HostPath, tail_beyond_the_ring_stops_it) {
  Ring& tx = open(4, 4);
  for (int i = 0; i < 17; ++i) tx.post(slowFrame(100, 1), 1, 3);
  tx.ring();
  settle();
  EXPECT_EQ(tx.error(), 1U);
  EXPECT_TRUE(sent.empty());
}

TEST_F(HostPath, without_a_ring_frames_end_in_the_card_and_are_counted) {
  for (std::uint32_t i = 0; i < 10; ++i) bench.card.receive(2, slowFrame(124, i));
  settle();
  EXPECT_EQ(hostCount(bench, 0, 2, Fate::no_room), (Count{10, 1240}));
  Ring& ring = *rings.emplace_back(std::make_unique<Ring>(bench, memory, 0, 4));
  for (std::uint32_t i = 0; i < 10; ++i) bench.card.receive(2, slowFrame(124, i));
  settle();
  EXPECT_EQ(hostCount(bench, 0, 2, Fate::queued), (Count{10, 1240}));
  ring.stop();  // what waits is discarded
  settle();
  EXPECT_EQ(ring.lost(), 10U);
  ring.start();
  ring.post();
  ring.ring();
  bench.card.receive(2, slowFrame(124, 55));
  settle();
  const auto got = ring.poll();
  ASSERT_TRUE(got);
  EXPECT_EQ(numberOf(got->frame), 55U);
}

TEST_F(HostPath, ring_that_starts_knows_only_of_what_is_lost_from_then_on) {
  const auto offer = [&](std::uint32_t frames) {
    for (std::uint32_t i = 0; i < frames; ++i) bench.card.receive(2, slowFrame(124, i));
    settle();
  };
  constexpr std::uint32_t kShare = 128;  // 16 KiB, 128 bytes each
  Ring& ring = *rings.emplace_back(std::make_unique<Ring>(bench, memory, 0, 8, 128));
  const auto afterFlood = [&] {  // the frames that find no room are told by the first behind those that do
    offer(kShare + 7);
    while (ring.free() != 0) ring.post();
    ring.ring();
    settle();
    offer(1);
    std::vector<unsigned> told;
    while (const auto got = ring.poll()) told.push_back(got->lost);
    EXPECT_EQ(told.size(), kShare + 1);
    EXPECT_EQ(std::count(told.begin(), told.end(), 0U), kShare);
    return told.empty() ? 0 : told.back();
  };
  const auto restart = [&] {
    ring.stop();
    settle();
    ring.start();
    settle();
  };
  EXPECT_EQ(afterFlood(), 7U);
  restart();
  offer(kShare + 5);  // lost in the queue, and with what waits in it
  restart();
  EXPECT_EQ(afterFlood(), 7U);
  ring.stop();
  settle();
  offer(3);  // that find no ring
  ring.start();
  settle();
  EXPECT_EQ(afterFlood(), 7U);
  // The ring that stops by itself, too: with the frame goes what it would have told.
  memory.refuse_writes.insert(ring.completionAddress(ring.tail() - ring.outstanding()));
  offer(2);
  EXPECT_EQ(ring.error(), 3U);
  memory.refuse_writes.clear();
  restart();
  EXPECT_EQ(afterFlood(), 7U);
}

TEST_F(HostPath, stuck_host_costs_only_its_own_frames) {
  *rings.emplace_back(std::make_unique<Ring>(bench, memory, 0, 4));  // no descriptors at all
  for (std::uint32_t i = 0; i < 2000; ++i) {
    bench.card.receive(2, slowFrame(124, i));
    bench.send(0, routingFrame(100, i));
  }
  bench.finish();
  const Count queued = hostCount(bench, 0, 2, Fate::queued), none = hostCount(bench, 0, 2, Fate::no_room);
  EXPECT_EQ(queued.frames, 128U);  // a share: 16 KiB, 128 bytes each
  EXPECT_EQ(queued.frames + none.frames, 2000U);
  // Another port's share is untouched.
  bench.card.receive(3, slowFrame(124, 1));
  settle();
  EXPECT_EQ(hostCount(bench, 0, 3, Fate::queued).frames, 1U);
}

TEST_F(HostPath, frames_of_the_host_take_no_more_room_than_there_is) {
  Ring& ring = *rings.emplace_back(std::make_unique<Ring>(bench, memory, 3, 6, 4096));  // no descriptors yet
  Ring& tx = open(4, 4, 4096);
  bench.card.writeRegister(map::reg::kCapturePorts, 0x1'FFFF);
  bench.card.writeRegister(map::reg::kCaptureOutcomesLow, ~0U);
  bench.card.writeRegister(map::reg::kCaptureOutcomesHigh, ~0U);
  bench.card.writeRegister(map::reg::kCaptureControl, 1);
  // Copies fill the shares of all ports,
  for (unsigned port = 0; port < 8; ++port) {
    for (std::uint32_t i = 0; i < 4; ++i) {
      Frame frame = slowFrame(4096, 4 * port + i);
      frame[15] = 2;
      frame[5] = 0;  // a bridge's, and not for the host
      frame[12] = 0;
      bench.card.receive(port, frame);
      settle();
    }
  }
  ASSERT_EQ(hostCount(bench, 3, 7, Fate::queued).frames, 4U);
  // and then come those of frames for a port that is not there, and for a link with a number that no port has.
  for (const unsigned mode : {1U, 2U}) {
    for (std::uint32_t i = 0; i < 4; ++i) {
      tx.post(slowFrame(4096, 100 + i), mode, 12);
      tx.ring();
      settle();
    }
  }
  EXPECT_EQ(hostCount(bench, 3, 16, Fate::queued).frames, 0U);
  EXPECT_EQ(hostCount(bench, 3, 16, Fate::no_room).frames, 8U);
  while (ring.free() != 0) ring.post();
  ring.ring();
  settle();
  for (std::uint32_t i = 0; i < 32; ++i) {
    const auto got = ring.poll();
    ASSERT_TRUE(got) << i;
    EXPECT_EQ(got->port, i / 4);
    EXPECT_EQ(numberOf(got->frame), i);
  }
}

}  // namespace
}  // namespace poplink::tests
