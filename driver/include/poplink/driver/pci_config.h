// SPDX-License-Identifier: Apache-2.0
// What of a PCI function's configuration space software asks (PCI Local Bus 3.0, chapter 6).
#pragma once

#include <cstdint>

namespace poplink::driver::pci {

inline constexpr std::uint16_t kVendor =
    0x10EE;  ///< of a poplink card: the FPGA's maker, as programmable cards have it
inline constexpr std::uint16_t kDevice = 0x504C;  ///< "PL"

inline constexpr std::uint16_t kCommand = 0x04, kStatus = 0x06, kCapabilityList = 0x34;
inline constexpr std::uint32_t kMemorySpace = 0x2, kBusMaster = 0x4;  ///< of the command register
inline constexpr std::uint32_t kHasCapabilities = 0x10;               ///< of the status register
inline constexpr std::uint8_t kMsix = 0x11;                           ///< capability id

/// Offset of a capability, 0: there is none. `read(offset, bytes)` reads the configuration space.
template <class Read>
std::uint16_t findCapability(std::uint8_t id, Read read) {
  if ((read(kStatus, std::uint16_t{2}) & kHasCapabilities) == 0) return 0;
  auto at = static_cast<std::uint16_t>(read(kCapabilityList, std::uint16_t{1}) & 0xFC);
  for (unsigned seen = 0; at >= 0x40 && seen < 48; ++seen) {  // a list that bites its tail ends too
    const std::uint32_t head = read(at, std::uint16_t{2});
    if ((head & 0xFF) == id) return at;
    at = static_cast<std::uint16_t>(head >> 8 & 0xFC);
  }
  return 0;
}

/// Where the vectors' table is, by the capability (6.8.2).
struct Msix {
  std::uint16_t capability = 0;  ///< offset; 0: the function has no MSI-X
  unsigned vectors = 0;
  unsigned bar = 0;
  std::uint32_t table = 0;  ///< offset in the BAR
};

inline constexpr std::uint32_t kMsixEnable = 0x8000;  ///< of message control
inline constexpr std::uint32_t kMsixEntryBytes = 16;  ///< address low, high, data, control (bit 0: masked)

template <class Read>
Msix findMsix(Read read) {
  Msix msix;
  msix.capability = findCapability(kMsix, read);
  if (msix.capability == 0) return msix;
  msix.vectors = (read(static_cast<std::uint16_t>(msix.capability + 2), std::uint16_t{2}) & 0x7FF) + 1;
  const std::uint32_t table = read(static_cast<std::uint16_t>(msix.capability + 4), std::uint16_t{4});
  msix.bar = table & 7;
  msix.table = table & ~7U;
  return msix;
}

}  // namespace poplink::driver::pci
