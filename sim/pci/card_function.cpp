// SPDX-License-Identifier: Apache-2.0
#include "card_function.h"

namespace poplink::sim {

namespace {

// PCI Local Bus 3.0, 6.1: type 0 header.
constexpr std::size_t kVendorId = 0x00, kDeviceId = 0x02, kCommand = 0x04, kRevision = 0x08, kClassCode = 0x09,
                      kBar0 = 0x10;
constexpr std::size_t kSubsystemVendor = 0x2C, kSubsystem = 0x2E, kInterruptLine = 0x3C;
constexpr std::uint8_t kMemorySpaceAndMaster = 0x06;

bool isConfigSize(unsigned size) {
  return size == 1 || size == 2 || size == 4;
}

template <std::size_t N>
void put(std::array<std::uint8_t, N>& space, std::size_t offset, unsigned size, std::uint32_t value) {
  for (unsigned i = 0; i < size; ++i) space[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

}  // namespace

CardFunction::CardFunction(sc_core::sc_module_name name, CardModule& card) : sc_core::sc_module(name), bus_("bus") {
  bus_.bind(card.bar0);
  put(config_, kVendorId, 2, kPciVendor);
  put(config_, kDeviceId, 2, kPciDevice);
  put(config_, kRevision, 1, 1);
  put(config_, kClassCode, 3, kPciClass);
  put(config_, kSubsystemVendor, 2, kPciVendor);
  put(config_, kSubsystem, 2, kPciDevice);
  put(writable_, kCommand, 1, kMemorySpaceAndMaster);
  put(writable_, kBar0, 4, ~(kBar0Bytes - 1));  // sizing: all ones written read back as the size's mask
  put(writable_, kInterruptLine, 1, 0xFF);
}

std::uint32_t CardFunction::configRead(std::uint16_t offset, unsigned size) {
  std::uint32_t value = 0;
  if (!isConfigSize(size)) return value;
  for (unsigned i = 0; i < size && offset + i < config_.size(); ++i)
    value |= static_cast<std::uint32_t>(config_[offset + i]) << (8 * i);
  return value;
}

void CardFunction::configWrite(std::uint16_t offset, unsigned size, std::uint32_t value) {
  if (!isConfigSize(size)) return;
  for (unsigned i = 0; i < size && offset + i < config_.size(); ++i) {
    const std::uint8_t mask = writable_[offset + i];
    const auto byte = static_cast<std::uint8_t>(value >> (8 * i));
    config_[offset + i] = static_cast<std::uint8_t>((config_[offset + i] & ~mask) | (byte & mask));
  }
}

bool CardFunction::access(tlm::tlm_command command, unsigned bar, std::uint64_t offset, std::uint32_t& value) {
  if (bar != 0) return false;
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

}  // namespace poplink::sim
