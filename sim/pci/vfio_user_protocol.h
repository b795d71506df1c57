// SPDX-License-Identifier: Apache-2.0
// Messages of vfio-user 0.1 (QEMU, docs/interop/vfio-user.rst): native structures behind a header.
#pragma once

#include <cstddef>
#include <cstdint>

namespace poplink::sim::vfio_user {

enum class Command : std::uint16_t {
  version = 1,
  dma_map = 2,
  dma_unmap = 3,
  device_info = 4,
  region_info = 5,
  region_io_files = 6,
  irq_info = 7,
  set_irqs = 8,
  region_read = 9,
  region_write = 10,
  dma_read = 11,   // of the server
  dma_write = 12,  // of the server
  device_reset = 13,
};

struct Header {
  std::uint16_t id, command;
  std::uint32_t bytes;  ///< of the whole message
  std::uint32_t flags, error;
};
inline constexpr std::uint32_t kTypeMask = 0xF, kReply = 1, kNoReply = 0x10, kError = 0x20;

struct Version {
  std::uint16_t major, minor;  // behind it: JSON, ends with NUL
};
struct DmaMap {
  std::uint32_t argsz, flags;
  std::uint64_t offset, address, bytes;
};
inline constexpr std::uint32_t kReadable = 1, kWritable = 2;
struct DmaUnmap {
  std::uint32_t argsz, flags;
  std::uint64_t address, bytes;
};
inline constexpr std::uint32_t kUnmapAll = 2;
struct DeviceInfo {
  std::uint32_t argsz, flags, regions, irqs;
};
inline constexpr std::uint32_t kResets = 1, kIsPci = 2;
struct RegionInfo {
  std::uint32_t argsz, flags, index, capability;
  std::uint64_t bytes, offset;
};
inline constexpr std::uint32_t kRegionReads = 1, kRegionWrites = 2;
struct IrqInfo {
  std::uint32_t argsz, flags, index, count;
};
inline constexpr std::uint32_t kIrqEventfd = 1;
struct IrqSet {
  std::uint32_t argsz, flags, index, start, count;  // behind it: a byte for each with kDataBool
};
inline constexpr std::uint32_t kDataNone = 1, kDataBool = 2, kDataEventfd = 4, kActionTrigger = 0x20;
struct RegionAccess {
  std::uint64_t offset;
  std::uint32_t region, count;  // behind it: data
};
struct DmaAccess {
  std::uint64_t address, count;  // behind it: data
};

static_assert(sizeof(Header) == 16 && sizeof(Version) == 4 && sizeof(DmaMap) == 32 && sizeof(DmaUnmap) == 24 &&
              sizeof(DeviceInfo) == 16 && sizeof(RegionInfo) == 32 && sizeof(IrqInfo) == 16 && sizeof(IrqSet) == 20 &&
              sizeof(RegionAccess) == 16 && sizeof(DmaAccess) == 16);

// Those of VFIO on PCI, linux/vfio.h.
inline constexpr std::uint32_t kConfigRegion = 7, kRegions = 9, kMsixIrq = 2, kIrqs = 5;

inline constexpr std::size_t kMostData = 1U << 20;  ///< bytes that an access may have
inline constexpr std::size_t kMostBytes = sizeof(Header) + sizeof(RegionAccess) + kMostData;

}  // namespace poplink::sim::vfio_user
