// SPDX-License-Identifier: Apache-2.0
// ModelCard as its host sees it: what registers show, and what writing them does.
#include "forward_rtl.h"
#include "model_card.h"
#include "poplink/card_map.h"

namespace poplink::sim {

namespace reg = card_map::reg;
namespace field = card_map::field;
namespace window = card_map::window;

namespace {

// The card whose behaviour this is: rtl/core/card_core.sv with its own parameters.
constexpr std::uint32_t kDataWidth = 512, kBufferBeats = 512;

/// Which of an array of registers 4 bytes apart; nothing: none.
std::optional<unsigned> numberIn(std::uint32_t array, unsigned count, std::uint32_t address) {
  const std::uint32_t number = (address - array) / 4;
  return address >= array && number < count ? std::optional<unsigned>(number) : std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> ModelCard::read(std::uint32_t address) {
  tick();
  if (address % 4 != 0) return std::nullopt;
  if (RegisterFile::known(address)) return registers_.get(address) | live(address);
  if (const auto link = numberIn(window::kFlowCounts, window::kFlowCountsBytes / 4, address))
    return sketch_.lastSecond(now_, *link);
  if (address - window::kModuleMemory < window::kModuleMemoryBytes)
    return moduleMemory(address - window::kModuleMemory);
  return counters_.read(address);
}

bool ModelCard::write(std::uint32_t address, std::uint32_t value) {
  tick();
  if (!RegisterFile::writable(address)) return false;
  registers_.write(address, value);
  written(address, value);
  settle();
  return true;
}

/// Fields that the card gives.
std::uint32_t ModelCard::live(std::uint32_t address) const {
  const auto table = field::kTableSelectChosen.of(registers_.get(reg::kTableSelect));
  switch (address) {
    case reg::kGeometry:
      return field::kGeometryPorts.with(kPorts) | field::kGeometryDataWidth.with(kDataWidth);
    case reg::kForwardLatency:
      return forward_rtl::kLatency;
    case reg::kTables:
      return card_map::kTables.size();
    case reg::kBuffers:
      return field::kBuffersRx.with(kBufferBeats) | field::kBuffersTx.with(kBufferBeats);
    case reg::kStatus:
      return field::kStatusReady.with(1) | field::kStatusEmpty.with(1);
    case reg::kNowUsLow:
      return static_cast<std::uint32_t>(now_);
    case reg::kNowUsHigh:
      return static_cast<std::uint32_t>(now_ >> 32);
    case reg::kFlowSketch:
      return field::kFlowSketchSlots.with(FlowSketch::kSlots);
    case reg::kSerialLow:
      return static_cast<std::uint32_t>(serial_);
    case reg::kSerialHigh:
      return static_cast<std::uint32_t>(serial_ >> 32);
    case reg::kTableStatus:
      return field::kTableStatusError.with(table_error_ ? 1 : 0) |
             field::kTableStatusRefused.with(table_refused_ ? 1 : 0);
    case reg::kTableCapacity:
      return TableAccess::capacity(table);
    case reg::kTableUsed:
      return access_.used(table);
    case reg::kTableEntryBits:
      return TableAccess::entryBits(table);
    case reg::kEventStatus:
      return field::kEventStatusLinks.with(interrupts_.links()) | field::kEventStatusRings.with(interrupts_.rings());
    default:
      break;
  }
  if (const auto port = numberIn(reg::kPortStatus, kPorts, address)) return portStatus(*port);
  if (const auto port = numberIn(reg::kPortLight, kPorts, address)) {
    const PortLight light = ports_[*port].light();
    return field::kPortLightTransmit.with(light.transmit) | field::kPortLightReceive.with(light.receive);
  }
  if (const auto ring = numberIn(reg::kRingStatus, reg::kRingStatusCount, address)) {
    const HostRings::State& state = rings_.state(*ring);
    return field::kRingStatusRunning.with(state.running ? 1 : 0) |
           field::kRingStatusError.with(static_cast<std::uint32_t>(state.error)) |
           field::kRingStatusIndex.with(rings_.interruptOf(*ring).index);
  }
  if (const auto ring = numberIn(reg::kRingLost, reg::kRingLostCount, address)) return rings_.state(*ring).lost;
  if (const auto port = numberIn(reg::kRepeatStatus, kPorts, address))
    return field::kRepeatStatusArmed.with(repeater_.armed(*port) ? 1 : 0);
  if (const auto port = numberIn(reg::kRepeatSent, kPorts, address)) return repeater_.sent(*port);
  return 0;
}

std::uint32_t ModelCard::portStatus(unsigned port) const {
  const Port& one = ports_[port];
  const PortLight light = one.light();
  return field::kPortStatusUp.with(one.up) | field::kPortStatusModule.with(light.module) |
         field::kPortStatusFault.with(light.fault) | field::kPortStatusLos.with(light.los) |
         field::kPortStatusHeld.with(one.held) | field::kPortStatusSpeed.with(one.mbit_per_second);
}

/// A word, its low byte first; nothing: no module is there.
std::optional<std::uint32_t> ModelCard::moduleMemory(std::uint32_t offset) const {
  const unsigned port = offset / kModuleBytes;
  if (port >= kPorts || !ports_[port].module) return std::nullopt;
  const ModuleImage image(*ports_[port].module, ports_[port].received_dbm);
  std::uint32_t word = 0;
  for (unsigned i = 0; i < 4; ++i) word |= std::uint32_t{image.bytes()[offset % kModuleBytes + i]} << (8 * i);
  return word;
}

void ModelCard::written(std::uint32_t address, std::uint32_t value) {
  if (address == reg::kTableCommand) return tableCommand(value);
  if (address == reg::kEventClear) return eventsWritten(value);
  if (const auto ring = numberIn(reg::kRingArm, reg::kRingArmCount, address)) return armRing(*ring, value);
  if (address >= reg::kRingControl && address < reg::kRingStatus)
    return ringWritten(address / 4 % reg::kRingControlCount);
  if (const auto port = numberIn(reg::kPortHold, kPorts, address)) return holdWritten(*port);
  if (const auto port = numberIn(reg::kPortRelease, kPorts, address)) return releaseWritten(*port, value);
  if (const auto port = numberIn(reg::kRepeatControl, kPorts, address)) return repeatWritten(*port, value);
  if (address >= reg::kPortControl && address < reg::kPortStatus) return portsChanged();
  if (address == reg::kHashSeed) in_.hash_seed = value;
  if (address == reg::kHashMode) in_.hash_symmetric = field::kHashModeSymmetric.of(value) != 0;
  for (unsigned c = 0; c < kernels::kHostClasses; ++c) {
    punt_.service_interval[c] = at(reg::kPoliceServiceInterval, c);
    punt_.service_tolerance[c] = at(reg::kPoliceServiceTolerance, c);
    punt_.port_interval[c] = at(reg::kPolicePortInterval, c);
    punt_.port_tolerance[c] = at(reg::kPolicePortTolerance, c);
  }
  captured_outcomes_ =
      std::uint64_t{registers_.get(reg::kCaptureOutcomesHigh)} << 32 | registers_.get(reg::kCaptureOutcomesLow);
}

/// rtl/core/table_host.sv; a command takes no time.
void ModelCard::tableCommand(std::uint32_t value) {
  const bool writes = field::kTableCommandWrite.of(value) != 0, reads = field::kTableCommandRead.of(value) != 0;
  if (field::kTableCommandForget.of(value) != 0) table_refused_ = false;
  if (!writes && !reads) return;
  const auto table = field::kTableSelectChosen.of(registers_.get(reg::kTableSelect));
  const std::uint32_t index = registers_.get(reg::kTableIndex);
  table_error_ = index >= TableAccess::capacity(table) || (writes && reads);
  table_refused_ = table_refused_ || table_error_;
  if (table_error_) return;
  if (writes) {
    TableAccess::Words words;
    for (unsigned i = 0; i < words.size(); ++i) words[i] = at(reg::kTableData, i);
    access_.write(table, index, words);
  } else {
    const TableAccess::Words words = access_.read(table, index);
    for (unsigned i = 0; i < words.size(); ++i) registers_.set(reg::kTableData + 4 * i, words[i]);
  }
  if (field::kTableCommandIncrement.of(value) != 0) registers_.set(reg::kTableIndex, index + 1);
}

void ModelCard::ringWritten(unsigned ring) {
  const auto wide = [&](std::uint32_t low, std::uint32_t high) {
    return std::uint64_t{at(high, ring)} << 32 | at(low, ring);
  };
  const std::uint32_t control = at(reg::kRingControl, ring), moderation = at(reg::kRingModeration, ring);
  rings_.settings(ring) = {.enable = field::kRingControlEnable.of(control) != 0,
                           .log_entries = field::kRingControlLogEntries.of(control),
                           .descriptors = wide(reg::kRingDescriptorsLow, reg::kRingDescriptorsHigh),
                           .completions = wide(reg::kRingCompletionsLow, reg::kRingCompletionsHigh),
                           .tail = static_cast<std::uint16_t>(at(reg::kRingTail, ring))};
  HostInterrupts::Ring& interrupt = rings_.interruptOf(ring);
  interrupt.enabled = rings_.settings(ring).enable;
  interrupt.frames = static_cast<std::uint16_t>(field::kRingModerationFrames.of(moderation));
  interrupt.us = static_cast<std::uint16_t>(field::kRingModerationUs.of(moderation));
  if (!interrupt.enabled) interrupts_.disable(ring);
  interrupts_.look(ring, interrupt, now_);
}

void ModelCard::armRing(unsigned ring, std::uint32_t value) {
  HostInterrupts::Ring& interrupt = rings_.interruptOf(ring);
  interrupt.seen = static_cast<std::uint16_t>(field::kRingArmSeen.of(value));
  if (field::kRingArmArm.of(value) != 0) interrupts_.arm(ring, interrupt);
  interrupts_.look(ring, interrupt, now_);
}

void ModelCard::eventsWritten(std::uint32_t value) {
  if (field::kEventClearClear.of(value) != 0)
    interrupts_.clearEvents(static_cast<std::uint16_t>(field::kEventClearLinks.of(value)),
                            static_cast<std::uint8_t>(field::kEventClearRings.of(value)));
  if (field::kEventClearArm.of(value) != 0) interrupts_.armEvents();
}

/// rtl/core/port_hold.sv.
void ModelCard::holdWritten(unsigned port) {
  Port& one = ports_[port];
  one.held = field::kPortHoldHold.of(at(reg::kPortHold, port)) != 0 && (one.held || !one.up);
  portsChanged();
}

void ModelCard::releaseWritten(unsigned port, std::uint32_t value) {
  Port& one = ports_[port];
  if (field::kPortReleaseRelease.of(value) != 0 && one.up) one.held = false;
  portsChanged();
}

void ModelCard::repeatWritten(unsigned port, std::uint32_t value) {
  if (field::kRepeatControlStop.of(value) != 0) return repeater_.stop(port);
  if (field::kRepeatControlArm.of(value) != 0 && ports_[port].up) {
    std::array<std::uint8_t, 4 * reg::kRepeatFrameCount> frame{};
    for (unsigned i = 0; i < frame.size(); ++i)
      frame[i] = static_cast<std::uint8_t>(at(reg::kRepeatFrame, i / 4) >> (8 * (i % 4)));
    const std::uint32_t bytes = registers_.get(reg::kRepeatBytes);
    const PduRepeater::Times times = {registers_.get(reg::kRepeatWait), registers_.get(reg::kRepeatInterval),
                                      registers_.get(reg::kRepeatLifetime)};
    if (repeater_.arm(port, std::span(frame).first(bytes > frame.size() ? 0 : bytes), times, now_)) return;
  }
  if (field::kRepeatControlRefresh.of(value) != 0) repeater_.refresh(port, now_);
}

void ModelCard::stopHostPath() {
  for (unsigned ring = 0; ring < reg::kRingControlCount; ++ring) write(reg::kRingControl + 4 * ring, 0);
  for (const std::uint32_t copies : {reg::kCaptureControl, reg::kLearnPorts}) write(copies, 0);
}

}  // namespace poplink::sim
