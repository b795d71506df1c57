// SPDX-License-Identifier: Apache-2.0
// A card that is only its tables and forward(): written step by step as `poplink` would, asked at any moment what it
// does with a frame.
#pragma once

#include <algorithm>

#include "forward_model.h"
#include "table_access.h"
#include "tables.h"

namespace poplink::host {

class ImageCard {
 public:
  void carryOut(const Step& step) {
    if (step.entry.empty())
      image_[step.table].erase(step.index);
    else
      image_[step.table][step.index] = step.entry;
    const card_map::Table& table = driver::tableNamed(step.table);
    const std::vector<std::uint32_t> packed = driver::packEntry(table, step.entry);
    sim::TableAccess::Words words{};
    std::copy(packed.begin(), packed.end(), words.begin());
    sim::TableAccess(tables_).write(table.number, step.index, words);  // so that a copy has its own tables
  }
  void carryOut(const std::vector<Step>& steps) {
    for (const Step& step : steps) carryOut(step);
  }

  /// Valid entries; no table without any.
  TableImage image() const {
    TableImage image = image_;
    std::erase_if(image, [](const auto& table) { return table.second.empty(); });
    return image;
  }
  const std::map<std::uint32_t, driver::Entry>& entries(const char* table) const { return entriesOf(image_, table); }
  tests::Decision decide(const tests::Frame& frame, unsigned port) const { return tests::decide(tables_, frame, port); }

 private:
  TableImage image_;
  tests::Tables tables_;
};

/// UDP over IPv4, flow `flow` of many; tagged with `vid` (0x8100, or 0x88A8 for an S-tag) unless that is 0.
inline tests::Frame flowFrame(unsigned flow, unsigned vid = 0, unsigned tpid = 0x8100) {
  tests::Frame frame = {2, 0, 0, 0, 0, 0xB, 2, 0, 0, 0, 0, 0xA};
  const auto put16 = [&](unsigned value) {
    frame.push_back(static_cast<std::uint8_t>(value >> 8));
    frame.push_back(static_cast<std::uint8_t>(value));
  };
  if (vid != 0) {
    put16(tpid);
    put16(vid);
  }
  put16(0x0800);
  for (const unsigned value :
       {0x4500U, 46U, 1U, 0x4000U, 0x4011U, 0U, 0x0A00U, flow >> 8, 0x0A01U, 7U, 1024 + flow % 256, 53U, 26U, 0U})
    put16(value);
  frame.resize(frame.size() + 18);
  return frame;
}

}  // namespace poplink::host
