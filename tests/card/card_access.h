// SPDX-License-Identifier: Apache-2.0
// A simulated card's tables and counters through its registers, for tests and benchmarks.
#pragma once

#include <cstdint>
#include <ostream>
#include <stdexcept>
#include <string_view>

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
class CardAccess {
 public:
  explicit CardAccess(sim::PortSpeed speed = sim::PortSpeed::bus, int seed = 1) : card(speed, seed) {}

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
    programNextHops(tables);
  }
  void programNextHops(const Tables& tables) {
    for (unsigned i = 0; i < tables.link.size(); ++i) {
      if (tables.link[i].valid) writeEntry("link", i, forward_rtl::LinkPort::pack(tables.link[i]));
    }
    for (unsigned i = 0; i < tables.lag.size(); ++i) {
      if (tables.lag[i].valid) writeEntry("lag", i, forward_rtl::LagPort::pack(tables.lag[i]));
    }
    for (unsigned i = 0; i < tables.bucket.size(); ++i) {
      if (tables.bucket[i].valid) writeEntry("bucket", i, forward_rtl::BucketPort::pack(tables.bucket[i]));
    }
    for (unsigned i = 0; i < tables.group.size(); ++i) {
      if (tables.group[i].valid) writeEntry("group", i, forward_rtl::GroupPort::pack(tables.group[i]));
    }
    card.writeRegister(map::reg::kHashSeed, tables.hash_seed);
    card.writeRegister(map::reg::kHashMode, map::field::kHashModeSymmetric.with(tables.hash_symmetric ? 1 : 0));
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
  Count member(unsigned group, unsigned link) { return count(map::window::kMemberCounters, group * 16 + link); }
  /// Slots that a link's flows touched in the last whole second.
  unsigned touchedSlots(unsigned link) { return card.readRegister(map::window::kFlowCounts + 4 * link); }
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

  Model card;
};

}  // namespace poplink::tests
