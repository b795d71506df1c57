// SPDX-License-Identifier: Apache-2.0
// The model of a card beside the Verilated one: the same random sequence of everything that a host and its peers can do
// into both, and all that can be seen of them compared. Each step comes to rest before the next, because the model has
// no time: what overlaps in the card is not its matter.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "card_access.h"
#include "host_bench.h"
#include "model_face.h"
#include "register_file.h"

namespace poplink::tests {

inline bool operator==(const Completion& a, const Completion& b) {
  const auto fields = [](const Completion& c) {
    return std::tie(c.written, c.frame_bytes, c.port, c.reason, c.service, c.hash, c.egress_port, c.kind, c.lost,
                    c.index, c.host_class, c.status, c.us, c.frame);
  };
  return fields(a) == fields(b);
}
inline std::ostream& operator<<(std::ostream& out, const Completion& c) {
  return out << "written " << c.written << " of " << c.frame_bytes << " port " << c.port << " reason " << c.reason
             << " service " << c.service << " hash " << c.hash << " egress " << c.egress_port << " kind " << c.kind
             << " lost " << c.lost << " index " << c.index << " class " << c.host_class << " status " << c.status
             << " us " << c.us;
}

namespace {

using Random = std::mt19937_64;

/// One of the two cards, with a host.
template <class Card>
struct Side {
  using Access = CardAccess<Card>;
  using Ring = TestRing<Access>;

  Side() {
    if constexpr (std::is_same_v<Card, ModelFace>) {
      access.card.model.attach(&memory);
      access.card.model.on_sent = [this](unsigned port, std::span<const std::uint8_t> frame) {
        sent[port].emplace_back(frame.begin(), frame.end());
      };
      access.card.model.on_interrupt = [this](unsigned vector) { interrupts.push_back(vector); };
    } else {
      access.card.host.memory = &memory;
      access.card.host.timing.read_cycles = [] { return 20U; };
      access.card.host.on_interrupt = [this](unsigned vector) { interrupts.push_back(vector); };
      access.card.on_sent = [this](sim::SentFrame&& frame) { sent[frame.port].push_back(std::move(frame.bytes)); };
    }
  }

  std::optional<std::uint32_t> read(std::uint32_t address) {
    try {
      return access.card.readRegister(address);
    } catch (const sim::BusError&) {
      return std::nullopt;
    }
  }
  bool write(std::uint32_t address, std::uint32_t value) {
    try {
      access.card.writeRegister(address, value);
      return true;
    } catch (const sim::BusError&) {
      return false;
    }
  }
  Ring& open(unsigned number, unsigned log_entries, unsigned buffer_bytes) {
    return *(rings[number] = std::make_unique<Ring>(access, memory, number, log_entries, buffer_bytes));
  }

  TestMemory memory{4U << 20};
  Access access;
  std::array<std::unique_ptr<Ring>, 8> rings;
  std::array<std::vector<Frame>, 8> sent;
  std::vector<unsigned> interrupts;
};

Tables tablesOfEverything() {
  Tables tables = exampleTables();
  tables.port[5] = {true, static_cast<hls::bits<2>>(kernels::Role::host), true, 5, 0x88A8};
  tables.setLink(6, {{6, 1}, {3, 1}});
  tables.setGroup(6, 6 << 12, 6, {{6, 2}, {7, 1}});
  return tables;
}

class Model : public ::testing::TestWithParam<int> {
 protected:
  static constexpr unsigned kPorts = 8;
  static constexpr unsigned kBufferBytes = 2048;
  static constexpr std::uint64_t kStepCycles = 2500;  ///< more than a step keeps the card busy

  Model() : random(static_cast<std::uint64_t>(GetParam())) {
    const Tables tables = tablesOfEverything();
    both([&](auto& side) { side.access.program(tables); });
    for (unsigned ring = 0; ring < 8; ++ring) start(ring);
  }
  ~Model() override {
    EXPECT_EQ(rtl.memory.violations, 0U);
    EXPECT_EQ(model.memory.violations, 0U);
  }

  std::uint64_t pick(std::uint64_t below) { return random() % below; }
  bool chance(unsigned one_in) { return pick(one_in) == 0; }

