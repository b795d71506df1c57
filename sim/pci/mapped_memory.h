// SPDX-License-Identifier: Apache-2.0
// A host's memory as a function reaches it by DMA: files of another process, mapped at bus addresses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>

namespace poplink::sim {

class MappedMemory {
 public:
  /// What the function may do there.
  struct Access {
    bool read, write;
  };

  MappedMemory() = default;
  MappedMemory(MappedMemory&&) = default;
  MappedMemory& operator=(MappedMemory&&) = default;

  /// `bytes` from `offset` of the file `fd` (which may be closed afterwards) lie at `address`. Throws
  /// std::runtime_error: nothing, or something that wraps around; overlaps what is there; the file is shorter (touching
  /// that would end the process); not mappable.
  void add(std::uint64_t address, std::uint64_t bytes, int fd, std::uint64_t offset,
           Access access = {.read = true, .write = true});
  /// Exactly a region that was added; false: there is none.
  bool remove(std::uint64_t address, std::uint64_t bytes);
  /// Whether any byte of these is there.
  bool overlaps(std::uint64_t address, std::uint64_t bytes) const;
  void clear() { regions_.clear(); }
  std::size_t regions() const { return regions_.size(); }

  /// Over adjacent regions too. False, and nothing written, when any byte is outside.
  bool read(std::uint64_t address, std::span<std::uint8_t> into) const;
  /// The last byte appears last to whoever reads the memory meanwhile.
  bool write(std::uint64_t address, std::span<const std::uint8_t> from) const;

 private:
  class Mapping {
   public:
    Mapping(int fd, std::uint64_t offset, std::uint64_t bytes, Access access);
    ~Mapping();
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;

    std::uint8_t* data() const { return data_; }
    std::uint64_t bytes() const { return bytes_; }
    bool allows(Access wanted) const { return (access_.read || !wanted.read) && (access_.write || !wanted.write); }

   private:
    void* start_ = nullptr;
    std::size_t length_ = 0;
    std::uint8_t* data_ = nullptr;
    std::uint64_t bytes_;
    Access access_;
  };

  /// The region that has `address`, and where in it.
  const Mapping* at(std::uint64_t address, std::uint64_t& offset) const;
  bool covers(std::uint64_t address, std::uint64_t bytes, Access wanted) const;

  std::map<std::uint64_t, Mapping> regions_;
};

/// Whether a mapped file may lose what is mapped: touching that would end this process. A sealed one (memfd_create(2),
/// F_SEAL_SHRINK) cannot.
bool mayShrink(int fd);

}  // namespace poplink::sim
