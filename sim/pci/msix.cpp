// SPDX-License-Identifier: Apache-2.0
#include "msix.h"

namespace poplink::sim {

namespace {

// PCI Local Bus 3.0, 6.8.2.6 to 6.8.2.9: the dwords of an entry.
enum : std::uint64_t { kAddressLow, kAddressHigh, kData, kVectorControl };
constexpr std::uint32_t kMaskBit = 1, kAddressMask = ~std::uint32_t{3};
constexpr std::uint64_t kHigh = std::uint64_t{0xFFFF'FFFF} << 32;

}  // namespace

void Msix::reset() {
  table_ = {};
  pending_ = {};
  enabled_ = function_masked_ = allowed_ = false;
}

void Msix::control(bool enabled, bool function_masked) {
  enabled_ = enabled;
  function_masked_ = function_masked;
  if (!enabled) pending_ = {};
  deliver();
}

void Msix::allow(bool allowed) {
  allowed_ = allowed;
  deliver();
}

std::uint32_t Msix::read(std::uint64_t offset) const {
  if (offset < kVectors * kEntryBytes) {
    const Entry& entry = table_[offset / kEntryBytes];
    switch (offset % kEntryBytes / 4) {
      case kAddressLow:
        return static_cast<std::uint32_t>(entry.address);
      case kAddressHigh:
        return static_cast<std::uint32_t>(entry.address >> 32);
      case kData:
        return entry.data;
      default:
        return entry.masked ? kMaskBit : 0;
    }
  }
  std::uint32_t bits = 0;
  if (offset == kPendingOffset) {
    for (unsigned vector = 0; vector < kVectors; ++vector)
      bits |= static_cast<std::uint32_t>(pending_[vector]) << vector;
  }
  return bits;
}

void Msix::write(std::uint64_t offset, std::uint32_t value) {
  if (offset >= kVectors * kEntryBytes) return;
  Entry& entry = table_[offset / kEntryBytes];
  switch (offset % kEntryBytes / 4) {
    case kAddressLow:
      entry.address = (entry.address & kHigh) | (value & kAddressMask);
      break;
    case kAddressHigh:
      entry.address = (entry.address & ~kHigh) | std::uint64_t{value} << 32;
      break;
    case kData:
      entry.data = value;
      break;
    default:
      entry.masked = (value & kMaskBit) != 0;
      deliver();
  }
}

void Msix::raise(unsigned vector) {
  if (!enabled_) return;
  pending_.at(vector) = true;
  deliver();
}

void Msix::deliver() {
  if (!enabled_ || function_masked_ || !allowed_) return;
  for (unsigned vector = 0; vector < kVectors; ++vector) {
    if (!pending_[vector] || table_[vector].masked) continue;
    pending_[vector] = false;
    send_(table_[vector].address, table_[vector].data);
  }
}

}  // namespace poplink::sim
