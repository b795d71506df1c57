// SPDX-License-Identifier: Apache-2.0
// What a card's tables must hold for a region, and the steps from what they hold to that.
#pragma once

#include <string>
#include <vector>

#include "../model/region.h"
#include "poplink/driver/card.h"

namespace poplink::host {

/// Valid entries by table name and index.
using TableImage = std::map<std::string, std::map<std::uint32_t, driver::Entry>, std::less<>>;

struct Desired {
  TableImage tables;
  driver::HashMode hash;
};

/// For one card. Entries are numbered by what they stand for (port, tunnel id), so they never depend on the order of
/// the file. Buckets of next hops change no more than they must from `current`: flows stay where they are. Throws
/// ConfigError when the node's site is not in the region, or a port is not on the card.
Desired desiredTables(const Region& region, const Node& node, unsigned card_ports, const TableImage& current = {});

/// One entry to write; an empty entry clears.
struct Step {
  std::string table;
  std::uint32_t index;
  driver::Entry entry;
  enum class Kind { add, change, remove } kind;
};

/// In an order that never lets a frame see half a configuration: what an entry refers to is there before it and goes
/// after it.
std::vector<Step> plan(const TableImage& current, const TableImage& desired);

/// One line for each step, "add service 101: attachment 0, ...", and one for many buckets of a group.
std::vector<std::string> describe(const std::vector<Step>& steps);

/// Steps of a table that follow one another are written together.
void carryOut(const std::vector<Step>& steps, driver::Card& card);

TableImage readTables(driver::Card& card);

}  // namespace poplink::host