  /// The model first: what it says of timers says how long the card may take.
  template <class Act>
  void both(Act&& act) {
    act(model);
    act(rtl);
  }
  void settle() {
    const bool waits = model.access.card.model.nextPoll().has_value();  // for an interrupt's moderation
    const bool rests = rtl.access.card.drain(waits ? kStepCycles : 2'000'000);
    ASSERT_TRUE(rests || waits) << "the card did not come to rest";
  }

  void start(unsigned number) {
    const unsigned log = 2 + static_cast<unsigned>(pick(3));
    both([&](auto& side) {
      if (side.rings[number] == nullptr) {
        side.open(number, log, kBufferBytes);
      } else {
        side.rings[number]->start();
      }
    });
    settle();
    if (number < 4) post(number, model.rings[number]->free());
  }
  /// RX buffers, now and then one that cannot be.
  void post(unsigned number, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      constexpr unsigned kSizes[] = {kBufferBytes, kBufferBytes, 64, 128, 1024};
      const unsigned bytes = kSizes[pick(5)];
      const unsigned kind = static_cast<unsigned>(pick(24));
      both([&](auto& side) {
        auto& ring = *side.rings[number];
        if (kind == 0) return ring.describe(ring.buffer(ring.tail()) + 8, bytes, 0, 0);
        if (kind == 1) return ring.describe(ring.buffer(ring.tail()), bytes - 1, 0, 0);
        ring.post(bytes);
      });
    }
    both([&](auto& side) { side.rings[number]->ring(); });
    settle();
  }

  // ---- steps

