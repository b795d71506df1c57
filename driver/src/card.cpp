// SPDX-License-Identifier: Apache-2.0
#include "poplink/driver/card.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace poplink::driver {

namespace {

namespace reg = card_map::reg;
namespace field = card_map::field;
namespace window = card_map::window;

constexpr std::uint32_t kBytesPerCount = 16;
constexpr std::uint32_t kBytesPerFlowCount = 4;
constexpr unsigned kEntriesPerBatch = 512;
constexpr unsigned kLinks = 16;
constexpr double kLightPerMicrowatt = 10;
constexpr unsigned kBusyPolls = 1000;  // of at least one bus round trip each; an access takes a handful of core cycles

unsigned wordsOf(const card_map::Table& table) {
  return (table.entry_width + 31) / 32;
}

/// Of an entry of the selected table.
void appendWords(std::vector<Access>& accesses, const std::vector<std::uint32_t>& words) {
  for (unsigned i = 0; i < words.size(); ++i)
    accesses.push_back(Access::write(reg::kTableData + i * reg::kTableDataStride, words[i]));
}

}  // namespace

const card_map::Table& tableNamed(std::string_view name) {
  for (const card_map::Table& table : card_map::kTables) {
    if (table.name == name) return table;
  }
  throw DriverError("the card has no table '" + std::string(name) + "'");
}

std::vector<std::uint32_t> packEntry(const card_map::Table& table, const Entry& entry) {
  std::vector<std::uint32_t> words(wordsOf(table));
  for (const auto& [name, value] : entry) {
    const auto found =
        std::find_if(table.fields.begin(), table.fields.end(), [&](const auto& one) { return one.name == name; });
    if (found == table.fields.end())
      throw DriverError("table " + std::string(table.name) + " has no field '" + name + "'");
    if (found->width < 64 && value >> found->width != 0) {
      throw DriverError("table " + std::string(table.name) + ": " + std::to_string(value) + " does not fit the " +
                        std::to_string(found->width) + " bits of field '" + name + "'");
    }
    for (unsigned i = 0; i < found->width; ++i) {
      const unsigned bit = found->offset + i;
      words[bit / 32] |= static_cast<std::uint32_t>((value >> i) & 1) << (bit % 32);
    }
  }
  return words;
}

Entry unpackEntry(const card_map::Table& table, const std::vector<std::uint32_t>& words) {
  Entry entry;
  for (const card_map::EntryField& one : table.fields) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < one.width; ++i) {
      const unsigned bit = one.offset + i;
      value |= static_cast<std::uint64_t>((words[bit / 32] >> (bit % 32)) & 1) << i;
    }
    entry.emplace(one.name, value);
  }
  return entry;
}

bool isValid(const Entry& entry) {
  const auto found = entry.find("valid");
  return found != entry.end() && found->second != 0;
}

Flows flowsOf(std::uint32_t touched, std::uint32_t slots) {
  const bool saturated = touched >= slots;
  const double m = std::max(slots, 1U), untouched = saturated ? 1 : m - touched;
  return {static_cast<std::uint32_t>(std::lround(m * std::log(m / untouched))), saturated};
}

