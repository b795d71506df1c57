// SPDX-License-Identifier: Apache-2.0
#include "mmio.h"

#include <sys/mman.h>

#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "poplink/card_map.h"
#include "poplink/driver/error.h"

namespace poplink::driver {

static_assert(std::endian::native == std::endian::little, "registers are little-endian");

namespace {
constexpr std::uint32_t kGone = 0xFFFF'FFFF;  // what a bus gives for an answer that does not come
}

Mmio::Mmio(const PciSystem& system, std::string name, int descriptor, std::uint64_t offset, const std::string& refused)
    : name_(std::move(name)) {
  void* mapped = system.map(kBytes, PROT_READ | PROT_WRITE, descriptor, offset);
  if (mapped == MAP_FAILED) {
    const std::string why = errno == EPERM || errno == EACCES ? refused : std::strerror(errno);
    throw DriverError("the registers of the card at " + name_ + " cannot be mapped: " + why);
  }
  registers_ = static_cast<volatile std::uint32_t*>(mapped);
}

Mmio::~Mmio() {
  ::munmap(const_cast<std::uint32_t*>(registers_), kBytes);
}

std::uint32_t Mmio::read(std::uint32_t address) const {
  return registers_[address / sizeof(std::uint32_t)];
}

std::vector<std::uint32_t> Mmio::run(std::span<const Access> accesses) {
  std::vector<std::uint32_t> values;
  bool doubtful = false;
  for (const Access& access : accesses) {
    if (access.address >= kBytes || access.address % sizeof(std::uint32_t) != 0) {
      char text[80];
      std::snprintf(text, sizeof text, "there is no register at BAR0 + 0x%05x", access.address);
      throw DriverError(text);
    }
    if (access.kind == Access::Kind::write) {
      registers_[access.address / sizeof(std::uint32_t)] = access.value;
    } else {
      const std::uint32_t value = values.emplace_back(read(access.address));
      doubtful = doubtful || value == kGone;
    }
  }
  if (doubtful && read(card_map::reg::kMagic) == kGone) throw DriverError("the card at " + name_ + " is gone");
  return values;
}

}  // namespace poplink::driver
