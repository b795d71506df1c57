// SPDX-License-Identifier: Apache-2.0
#include "card_function.h"

namespace poplink::sim {

namespace {

// PCI Local Bus 3.0, 6.1: type 0 header.
constexpr std::uint16_t kVendorId = 0x00, kDeviceId = 0x02, kStatus = 0x06, kRevision = 0x08, kClassCode = 0x09;
constexpr std::uint16_t kBar2 = kPciBar0 + 8, kSubsystemVendor = 0x2C, kSubsystem = 0x2E, kCapabilities = 0x34,
                        kInterruptLine = 0x3C;
constexpr std::uint32_t kHasCapabilities = 0x10;

// PCI Bus Power Management 1.2, 3.2.
constexpr std::uint16_t kPower = 0x40, kPowerState = kPower + 4;
constexpr std::uint32_t kPowerVersion = 3, kNoSoftReset = 0x08, kStateMask = 3, kD0 = 0, kD3hot = 3;

// PCI Local Bus 3.0, 6.8.2.
constexpr std::uint16_t kMsix = 0x50, kMsixControl = kMsix + 2;
constexpr std::uint32_t kMsixEnable = 0x8000, kMsixFunctionMask = 0x4000, kMsixBar = 2;

// PCI Express Base 3.0, 7.8.
constexpr std::uint16_t kExpress = 0x60, kDeviceCapabilities = kExpress + 0x04, kDeviceControl = kExpress + 0x08,
                        kLinkCapabilities = kExpress + 0x0C, kLinkControl = kExpress + 0x10,
                        kLinkStatus = kExpress + 0x12, kLinkCapabilities2 = kExpress + 0x2C,
                        kLinkControl2 = kExpress + 0x30;
constexpr std::uint32_t kEndpointVersion2 = 0x0002;
constexpr std::uint32_t kFunctionLevelReset = 1U << 28, kRoleBasedErrors = 1U << 15, kPayload256 = 1;
constexpr std::uint32_t kInitiateReset = 0x8000;    // of device control; reads as 0
constexpr std::uint32_t kControlAtReset = 0x2810;   // 512-byte read requests, relaxed ordering, no snoop
constexpr std::uint32_t kControlWritable = 0x78FF;  // without extended tags, phantom functions, auxiliary power
constexpr std::uint32_t kGen3 = 3, kEightLanes = 8 << 4, kCommonClock = 0x40, kSpeeds123 = 0x0E;

enum : std::uint8_t { kPowerId = 0x01, kMsixId = 0x11, kExpressId = 0x10 };

bool isConfigSize(unsigned size) {
  return size == 1 || size == 2 || size == 4;
}

template <std::size_t N>
void put(std::array<std::uint8_t, N>& space, std::size_t offset, unsigned size, std::uint32_t value) {
  for (unsigned i = 0; i < size; ++i) space[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

}  // namespace

CardFunction::CardFunction(sc_core::sc_module_name name, CardModule& card)
    : sc_core::sc_module(name), card_(card), bus_("bus"), msix_([this](std::uint64_t address, std::uint32_t data) {
        if (host_ != nullptr) host_->message(address, data);
      }) {
  bus_.bind(card.bar0);
  card.attach(*this);
  card.on_interrupt = [this](unsigned vector) { raise(vector); };
  put(writable_, kPciCommand, 1, kPciMemorySpace | kPciBusMaster);
  put(writable_, kPciBar0, 4, ~(kBar0Bytes - 1));  // sizing: all ones written read back as the size's mask
  put(writable_, kBar2, 4, ~(static_cast<std::uint32_t>(Msix::kBytes) - 1));
  put(writable_, kInterruptLine, 1, 0xFF);
  put(writable_, kPowerState, 1, kStateMask);
  put(writable_, kMsixControl, 2, kMsixEnable | kMsixFunctionMask);
  put(writable_, kDeviceControl, 2, kControlWritable);
  put(writable_, kLinkControl, 2, kCommonClock);
  powerUp();
}

void CardFunction::powerUp() {
  config_ = {};
  put(config_, kVendorId, 2, kPciVendor);
  put(config_, kDeviceId, 2, kPciDevice);
  put(config_, kStatus, 2, kHasCapabilities);
  put(config_, kRevision, 1, 1);
  put(config_, kClassCode, 3, kPciClass);
  put(config_, kSubsystemVendor, 2, kPciVendor);
  put(config_, kSubsystem, 2, kPciDevice);
  put(config_, kCapabilities, 1, kPower);

  put(config_, kPower, 4, kPowerId | kMsix << 8 | kPowerVersion << 16);
  put(config_, kPowerState, 2, kNoSoftReset);

  put(config_, kMsix, 4, kMsixId | kExpress << 8 | (Msix::kVectors - 1) << 16);
  put(config_, kMsix + 4, 4, static_cast<std::uint32_t>(Msix::kTableOffset) | kMsixBar);
  put(config_, kMsix + 8, 4, static_cast<std::uint32_t>(Msix::kPendingOffset) | kMsixBar);

  put(config_, kExpress, 4, kExpressId | kEndpointVersion2 << 16);
  put(config_, kDeviceCapabilities, 4, kFunctionLevelReset | kRoleBasedErrors | kPayload256);
  put(config_, kDeviceControl, 2, kControlAtReset);
  put(config_, kLinkCapabilities, 4, kGen3 | kEightLanes);
  put(config_, kLinkStatus, 2, kGen3 | kEightLanes);
  put(config_, kLinkCapabilities2, 4, kSpeeds123);
  put(config_, kLinkControl2, 2, kGen3);
}

void CardFunction::reset() {
  powerUp();
  msix_.reset();
  card_.stopHostPath();
}

std::uint32_t CardFunction::stored(std::uint16_t offset, unsigned size) const {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < size && offset + i < config_.size(); ++i)
    value |= static_cast<std::uint32_t>(config_[offset + i]) << (8 * i);
  return value;
}

bool CardFunction::awake() const {
  return (stored(kPowerState, 1) & kStateMask) == kD0;
}

bool CardFunction::isMaster() const {
  return awake() && (stored(kPciCommand, 2) & kPciBusMaster) != 0;
}

std::uint32_t CardFunction::configRead(std::uint16_t offset, unsigned size) {
  return isConfigSize(size) ? stored(offset, size) : 0;
}

void CardFunction::configWrite(std::uint16_t offset, unsigned size, std::uint32_t value) {
  if (!isConfigSize(size)) return;
  const std::uint32_t power = stored(kPowerState, 1);
  bool reset_asked = false;
  for (unsigned i = 0; i < size && offset + i < config_.size(); ++i) {
    const std::uint8_t mask = writable_[offset + i];
    const auto byte = static_cast<std::uint8_t>(value >> (8 * i));
    config_[offset + i] = static_cast<std::uint8_t>((config_[offset + i] & ~mask) | (byte & mask));
    if (offset + i == kDeviceControl + 1) reset_asked = (byte & (kInitiateReset >> 8)) != 0;
  }
  if (reset_asked) return reset();
  // PCI Bus Power Management 1.2, 3.2.4: a state that the function does not have is ignored.
  if (const std::uint32_t state = stored(kPowerState, 1) & kStateMask; state != kD0 && state != kD3hot)
    put(config_, kPowerState, 1, power);
  const std::uint32_t control = stored(kMsixControl, 2);
  msix_.allow(isMaster());
  msix_.control((control & kMsixEnable) != 0, (control & kMsixFunctionMask) != 0);
}

bool CardFunction::access(tlm::tlm_command command, unsigned bar, std::uint64_t offset, std::uint32_t& value) {
  if (!awake() || (stored(kPciCommand, 2) & kPciMemorySpace) == 0) return false;
  if (bar == kMsixBar && offset < Msix::kBytes && offset % 4 == 0) {
    if (command == tlm::TLM_READ_COMMAND)
      value = msix_.read(offset);
    else
      msix_.write(offset, value);
    return true;
  }
  if (bar != 0) return false;
  ++(command == tlm::TLM_READ_COMMAND ? accesses_.reads : accesses_.writes);
  tlm::tlm_generic_payload payload;
  payload.set_command(command);
  payload.set_address(offset);
  payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
  payload.set_data_length(sizeof value);
  payload.set_streaming_width(sizeof value);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  bus_->b_transport(payload, delay);
  return payload.is_response_ok();
}

bool CardFunction::readHost(std::uint64_t address, std::span<std::uint8_t> into) {
  return host_ != nullptr && isMaster() && host_->readMemory(address, into);
}

bool CardFunction::writeHost(std::uint64_t address, std::span<const std::uint8_t> from) {
  return host_ != nullptr && isMaster() && host_->writeMemory(address, from);
}

}  // namespace poplink::sim