Card::Card(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {
  checkIdentity();
}

void checkRegisterMap(Transport& transport) {
  const auto refuse = [&](const std::string& why) { throw DriverError("the card at " + transport.name() + " " + why); };
  const Access questions[] = {Access::read(reg::kMagic), Access::read(reg::kVersion)};
  const std::vector<std::uint32_t> answers = transport.run(questions);
  if (answers[0] == 0xFFFF'FFFF) refuse("does not answer (all ones): it is gone or in reset");
  if (answers[0] != card_map::kMagicValue) refuse("is not a poplink card");
  const std::uint32_t major = field::kVersionMajor.of(answers[1]);
  if (major != card_map::kVersionMajor) {
    refuse("has register map version " + std::to_string(major) + ", this driver is built for " +
           std::to_string(card_map::kVersionMajor));
  }
}

std::uint64_t Card::serial() {
  return read(reg::kSerialLow) | static_cast<std::uint64_t>(read(reg::kSerialHigh)) << 32;
}

void Card::checkIdentity() {
  const auto refuse = [&](const std::string& why) { throw DriverError("the card at " + name() + " " + why); };
  checkRegisterMap(*transport_);
  const Access questions[] = {Access::read(reg::kVersion), Access::read(reg::kGeometry), Access::read(reg::kStatus),
                              Access::read(reg::kTables)};
  const std::vector<std::uint32_t> answers = transport_->run(questions);
  minor_ = field::kVersionMinor.of(answers[0]);
  ports_ = field::kGeometryPorts.of(answers[1]);
  if (field::kStatusReady.of(answers[2]) == 0) refuse("is not ready");
  if (answers[3] != card_map::kTables.size()) {
    refuse("has " + std::to_string(answers[3]) + " tables, this driver knows " +
           std::to_string(card_map::kTables.size()));
  }
  for (const card_map::Table& table : card_map::kTables) {
    const Access sizes[] = {Access::write(reg::kTableSelect, table.number), Access::read(reg::kTableCapacity),
                            Access::read(reg::kTableEntryBits)};
    const std::vector<std::uint32_t> got = transport_->run(sizes);
    if (got[0] != table.capacity || got[1] != table.entry_width) {
      refuse("has a table '" + std::string(table.name) + "' of " + std::to_string(got[0]) + " entries of " +
             std::to_string(got[1]) + " bits, this driver is built for " + std::to_string(table.capacity) + " of " +
             std::to_string(table.entry_width));
    }
  }
}

std::uint32_t Card::read(std::uint32_t address) {
  const Access one[] = {Access::read(address)};
  return transport_->run(one).at(0);
}

void Card::awaitTable(std::string_view table, std::uint32_t index) {
  for (unsigned poll = 0; poll < kBusyPolls; ++poll) {
    const std::uint32_t status = read(reg::kTableStatus);
    if (field::kTableStatusBusy.of(status) != 0) continue;
    if (field::kTableStatusError.of(status) == 0) return;
    throw DriverError("the card refused entry " + std::to_string(index) + " of table " + std::string(table));
  }
  throw DriverError("the card at " + name() + " stays busy with table " + std::string(table));
}

void Card::writeEntry(std::string_view table_name, std::uint32_t index, const Entry& entry) {
  const card_map::Table& table = tableNamed(table_name);
  std::vector<Access> accesses = {Access::write(reg::kTableSelect, table.number)};
  accesses.push_back(Access::write(reg::kTableIndex, index));
  appendWords(accesses, packEntry(table, entry));
  accesses.push_back(Access::write(reg::kTableCommand, field::kTableCommandWrite.with(1)));
  transport_->run(accesses);
  awaitTable(table_name, index);
}

// No entry waits for an answer: the card holds the next write until the access before it has ended, and remembers
// whether it refused one. Only then they are written once more, one by one, for the reason.
void Card::writeEntries(std::string_view table_name, std::span<const std::pair<std::uint32_t, Entry>> entries) {
  const card_map::Table& table = tableNamed(table_name);
  while (!entries.empty()) {
    const auto part = entries.first(std::min<std::size_t>(kEntriesPerBatch, entries.size()));
    std::vector<Access> accesses = {Access::write(reg::kTableSelect, table.number),
                                    Access::write(reg::kTableCommand, field::kTableCommandForget.with(1))};
    std::optional<std::uint32_t> at;  // where the card's index stands
    for (std::size_t i = 0; i < part.size(); ++i) {
      const auto& [index, entry] = part[i];
      if (at != index) accesses.push_back(Access::write(reg::kTableIndex, index));
      appendWords(accesses, packEntry(table, entry));
      accesses.push_back(
          Access::write(reg::kTableCommand, field::kTableCommandWrite.with(1) | field::kTableCommandIncrement.with(1)));
      at = index + 1;
    }
    accesses.push_back(Access::write(reg::kTableCommand, 0));  // held until the last access has ended
    accesses.push_back(Access::read(reg::kTableStatus));
    if (field::kTableStatusRefused.of(transport_->run(accesses).back()) != 0) {
      for (const auto& [index, entry] : part) writeEntry(table_name, index, entry);
    }
    entries = entries.subspan(part.size());
  }
}

Entry Card::readEntry(std::string_view table_name, std::uint32_t index) {
  const card_map::Table& table = tableNamed(table_name);
  const Access command[] = {Access::write(reg::kTableSelect, table.number), Access::write(reg::kTableIndex, index),
                            Access::write(reg::kTableCommand, field::kTableCommandRead.with(1))};
  transport_->run(command);
  awaitTable(table_name, index);
  std::vector<Access> data;
  for (unsigned i = 0; i < wordsOf(table); ++i)
    data.push_back(Access::read(reg::kTableData + i * reg::kTableDataStride));
  return unpackEntry(table, transport_->run(data));
}

std::uint32_t Card::used(std::string_view table_name) {
  const Access question[] = {Access::write(reg::kTableSelect, tableNamed(table_name).number),
                             Access::read(reg::kTableUsed)};
  return transport_->run(question).at(0);
}

std::map<std::uint32_t, Entry> Card::validEntries(std::string_view table_name) {
  const card_map::Table& table = tableNamed(table_name);
  const std::uint32_t wanted = used(table_name);
  std::map<std::uint32_t, Entry> found;
  for (std::uint32_t index = 0; index < table.capacity && found.size() < wanted; index += kEntriesPerBatch) {
    std::uint32_t at = index;
    for (Entry& entry : readEntries(table_name, index, std::min(kEntriesPerBatch, table.capacity - index))) {
      if (isValid(entry)) found.emplace(at, std::move(entry));
      ++at;
    }
  }
  return found;
}

// Many reads per batch, the index moving on by itself. The status is read before each entry's data, and again behind
// them: data that were read while the access was under way are read once more.
std::vector<Entry> Card::readEntries(std::string_view table_name, std::uint32_t first, std::uint32_t count) {
  const card_map::Table& table = tableNamed(table_name);
  const unsigned words = wordsOf(table);
  std::vector<Entry> entries;
  while (entries.size() < count) {
    const auto index = first + static_cast<std::uint32_t>(entries.size());
    const std::uint32_t part = std::min(kEntriesPerBatch, first + count - index);
    std::vector<Access> accesses = {Access::write(reg::kTableSelect, table.number),
                                    Access::write(reg::kTableIndex, index)};
    for (std::uint32_t i = 0; i < part; ++i) {
      accesses.push_back(
          Access::write(reg::kTableCommand, field::kTableCommandRead.with(1) | field::kTableCommandIncrement.with(1)));
      accesses.push_back(Access::read(reg::kTableStatus));
      accesses.push_back(Access::read(reg::kTableStatus));
      for (unsigned word = 0; word < words; ++word)
        accesses.push_back(Access::read(reg::kTableData + word * reg::kTableDataStride));
    }
    const std::vector<std::uint32_t> values = transport_->run(accesses);
    for (std::uint32_t i = 0; i < part; ++i) {
      const auto at = values.begin() + static_cast<std::ptrdiff_t>(i * (words + 2));
      const bool settled = field::kTableStatusBusy.of(at[1]) == 0 && field::kTableStatusError.of(at[1]) == 0;
      entries.push_back(settled ? unpackEntry(table, {at + 2, at + 2 + words}) : readEntry(table_name, index + i));
    }
  }
  return entries;
}

Count Card::count(std::uint32_t base, std::uint32_t index) {
  const std::uint32_t at = base + index * kBytesPerCount;
  const Access reads[] = {Access::read(at), Access::read(at + 4), Access::read(at + 8), Access::read(at + 12)};
  const std::vector<std::uint32_t> words = transport_->run(reads);
  return {words[0] | static_cast<std::uint64_t>(words[1]) << 32, words[2] | static_cast<std::uint64_t>(words[3]) << 32};
}

void Card::checkPort(unsigned number) const {
  if (number >= ports_) throw DriverError("the card at " + name() + " has no port " + std::to_string(number));
}

PortState Card::port(unsigned number) {
  checkPort(number);
  std::vector<Access> reads = {Access::read(reg::kPortStatus + number * reg::kPortStatusStride),
                               Access::read(reg::kPortControl + number * reg::kPortControlStride)};
  if (showsModules()) reads.push_back(Access::read(reg::kPortLight + number * reg::kPortLightStride));
  if (repeatsPdus()) reads.push_back(Access::read(reg::kPortHold + number * reg::kPortHoldStride));
  const std::vector<std::uint32_t> words = transport_->run(reads);
  PortState state;
  state.up = field::kPortStatusUp.of(words[0]) != 0;
  state.enabled = field::kPortControlEnable.of(words[1]) != 0;
  if (showsModules()) {
    state.speed_mbit = field::kPortStatusSpeed.of(words[0]);
    state.module = field::kPortStatusModule.of(words[0]) != 0;
    state.fault = field::kPortStatusFault.of(words[0]) != 0;
    state.los = field::kPortStatusLos.of(words[0]) != 0;
    state.transmit_dbm = dbmOf(field::kPortLightTransmit.of(words[2]) / kLightPerMicrowatt);
    state.receive_dbm = dbmOf(field::kPortLightReceive.of(words[2]) / kLightPerMicrowatt);
  }
  if (repeatsPdus()) {
    state.held = field::kPortStatusHeld.of(words[0]) != 0;
    state.hold = field::kPortHoldHold.of(words[3]) != 0;
  }
  state.received = count(window::kPortCounters, number * 2);
  state.sent = count(window::kPortCounters, number * 2 + 1);
  return state;
}

std::optional<std::array<std::uint8_t, kModulePageBytes>> Card::modulePage(unsigned port, unsigned page) {
  const auto first = static_cast<std::uint32_t>(window::kModuleMemory + (2 * port + page) * kModulePageBytes);
  std::vector<Access> reads;
  for (std::uint32_t byte = 0; byte < kModulePageBytes; byte += 4) reads.push_back(Access::read(first + byte));
  std::vector<std::uint32_t> words;
  try {
    words = transport_->run(reads);
  } catch (const DriverError&) {
    read(reg::kMagic);  // throws what is wrong when it is the card and not the module
    return std::nullopt;
  }
  std::array<std::uint8_t, kModulePageBytes> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(words.at(i / 4) >> (8 * (i % 4)));
  return bytes;
}

std::optional<PortModule> Card::module(unsigned number) {
  checkPort(number);
  if (!showsModules()) return std::nullopt;
  if (field::kPortStatusModule.of(read(reg::kPortStatus + number * reg::kPortStatusStride)) == 0) return std::nullopt;
  PortModule module;
  const auto identity = modulePage(number, 0);
  if (!identity) return module;
  module.identity = decodeIdentity(*identity);
  if (!module.identity->has_diagnostics) return module;
  if (const auto diagnostics = modulePage(number, 1)) module.diagnostics = decodeDiagnostics(*identity, *diagnostics);
  return module;
}

void Card::enablePort(unsigned number, bool enabled) {
  checkPort(number);
  const Access one[] = {Access::write(reg::kPortControl + number * reg::kPortControlStride,
                                      field::kPortControlEnable.with(enabled ? 1 : 0))};
  transport_->run(one);
}

void Card::checkHolds(unsigned number) const {
  checkPort(number);
  if (!repeatsPdus()) throw DriverError("the card at " + name() + " cannot hold a port");
}

void Card::holdPort(unsigned number, bool hold) {
  checkHolds(number);
  const Access one[] = {
      Access::write(reg::kPortHold + number * reg::kPortHoldStride, field::kPortHoldHold.with(hold ? 1 : 0))};
  transport_->run(one);
}

void Card::releasePort(unsigned number) {
  checkHolds(number);
  const Access one[] = {
      Access::write(reg::kPortRelease + number * reg::kPortReleaseStride, field::kPortReleaseRelease.with(1))};
  transport_->run(one);
}

Count Card::dropped(unsigned port, unsigned reason) {
  return count(window::kDropCounters, port * (card_map::kMaxDropReason + 1) + reason);
}

std::map<unsigned, Count> Card::drops(unsigned port) {
  std::map<unsigned, Count> counts;
  for (const card_map::DropReason& reason : card_map::kDropReasons) {
    const Count one = dropped(port, reason.number);
    if (one.frames != 0) counts.emplace(reason.number, one);
  }
  return counts;
}

Count Card::service(std::uint32_t service, bool to_backbone) {
  return count(window::kServiceCounters, service * 2 + (to_backbone ? 1 : 0));
}

Count Card::member(std::uint32_t group, unsigned link) {
  return count(window::kMemberCounters, group * kLinks + link);
}

Flows Card::flows(unsigned link) {
  if (!countsFlows()) throw DriverError("the card at " + name() + " does not count flows");
  if (link >= kLinks) throw DriverError("the card at " + name() + " has no link " + std::to_string(link));
  const Access reads[] = {Access::read(reg::kFlowSketch),
                          Access::read(window::kFlowCounts + link * kBytesPerFlowCount)};
  const std::vector<std::uint32_t> words = transport_->run(reads);
  return flowsOf(words[1], field::kFlowSketchSlots.of(words[0]));
}

HashMode Card::hash() {
  const Access reads[] = {Access::read(reg::kHashSeed), Access::read(reg::kHashMode)};
  const std::vector<std::uint32_t> words = transport_->run(reads);
  return {words[0], field::kHashModeSymmetric.of(words[1]) != 0};
}

void Card::setHash(const HashMode& mode) {
  const Access writes[] = {Access::write(reg::kHashSeed, mode.seed),
                           Access::write(reg::kHashMode, field::kHashModeSymmetric.with(mode.symmetric ? 1 : 0))};
  transport_->run(writes);
}

}  // namespace poplink::driver