  Frame anyFrame(unsigned port) {
    const auto length = 60 + pick(chance(4) ? 1400 : 90);
    switch (pick(6)) {
      case 0:
        return slowFrame(length, static_cast<std::uint32_t>(random()));
      case 1:
        return ipFrame(random);
      case 2:
        if (port < 6) return routingFrame(length, static_cast<std::uint32_t>(random()));
        [[fallthrough]];
      default:
        return randomFrame(random, length);
    }
  }
  /// From one port, so that their order is one; less than a share of the host's queue, so that nothing depends on how
  /// fast it empties.
  void frames(std::uint64_t most = 8) {
    const unsigned port = static_cast<unsigned>(pick(kPorts));
    for (std::uint64_t i = 1 + pick(most); i > 0; --i) {
      Frame frame = anyFrame(port);
      if (chance(40)) frame.resize(1 + pick(59));
      if (chance(200)) frame.resize(9217 + pick(80));
      const bool bad = chance(40);
      both([&](auto& side) { side.access.card.receive(port, frame, bad); });
      ++frames_in;
      if (frame.size() > 9000) break;
    }
    settle();
  }
  void longFrame() {
    const unsigned port = static_cast<unsigned>(pick(kPorts));
    const Frame frame = chance(3) ? slowFrame(9216, 5) : randomFrame(random, 4000 + pick(5217));
    both([&](auto& side) { side.access.card.receive(port, frame, false); });
    ++frames_in;
    settle();
  }
  /// On one ring in one mode: else the card's two egress queues are two orders.
  void transmit(std::uint64_t most = 5) {
    const unsigned number = 4 + static_cast<unsigned>(pick(4)), mode = 1 + static_cast<unsigned>(pick(3));
    const auto count = std::min<std::uint64_t>(1 + pick(most), model.rings[number]->free());
    const bool refuse = chance(20);
    for (std::uint64_t i = 0; i < count; ++i) {
      const unsigned target = static_cast<unsigned>(pick(16));
      const Frame frame = anyFrame(target % 6);
      const unsigned kind = static_cast<unsigned>(pick(24));
      both([&](auto& side) {
        auto& ring = *side.rings[number];
        const std::uint64_t buffer = ring.buffer(ring.tail());
        if (refuse && i == 0) side.memory.refuse_reads.insert(buffer);
        if (kind == 0) return ring.describe(buffer + 4, 100, mode, target);
        if (kind == 1)
          return ring.describe(buffer, static_cast<unsigned>(frame.size() * 1000) % 65536 | 32768, mode, target);
        if (kind == 2) return ring.describe(buffer, 100, 4 + mode, target);
        if (kind == 3) return ring.describe(buffer, 100, mode, 16 + target);
        ring.post(frame, mode, target);
      });
      ++frames_in;
    }
    both([&](auto& side) { side.rings[number]->ring(); });
    settle();
    both([&](auto& side) { side.memory.refuse_reads.clear(); });
  }
  void repost() {
    const unsigned number = static_cast<unsigned>(pick(4));
    post(number, static_cast<unsigned>(pick(model.rings[number]->free() + 1)));
  }
  void restart() {
    const unsigned number = static_cast<unsigned>(pick(8));
    both([&](auto& side) { side.rings[number]->stop(); });
    settle();
    compareRing(number);
    if (chance(2)) frames();  // that find no ring
    start(number);
  }
  /// A ring that the bus lets down, and what stops it is seen; then anew.
  void breakRing() {
    const unsigned number = static_cast<unsigned>(pick(8)), kind = static_cast<unsigned>(pick(3));
    both([&](auto& side) {
      auto& ring = *side.rings[number];
      // The next is fetched already unless it begins a line.
      const unsigned seen = ring.tail() - ring.outstanding();
      if (kind == 0) side.memory.refuse_reads.insert(ring.descriptorAddress(seen) / 64 * 64);
      if (kind == 1) side.memory.refuse_writes.insert(ring.completionAddress(seen) / 64 * 64);
      if (kind == 2) side.write(map::reg::kRingTail + 4 * number, ring.tail() + ring.free() + 1);
    });
    settle();
    // One at a time: in the card those behind the one that stops the ring may be in its queue already.
    frames(1);
    transmit(1);
    check();
    both([&](auto& side) {
      side.memory.refuse_reads.clear();
      side.memory.refuse_writes.clear();
      side.rings[number]->stop();
    });
    settle();
    compareRing(number);
    start(number);
  }
  void refuseBuffer() {
    const unsigned number = static_cast<unsigned>(pick(4));
    const std::uint64_t buffer = model.rings[number]->buffer(static_cast<unsigned>(pick(4)));
    both([&](auto& side) { side.memory.refuse_writes.insert(buffer); });
    frames();
    longFrame();
    both([&](auto& side) { side.memory.refuse_writes.clear(); });
  }
  void table() {
    const map::Table& table = map::kTables[pick(map::kTables.size())];
    const auto index =
        static_cast<std::uint32_t>(pick(std::min<std::uint32_t>(table.capacity, 12) + (chance(8) ? 4 : 0)));
    const unsigned select = chance(20) ? static_cast<unsigned>(8 + pick(200)) : table.number;
    const auto command = static_cast<std::uint32_t>(chance(3) ? pick(16) : 2 + 4 * pick(2));
    std::array<std::uint32_t, 4> data{};
    for (std::uint32_t& word : data) word = static_cast<std::uint32_t>(random());
    const bool fresh = (command & 1) != 0 && chance(2);
    both([&](auto& side) {
      side.write(map::reg::kTableSelect, select);
      side.write(map::reg::kTableIndex, index);
      if (fresh)
        for (unsigned i = 0; i < 4; ++i) side.write(map::reg::kTableData + 4 * i, data[i]);
      side.write(map::reg::kTableCommand, command);
      side.access.awaitTable();
    });
    for (const std::uint32_t address : {map::reg::kTableStatus, map::reg::kTableIndex, map::reg::kTableCapacity,
                                        map::reg::kTableUsed, map::reg::kTableEntryBits, map::reg::kTableData,
                                        map::reg::kTableData + 4, map::reg::kTableData + 8, map::reg::kTableData + 12})
      compareRead(address);
  }
  /// What random entries broke is put right again.
  void reprogram() {
    const Tables tables = tablesOfEverything();
    both([&](auto& side) {
      for (unsigned i = 0; i < 16; ++i) {
        side.access.writeEntry("port", i, forward_rtl::PortPort::pack(tables.port[i]));
        side.access.writeEntry("attachment", i, forward_rtl::AttachmentPort::pack(tables.attachment[i]));
        side.access.writeEntry("service", i, forward_rtl::ServicePort::pack(tables.service[i]));
        side.access.writeEntry("link", i, forward_rtl::LinkPort::pack(tables.link[i]));
        side.access.writeEntry("group", i, forward_rtl::GroupPort::pack(tables.group[i]));
      }
    });
  }
  void registers() {
    const auto any = static_cast<std::uint32_t>(random());
    const auto host_class = static_cast<std::uint32_t>(4 * pick(4));
    const auto write = [&](std::uint32_t address, std::uint32_t value) {
      both([&](auto& side) { EXPECT_TRUE(side.write(address, value)) << address; });
    };
    switch (pick(9)) {
      case 0:
        write(map::reg::kScratch, any);
        return write(map::reg::kHashSeed, any);
      case 1:
        return write(map::reg::kHashMode, any % 2);
      case 2:
        write(map::reg::kCapturePorts, any);
        write(map::reg::kLearnPorts, chance(2) ? 0 : any * 5);
        write(map::reg::kCaptureOutcomesLow, chance(2) ? 1 : any);
        write(map::reg::kCaptureOutcomesHigh, any * 3);
        return write(map::reg::kCaptureControl, (any & 0x000F'0000) | (chance(4) ? 0 : 1) | (chance(2) ? 2 : 0));
      case 3:
        write(map::reg::kPoliceServiceInterval + host_class, chance(2) ? 0 : any % 1'000'000);
        return write(map::reg::kPoliceServiceTolerance + host_class, any % 20'000);
      case 4:
        write(map::reg::kPolicePortInterval + host_class, chance(2) ? 0 : any % 1'000'000);
        return write(map::reg::kPolicePortTolerance + host_class, any % 20'000);
      case 5:
        return write(map::reg::kPortControl + 4 * static_cast<std::uint32_t>(pick(16)), chance(6) ? 0 : 1);
      case 6: {
        const bool up = !chance(6);
        const unsigned port = static_cast<unsigned>(pick(kPorts));
        both([&](auto& side) { side.access.card.setPortUp(port, up); });
        return rtl.access.card.run(16);
      }
      case 7:
        return write(map::reg::kEventClear, any & 0xC0FF'FFFF);
      default:
        return write(map::reg::kEventClear, (any & 0x00FF'FFFF) | 0xC000'0000);
    }
  }
  /// A module pulled, plugged, failing, or in the dark.
  void optics() {
    const unsigned port = static_cast<unsigned>(pick(kPorts));
    std::optional<sim::Module> module = sim::usualModule(chance(2), std::to_string(pick(1000)));
    module->fault = chance(3);
    if (chance(3)) module.reset();
    const std::optional<double> light = chance(4) ? std::nullopt : std::optional(-40.0 + static_cast<double>(pick(42)));
    const bool plugs = chance(2);
    both([&](auto& side) {
      if (plugs)
        side.access.card.setModule(port, module);
      else
        side.access.card.setReceivedLight(port, light);
    });
    rtl.access.card.run(16);
    for (unsigned i = 0; i < 4; ++i)
      compareRead(map::window::kModuleMemory + 512 * port + 4 * static_cast<std::uint32_t>(pick(128)));
    compareRead(map::reg::kPortStatus + 4 * port);
    compareRead(map::reg::kPortLight + 4 * port);
  }
  void moderation() {
    const unsigned ring = static_cast<unsigned>(pick(8));
    const unsigned count = static_cast<unsigned>(pick(5)), us = static_cast<unsigned>(pick(3000));
    const bool moderates = chance(2), arms = !chance(4);
    const auto unseen = static_cast<std::uint16_t>(chance(3) ? pick(3) : 0);  // that were there before
    if (moderates) both([&](auto& side) { side.rings[ring]->moderate(count, us); });
    settle();  // what was armed before may fire by that
    both([&](auto& side) {
      const auto seen = static_cast<std::uint16_t>(side.rings[ring]->tail() - side.rings[ring]->outstanding() - unseen);
      side.write(map::reg::kRingArm + 4 * ring,
                 map::field::kRingArmSeen.with(seen) | map::field::kRingArmArm.with(arms));
    });
  }
  /// A port's PDU is to be repeated; now and then the words of the one before stay.
  void repetition() {
    const auto port = static_cast<std::uint32_t>(pick(chance(8) ? 16 : kPorts));
    const auto write = [&](std::uint32_t address, std::uint64_t value) {
      both([&](auto& side) { side.write(address, static_cast<std::uint32_t>(value)); });
    };
    if (chance(2)) {
      const unsigned first = static_cast<unsigned>(pick(32)), words = static_cast<unsigned>(pick(33 - first));
      for (unsigned i = first; i < first + words; ++i) write(map::reg::kRepeatFrame + 4 * i, random());
      write(map::reg::kRepeatBytes, chance(8) ? pick(256) : 60 + pick(69));
      write(map::reg::kRepeatWait, pick(2000));
      write(map::reg::kRepeatInterval, chance(16) ? 0 : 1 + pick(2000));
      write(map::reg::kRepeatLifetime, pick(20'000));
    }
    write(map::reg::kRepeatControl + 4 * port, chance(8) ? random() : chance(3) ? 1 + pick(4) : 2);
    settle();
    compareRead(map::reg::kRepeatStatus + 4 * port);
    compareRead(map::reg::kRepeatSent + 4 * port);
  }
  /// Ports that are held when their link falls, even for a moment.
  void holding() {
    const unsigned port = static_cast<unsigned>(pick(kPorts));
    const std::uint32_t hold = map::reg::kPortHold + 4 * port, release = map::reg::kPortRelease + 4 * port;
    switch (pick(4)) {
      case 0: {
        const std::uint32_t value = chance(4) ? 0 : 1;
        both([&](auto& side) { side.write(hold, value); });
        break;
      }
      case 1:
        both([&](auto& side) { side.access.card.setPortUp(port, false); });
        rtl.access.card.step();
        both([&](auto& side) { side.access.card.setPortUp(port, true); });
        rtl.access.card.run(16);
        break;
      default:
        both([&](auto& side) { side.write(release, 1); });
        break;
    }
    settle();
    compareRead(map::reg::kPortStatus + 4 * port);
  }
  /// Completions of different ages wait for an interrupt.
  void aging() {
    const auto us = static_cast<unsigned>(200 + pick(800));
    post(0, model.rings[0]->free());
    check();
    both([&](auto& side) { side.rings[0]->moderate(3 + us % 4, us); });
    settle();
    both([&](auto& side) { side.rings[0]->arm(); });
    for (unsigned i = 0; i < 4; ++i) {
      const Frame frame = slowFrame(60, i);
      both([&](auto& side) { side.access.card.receive(i, frame, false); });
      settle();
      check();
      time(1 + pick(us));
      check();
    }
  }
  void time() { time(pick(10) == 0 ? pick(std::uint64_t{3} << 20) : pick(3000)); }
  void time(std::uint64_t passes_us) {
    now += passes_us;
    both([&](auto& side) { side.access.card.setNow(now); });
    rtl.access.card.run(30);  // an idle card is clocked too
    settle();
  }
  void step() {
    const auto what = pick(100);
    if (what < 32) return frames();
    if (what < 48) return transmit();
    if (what < 58) return repost();
    if (what < 67) return time();
    if (what < 76) return registers();
    if (what < 81) return moderation();
    if (what < 84) return chance(2) ? repetition() : holding();
    if (what < 90) return table();
    if (what < 92) return reprogram();
    if (what < 94) return longFrame();
    if (what < 96) return refuseBuffer();
    if (what < 97) return breakRing();
    if (what < 98) return restart();
    if (what < 99) return chance(2) ? aging() : optics();
    for (unsigned i = 0; i < 12; ++i) compareRead(anyAddress());
    refusedWrite();
  }

  // ---- comparisons

  std::uint32_t anyAddress() {
    if (chance(3)) return static_cast<std::uint32_t>(pick(1U << 20)) & ~3U;
    const map::Register& one = map::kRegisters[pick(map::kRegisters.size())];
    return one.address + static_cast<std::uint32_t>(pick(std::max(1U, one.count))) * one.stride;
  }
  void compareRead(std::uint32_t address) {
    const auto a = model.read(address), b = rtl.read(address);
    ASSERT_EQ(a.has_value(), b.has_value()) << "read of " << std::hex << address;
    if (a) ASSERT_EQ(*a, *b) << "at " << std::hex << address;
  }
  void refusedWrite() {
    const std::uint32_t address = anyAddress();
    if (sim::RegisterFile::writable(address)) return;
    both([&](auto& side) { EXPECT_FALSE(side.write(address, 0xFFFF'FFFF)) << address; });
  }
  void compareRing(unsigned number) {
    compareRead(map::reg::kRingStatus + 4 * number);
    compareRead(map::reg::kRingLost + 4 * number);
  }
  void check() {
    for (unsigned port = 0; port < kPorts; ++port) {
      ASSERT_EQ(model.sent[port].size(), rtl.sent[port].size()) << "frames sent by port " << port;
      for (std::size_t i = 0; i < model.sent[port].size(); ++i)
        ASSERT_EQ(model.sent[port][i], rtl.sent[port][i]) << "frame " << i << " of port " << port;
      frames_out += rtl.sent[port].size();
      model.sent[port].clear();
      rtl.sent[port].clear();
    }
    for (unsigned ring = 0; ring < 8; ++ring) {
      for (;;) {
        const auto a = model.rings[ring]->poll(), b = rtl.rings[ring]->poll();
        ASSERT_EQ(a.has_value(), b.has_value()) << "a completion of ring " << ring;
        if (!a) break;
        ASSERT_EQ(*a, *b) << "ring " << ring;
        ++completions;
      }
    }
    std::sort(rtl.interrupts.begin(), rtl.interrupts.end());
    std::sort(model.interrupts.begin(), model.interrupts.end());
    ASSERT_EQ(model.interrupts, rtl.interrupts);
    interrupts += rtl.interrupts.size();
    rtl.interrupts.clear();
    model.interrupts.clear();
  }
  /// Every counter that traffic can have moved, and then some.
  void compareCounters() {
    const auto counts = [&](std::uint32_t window, unsigned first, unsigned count) {
      for (std::uint32_t at = window + 16 * first; at < window + 16 * (first + count); at += 4) compareRead(at);
    };
    counts(map::window::kPortCounters, 0, 64);  // and a second time
    for (unsigned port = 0; port <= 16; port += port == kPorts ? 8 : 1)
      counts(map::window::kDropCounters, 64 * port, 40);
    for (unsigned host_class = 0; host_class < 4; ++host_class)
      counts(map::window::kHostCounters, 128 * host_class, 4 * 17);
    counts(map::window::kHostCounters, 512, 10);
    counts(map::window::kServiceCounters, 0, 40);
    for (unsigned group = 0; group < 10; ++group) counts(map::window::kMemberCounters, 16 * group, 16);
    for (unsigned link = 0; link < 16; ++link) compareRead(map::window::kFlowCounts + 4 * link);
    for (unsigned port = 0; port < 16; ++port) {
      compareRead(map::reg::kPortStatus + 4 * port);
      compareRead(map::reg::kRepeatStatus + 4 * port);
      compareRead(map::reg::kRepeatSent + 4 * port);
    }
    for (unsigned ring = 0; ring < 8; ++ring) compareRing(ring);
    compareRead(map::reg::kEventStatus);
    compareRead(map::reg::kStatus);
  }

  Random random;
  Side<ModelFace> model;
  Side<sim::CardModel> rtl;
  std::uint64_t now = 0;
  std::uint64_t frames_in = 0, frames_out = 0, completions = 0, interrupts = 0;
};

TEST_P(Model, does_what_the_card_does) {
  const char* longer = std::getenv("POPLINK_MODEL_STEPS");
  const unsigned steps = longer == nullptr ? 2000 : static_cast<unsigned>(std::atoi(longer));
  for (unsigned i = 0; i < steps; ++i) {
    step();
    settle();
    if (!HasFatalFailure()) check();
    ASSERT_FALSE(HasFatalFailure()) << "in step " << i;
    if (i % 500 == 499) compareCounters();
  }
  // Each of these happens often enough to mean something.
  EXPECT_GT(frames_in, steps);
  EXPECT_GT(frames_out, steps / 5);
  EXPECT_GT(completions, steps / 2);
  EXPECT_GT(interrupts, steps / 50);
  std::uint64_t repeated = 0;
  for (unsigned port = 0; port < kPorts; ++port) repeated += *model.read(map::reg::kRepeatSent + 4 * port);
  EXPECT_GT(repeated, steps / 100);
}

INSTANTIATE_TEST_SUITE_P(of, Model, ::testing::Range(1, 7), ::testing::PrintToStringParamName());

}  // namespace
}  // namespace poplink::tests
