// SPDX-License-Identifier: Apache-2.0
// What a card's tables must hold for a region, and the steps from what they hold to that.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "../model/region.h"
#include "poplink/driver/card.h"

namespace poplink::host {

// Low bits of an index that number the buckets of one group in the table `bucket`, of one LAG in `lag`.
inline constexpr unsigned kGroupBucketBits = 12;
inline constexpr unsigned kLagBucketBits = 8;

/// Valid entries by table name and index.
using TableImage = std::map<std::string, std::map<std::uint32_t, driver::Entry>, std::less<>>;

struct Desired {
  TableImage tables;
  driver::HashMode hash;
};

/// Entries of a table; none when it has none.
const std::map<std::uint32_t, driver::Entry>& entriesOf(const TableImage& image, std::string_view table);

/// What a port of a LAG does with customers' frames (IEEE 802.1AX-2014 6.4.8, Collecting and Distributing).
struct MemberState {
  bool collecting = false;    ///< takes them
  bool distributing = false;  ///< gives them; only together with `collecting`

  bool carries() const { return collecting && distributing; }
  friend bool operator==(const MemberState&, const MemberState&) = default;
};
/// Of ports of LAGs; one that is missing is out of service.
using MemberStates = std::map<PortId, MemberState>;

/// A number for what differs between cards: the same on every run, and another one for every card of the region.
std::uint32_t seedOf(const Region& region, const Node& node);

/// For one card. Entries are numbered by what they stand for (port, tunnel id), so they never depend on the order of
/// the file; a LAG by its lowest port. Buckets of next hops and of LAGs change no more than they must from `current`:
/// flows stay where they are. Ports of LAGs do what `members` says, all others carry frames. Throws ConfigError when
/// the node's site is not in the region, or a port is not on the card.
Desired desiredTables(const Region& region, const Node& node, unsigned card_ports, const TableImage& current = {},
                      const MemberStates& members = {});

/// One entry to write; an empty entry clears.
struct Step {
  std::string table;
  std::uint32_t index;
  driver::Entry entry;
  enum class Kind { add, change, remove } kind;
};

/// In an order that never lets a frame see half a configuration: what an entry refers to is there before it and goes
/// after it. A link never names a port that is not there or belongs to another; a port that gets another role or
/// another attachment is off until the rest is as it must be.
std::vector<Step> plan(const TableImage& current, const TableImage& desired);

/// One line for each step, "add service 101: attachment 0, ...", and one for many buckets of a group.
std::vector<std::string> describe(const std::vector<Step>& steps);

/// Steps of a table that follow one another are written together.
void carryOut(const std::vector<Step>& steps, driver::Card& card);

TableImage readTables(driver::Card& card);

}  // namespace poplink::host
