// SPDX-License-Identifier: Apache-2.0
// A card as software sees it: identity, tables, ports and counters over any transport.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "poplink/card_map.h"
#include "poplink/driver/error.h"
#include "poplink/driver/sff8472.h"
#include "poplink/driver/transport.h"

namespace poplink::driver {

/// An entry by its fields' names; a field that is not there is 0.
using Entry = std::map<std::string, std::uint64_t, std::less<>>;

/// Frames and bytes since the card's reset.
struct Count {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  friend bool operator==(const Count&, const Count&) = default;
};

/// How the card hashes flows onto next hops.
struct HashMode {
  std::uint32_t seed = 0;  ///< another one on every card of a path, so that they choose independently
  bool symmetric = false;  ///< both directions of a conversation alike
  friend bool operator==(const HashMode&, const HashMode&) = default;
};

/// How many different flows there were, as far as touched slots tell.
struct Flows {
  std::uint32_t estimate = 0;
  bool saturated = false;  ///< every slot was touched: there were more than `estimate`
  friend bool operator==(const Flows&, const Flows&) = default;
};

/// Flows that have touched `touched` of `slots` slots, each flow one at random: n = -m ln(1 - c/m), linear counting
/// (Whang, Vander-Zanden, Taylor, "A linear-time probabilistic counting algorithm for database applications", ACM TODS
/// 15(2), 1990). Its standard error is sqrt(m (e^t - t - 1)) flows with t = n/m; of 4096 slots 1.3 % at 4096 flows, 2.8
/// % at 16384, 7.4 % at 28672. Without an untouched slot nothing is known but that there were about m ln m or more.
Flows flowsOf(std::uint32_t touched, std::uint32_t slots);

/// Cards with register map 2.2 or older show neither speed nor module nor light, those before 2.5 hold no port.
struct PortState {
  bool up = false;          ///< the link
  bool enabled = false;     ///< transmission; not: the port is locked
  unsigned speed_mbit = 0;  ///< 0: not known
  bool module = false;      ///< one is plugged
  bool fault = false;       ///< its transmitter has failed
  bool los = false;         ///< it receives too little light
  bool hold = false;        ///< a fall of its link keeps customers' frames from it until releasePort()
  bool held = false;        ///< and that is so now
  std::optional<double> transmit_dbm, receive_dbm;  ///< light; nothing: none, or no module
  Count received{};
  Count sent{};
};

/// What is plugged into a port.
struct PortModule {
  std::optional<ModuleIdentity> identity;        ///< nothing: it does not let itself be read
  std::optional<ModuleDiagnostics> diagnostics;  ///< nothing: it has none
};

/// Throws DriverError for an unknown name.
const card_map::Table& tableNamed(std::string_view name);

/// 32-bit words of an entry, fields packed as the map says. Throws DriverError for an unknown field or a value that
/// does not fit.
std::vector<std::uint32_t> packEntry(const card_map::Table& table, const Entry& entry);
Entry unpackEntry(const card_map::Table& table, const std::vector<std::uint32_t>& words);
/// Whether the entry is in use: its field `valid`.
bool isValid(const Entry& entry);

/// Throws DriverError when what is there is no poplink card, or has registers of another major version than this
/// driver.
void checkRegisterMap(Transport& transport);

class Card {
 public:
  /// Takes the card over. Throws DriverError when it is no poplink card, its register map has another major version, it
  /// is not ready, or its tables are not those that this driver was built for.
  explicit Card(std::unique_ptr<Transport> transport);

  unsigned ports() const { return ports_; }
  std::string name() const { return transport_->name(); }
  /// 0: it has none.
  std::uint64_t serial();
  /// For what goes beside the tables and counters.
  Transport& transport() { return *transport_; }

  /// Whole entry at once; a lookup sees it before or after, never half. Throws DriverError, also for an index out of
  /// the table.
  void writeEntry(std::string_view table, std::uint32_t index, const Entry& entry);
  Entry readEntry(std::string_view table, std::uint32_t index);
  /// The same for many entries of a table, in order, with few exchanges.
  void writeEntries(std::string_view table, std::span<const std::pair<std::uint32_t, Entry>> entries);
  std::vector<Entry> readEntries(std::string_view table, std::uint32_t first, std::uint32_t count);
  /// Number of valid entries, by the card's own count.
  std::uint32_t used(std::string_view table);
  /// All valid entries by index. Reads until the card's count is reached.
  std::map<std::uint32_t, Entry> validEntries(std::string_view table);

  /// What the card itself knows of a port: a few registers, quickly.
  PortState port(unsigned number);
  /// What the port's module says of itself; nothing: there is none. Read from the module's memory as the board keeps
  /// it, which needs some hundred accesses.
  std::optional<PortModule> module(unsigned number);
  /// Whether the card shows its ports' speed, modules and light: cards with a register map before 2.3 do not.
  bool showsModules() const { return minor_ >= 3; }
  void enablePort(unsigned number, bool enabled);
  /// Whether the card can repeat a port's last PDU (pdu_repeat.h) and hold a port whose link has fallen: cards with a
  /// register map before 2.5 do neither.
  bool repeatsPdus() const { return minor_ >= 5; }
  /// With `hold`, from the moment in which the port's link falls, or when it has none now, no customer's frame is sent
  /// to the port or taken from it until releasePort(), however soon the link is back and whether this program runs or
  /// not. What this program sends and gets itself passes. Without `hold` the port is free at once. Throws DriverError
  /// when the card cannot or has no such port.
  void holdPort(unsigned number, bool hold);
  /// Ends that. Nothing happens while the link is down. Throws DriverError when the card cannot or has no such port.
  void releasePort(unsigned number);
  /// By ingress port and reason.
  Count dropped(unsigned port, unsigned reason);
  /// All reasons of a port that have counted something.
  std::map<unsigned, Count> drops(unsigned port);
  Count service(std::uint32_t service, bool to_backbone);
  /// What a member of a group of next hops has carried towards the backbone.
  Count member(std::uint32_t group, unsigned link);
  /// Whether the card counts flows: cards with register map 2.0 do not.
  bool countsFlows() const { return minor_ >= 1; }
  /// Different flows that a link carried towards the backbone in the last whole second (2^20 us of card time), of all
  /// services and groups together; a flow is what the card's hash takes for one. Throws DriverError when the card does
  /// not count flows or has no such link.
  Flows flows(unsigned link);

  HashMode hash();
  /// Moves flows.
  void setHash(const HashMode& mode);

 private:
  std::uint32_t read(std::uint32_t address);
  void checkPort(unsigned number) const;
  void checkHolds(unsigned number) const;
  /// A page of the module's memory, 0: A0h, 1: A2h; nothing: it does not answer.
  std::optional<std::array<std::uint8_t, kModulePageBytes>> modulePage(unsigned port, unsigned page);
  Count count(std::uint32_t window, std::uint32_t index);
  void awaitTable(std::string_view table, std::uint32_t index);
  void checkIdentity();

  std::unique_ptr<Transport> transport_;
  unsigned ports_ = 0;
  unsigned minor_ = 0;  ///< version of the register map
};

}  // namespace poplink::driver
