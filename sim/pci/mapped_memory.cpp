// SPDX-License-Identifier: Apache-2.0
#include "mapped_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>

namespace poplink::sim {

namespace {
constexpr std::uint64_t kHighest = std::numeric_limits<std::uint64_t>::max();
}

bool mayShrink(int fd) {
  const int seals = ::fcntl(fd, F_GET_SEALS);
  return seals < 0 || (seals & F_SEAL_SHRINK) == 0;
}

MappedMemory::Mapping::Mapping(int fd, std::uint64_t offset, std::uint64_t bytes, Access access)
    : bytes_(bytes), access_(access) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) throw std::runtime_error(std::string("its file: ") + std::strerror(errno));
  const auto file_bytes = static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
  if (offset > file_bytes || bytes > file_bytes - offset) throw std::runtime_error("its file is shorter");
  const std::uint64_t lead = offset % static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  length_ = bytes + lead;
  start_ = ::mmap(nullptr, length_, PROT_READ | (access.write ? PROT_WRITE : 0), MAP_SHARED, fd,
                  static_cast<off_t>(offset - lead));
  if (start_ == MAP_FAILED) throw std::runtime_error(std::string("its file cannot be mapped: ") + std::strerror(errno));
  data_ = static_cast<std::uint8_t*>(start_) + lead;
}

MappedMemory::Mapping::~Mapping() {
  ::munmap(start_, length_);
}

void MappedMemory::add(std::uint64_t address, std::uint64_t bytes, int fd, std::uint64_t offset, Access access) {
  if (bytes == 0) throw std::runtime_error("it is empty");
  if (bytes - 1 > kHighest - address) throw std::runtime_error("it wraps around");
  if (overlaps(address, bytes)) throw std::runtime_error("it overlaps another");
  regions_.try_emplace(address, fd, offset, bytes, access);
}

bool MappedMemory::overlaps(std::uint64_t address, std::uint64_t bytes) const {
  const auto next = regions_.lower_bound(address);
  if (next != regions_.end() && next->first - address < bytes) return true;
  return next != regions_.begin() && address - std::prev(next)->first < std::prev(next)->second.bytes();
}

bool MappedMemory::remove(std::uint64_t address, std::uint64_t bytes) {
  const auto found = regions_.find(address);
  if (found == regions_.end() || found->second.bytes() != bytes) return false;
  regions_.erase(found);
  return true;
}

const MappedMemory::Mapping* MappedMemory::at(std::uint64_t address, std::uint64_t& offset) const {
  const auto next = regions_.upper_bound(address);
  if (next == regions_.begin()) return nullptr;
  const auto& [start, mapping] = *std::prev(next);
  offset = address - start;
  return offset < mapping.bytes() ? &mapping : nullptr;
}

bool MappedMemory::covers(std::uint64_t address, std::uint64_t bytes, Access wanted) const {
  if (bytes != 0 && bytes - 1 > kHighest - address) return false;
  while (bytes != 0) {
    std::uint64_t offset = 0;
    const Mapping* mapping = at(address, offset);
    if (mapping == nullptr || !mapping->allows(wanted)) return false;
    const std::uint64_t part = std::min(bytes, mapping->bytes() - offset);
    address += part;
    bytes -= part;
  }
  return true;
}

bool MappedMemory::read(std::uint64_t address, std::span<std::uint8_t> into) const {
  if (!covers(address, into.size(), {true, false})) return false;
  while (!into.empty()) {
    std::uint64_t offset = 0;
    const Mapping* mapping = at(address, offset);
    const std::size_t part = std::min<std::uint64_t>(into.size(), mapping->bytes() - offset);
    std::memcpy(into.data(), mapping->data() + offset, part);
    address += part;
    into = into.subspan(part);
  }
  return true;
}

bool MappedMemory::write(std::uint64_t address, std::span<const std::uint8_t> from) const {
  if (!covers(address, from.size(), {false, true})) return false;
  while (!from.empty()) {
    std::uint64_t offset = 0;
    const Mapping* mapping = at(address, offset);
    const std::size_t part = std::min<std::uint64_t>(from.size(), mapping->bytes() - offset);
    std::uint8_t* const to = mapping->data() + offset;
    std::memcpy(to, from.data(), part - 1);
    // A completion is seen to be there by its last byte.
    std::atomic_ref<std::uint8_t>(to[part - 1]).store(from[part - 1], std::memory_order_release);
    address += part;
    from = from.subspan(part);
  }
  return true;
}

}  // namespace poplink::sim
