// SPDX-License-Identifier: Apache-2.0
// The card's tables as the host sees them: whole entries by table number and index.
#pragma once

#include <array>
#include <cstdint>

#include "poplink/card_map.h"
#include "software_tables.h"

namespace poplink::sim {

class TableAccess {
 public:
  using Words = std::array<std::uint32_t, card_map::reg::kTableDataCount>;  ///< lowest bits first

  explicit TableAccess(SoftwareTables& tables) : tables_(tables) {}

  // Of table `number`; 0 when there is none.
  static std::uint32_t capacity(unsigned number);
  static std::uint32_t entryBits(unsigned number);
  std::uint32_t used(unsigned number) const;

  // `index` is below the capacity.
  Words read(unsigned number, std::uint32_t index) const;
  void write(unsigned number, std::uint32_t index, const Words& words);

 private:
  SoftwareTables& tables_;
  std::array<std::uint32_t, card_map::kTables.size()> used_{};
};

}  // namespace poplink::sim
