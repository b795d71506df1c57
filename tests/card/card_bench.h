// SPDX-License-Identifier: Apache-2.0
// A card under test beside the golden model: programs both from the same tables, compares what leaves with what
// forward() says.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "card_model.h"
#include "forward_model.h"
#include "forward_rtl.h"
#include "poplink/card_map.h"

namespace poplink::tests {

namespace map = card_map;

inline const map::Table& tableNamed(std::string_view name) {
  for (const map::Table& table : map::kTables) {
    if (table.name == name) return table;
  }
  throw std::logic_error("no such table");
}

/// Counts of one kind: frames and bytes.
struct Count {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  friend bool operator==(const Count&, const Count&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Count& count) {
    return out << count.frames << " frames, " << count.bytes << " bytes";
  }
};

template <class Model>
class CardBench {
 public:
  explicit CardBench(sim::PortSpeed speed = sim::PortSpeed::bus) : card(speed) {
    card.on_sent = [this](sim::SentFrame&& frame) { sent(std::move(frame)); };
  }

  // ---- registers

  template <class Packed>
  void writeEntry(std::string_view table, std::uint32_t index, Packed packed) {
    card.writeRegister(map::reg::kTableSelect, tableNamed(table).number);
    card.writeRegister(map::reg::kTableIndex, index);
    for (unsigned word = 0; word < map::reg::kTableDataCount; ++word) {
      const auto bits = static_cast<hls::bits<128>>(packed);
      card.writeRegister(map::reg::kTableData + word * map::reg::kTableDataStride,
                         static_cast<std::uint32_t>(bits >> (32 * word)));
    }
    card.writeRegister(map::reg::kTableCommand, map::field::kTableCommandWrite.with(1));
    awaitTable();
  }
  hls::bits<128> readEntry(std::string_view table, std::uint32_t index) {
    card.writeRegister(map::reg::kTableSelect, tableNamed(table).number);
    card.writeRegister(map::reg::kTableIndex, index);
    card.writeRegister(map::reg::kTableCommand, map::field::kTableCommandRead.with(1));
    awaitTable();
    hls::bits<128> bits = 0;
    for (unsigned word = 0; word < map::reg::kTableDataCount; ++word) {
      bits |= static_cast<hls::bits<128>>(card.readRegister(map::reg::kTableData + word * map::reg::kTableDataStride))
              << (32 * word);
    }
    return bits;
  }
  void awaitTable() {
    while (map::field::kTableStatusBusy.of(card.readRegister(map::reg::kTableStatus)) != 0) {
    }
  }
  bool tableError() { return map::field::kTableStatusError.of(card.readRegister(map::reg::kTableStatus)) != 0; }

  /// Everything in `tables` that is valid.
  void program(const Tables& tables) {
    golden = tables;
    for (unsigned i = 0; i < 16; ++i) {
      if (tables.port[i].valid) writeEntry("port", i, forward_rtl::PortPort::pack(tables.port[i]));
      if (tables.attachment[i].valid)
        writeEntry("attachment", i, forward_rtl::AttachmentPort::pack(tables.attachment[i]));
    }
    for (unsigned i = 0; i < tables.vid.size(); ++i) {
      if (tables.vid[i].valid) writeEntry("vid", i, forward_rtl::VidPort::pack(tables.vid[i]));
    }
    for (unsigned i = 0; i < tables.service.size(); ++i) {
      if (tables.service[i].valid) writeEntry("service", i, forward_rtl::ServicePort::pack(tables.service[i]));
    }
  }

  Count count(std::uint32_t window, unsigned index) {
    const std::uint32_t at = window + index * 16;
    const auto wide = [&](std::uint32_t address) {
      const std::uint64_t low = card.readRegister(address);
      return low | static_cast<std::uint64_t>(card.readRegister(address + 4)) << 32;
    };
    return {wide(at), wide(at + 8)};
  }
  Count received(unsigned port) { return count(map::window::kPortCounters, port * 2); }
  Count sentCount(unsigned port) { return count(map::window::kPortCounters, port * 2 + 1); }
  Count dropped(unsigned port, unsigned reason) { return count(map::window::kDropCounters, port * 64 + reason); }
  Count service(unsigned number, bool to_backbone) {
    return count(map::window::kServiceCounters, number * 2 + (to_backbone ? 1 : 0));
  }
  /// Drops of a port over all reasons.
  Count allDropped(unsigned port) {
    Count sum;
    for (unsigned reason = 1; reason <= map::kMaxDropReason; ++reason) {
      const Count one = dropped(port, reason);
      sum.frames += one.frames;
      sum.bytes += one.bytes;
    }
    return sum;
  }

  // ---- traffic

  /// Sends a frame in and expects what forward() says to come out, in order per (ingress, egress) pair of ports.
  Decision send(unsigned port, const Frame& frame) {
    Decision decision = decide(golden, frame, port);
    const auto drop = static_cast<unsigned>(decision.out.drop);
    if (drop == 0) {
      const auto egress = static_cast<unsigned>(decision.out.egress_port);
      Frame padded = decision.frame;
      if (padded.size() < sim::kMinFrameBytes) padded.resize(sim::kMinFrameBytes);
      expected_[egress][port].push_back(std::move(padded));
      ++outstanding;
    } else {
      ++expected_drops[{port, drop}];
    }
    card.receive(port, frame);
    return decision;
  }

  /// Runs until the card is quiescent and checks that everything expected has come.
  void finish(std::uint64_t limit = 2'000'000) {
    ASSERT_TRUE(card.drain(limit)) << "the card did not come to rest";
    EXPECT_EQ(outstanding, 0U) << "frames that never came out";
    EXPECT_EQ(unexpected, 0U);
  }
  void checkDropCounters() {
    for (const auto& [key, frames] : expected_drops) {
      EXPECT_EQ(dropped(key.first, key.second).frames, frames) << "port " << key.first << " reason " << key.second;
    }
  }

  Model card;
  Tables golden;
  std::uint64_t outstanding = 0;
  std::uint64_t unexpected = 0;
  std::uint64_t frames_out = 0;
  std::map<std::pair<unsigned, unsigned>, std::uint64_t> expected_drops;
  std::function<void(const sim::SentFrame&)> on_sent;

 private:
  void sent(sim::SentFrame&& frame) {
    ++frames_out;
    if (on_sent) on_sent(frame);
    if (expected_.empty()) return;
    // Order holds per ingress port; between ingress ports any may be next.
    for (auto& [ingress, queue] : expected_[frame.port]) {
      if (queue.empty() || queue.front() != frame.bytes) continue;
      queue.pop_front();
      --outstanding;
      return;
    }
    if (++unexpected == 1)
      ADD_FAILURE() << "port " << frame.port << " sent a frame of " << frame.bytes.size()
                    << " bytes that nobody expects";
  }

  std::map<unsigned, std::map<unsigned, std::deque<Frame>>> expected_;  ///< by egress, by ingress port
};

using Bench = CardBench<sim::CardModel>;

}  // namespace poplink::tests
