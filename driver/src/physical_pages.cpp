// SPDX-License-Identifier: Apache-2.0
#include "physical_pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "poplink/driver/descriptor.h"
#include "poplink/driver/error.h"
#include "poplink/driver/pages.h"

namespace poplink::driver {

namespace {

constexpr std::size_t kHugePage = 2U << 20;

std::size_t wholeHugePages(std::size_t bytes) {
  return (bytes + kHugePage - 1) & ~(kHugePage - 1);
}

struct Place {
  std::uint64_t first = 0;
  bool shown = false;  ///< the kernel tells it to us
  bool one_piece = false;
};

/// By the page map of this process (Documentation/admin-guide/mm/pagemap.rst).
Place placeOf(const std::string& pagemap, std::span<const std::uint8_t> bytes) {
  constexpr std::uint64_t kPresent = std::uint64_t{1} << 63, kFrame = (std::uint64_t{1} << 55) - 1;
  const std::size_t page = pageBytes();
  std::vector<std::uint64_t> entries(bytes.size() / page);
  const Descriptor file(::open(pagemap.c_str(), O_RDONLY | O_CLOEXEC));
  const auto wanted = static_cast<ssize_t>(entries.size() * sizeof entries[0]);
  const auto at = static_cast<off_t>(reinterpret_cast<std::uintptr_t>(bytes.data()) / page * sizeof entries[0]);
  if (!file || ::pread(file.get(), entries.data(), static_cast<std::size_t>(wanted), at) != wanted) return {};
  Place place{(entries[0] & kFrame) * page, (entries[0] & kFrame) != 0, true};
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if ((entries[i] & kPresent) == 0 || (entries[i] & kFrame) != (entries[0] & kFrame) + i) place.one_piece = false;
  }
  return place;
}

}  // namespace

PhysicalPages::PhysicalPages(const PciSystem& system, std::size_t bytes) : pagemap_(system.proc + "/self/pagemap") {
  reserve(wholePages(bytes));
  const Place place = placeOf(pagemap_, bytes_);
  if (place.shown && place.one_piece) {
    physical_ = place.first;
    return;
  }
  ::munmap(whole_.data(), whole_.size());
  if (!place.shown)
    throw DriverError("physical addresses of memory are not shown to this program (it needs CAP_SYS_ADMIN)");
  throw DriverError(std::to_string(bytes) +
                    " bytes of memory in one physical piece are not to be had: reserve huge pages "
                    "(sysctl vm.nr_hugepages)");
}

void PhysicalPages::reserve(std::size_t size) {
  constexpr int kProtection = PROT_READ | PROT_WRITE, kKind = MAP_PRIVATE | MAP_ANONYMOUS;
  const auto refuse = [&] {
    throw DriverError(std::to_string(size) + " bytes of locked memory are not to be had: " + std::strerror(errno));
  };
  const std::size_t huge = wholeHugePages(size);
  void* whole = MAP_FAILED;
  std::size_t length = huge;
  if (size > pageBytes()) whole = ::mmap(nullptr, huge, kProtection, kKind | MAP_HUGETLB | MAP_POPULATE, -1, 0);
  std::uint8_t* start = static_cast<std::uint8_t*>(whole);
  if (whole == MAP_FAILED) {
    // Without reserved huge pages the kernel may still find some.
    length = size > pageBytes() ? huge + kHugePage : size;
    whole = ::mmap(nullptr, length, kProtection, kKind, -1, 0);
    if (whole == MAP_FAILED) refuse();
    start = static_cast<std::uint8_t*>(whole);
    if (size > pageBytes()) {
      const auto at = reinterpret_cast<std::uintptr_t>(whole);
      start += wholeHugePages(at) - at;
      ::madvise(start, huge, MADV_HUGEPAGE);
    }
  }
  if (::mlock(start, size) != 0) {
    const int error = errno;
    ::munmap(whole, length);
    errno = error;
    refuse();
  }
  std::memset(start, 0, size);  // a page that is only read is everybody's page of zeros
  whole_ = {static_cast<std::uint8_t*>(whole), length};
  bytes_ = {start, size};
}

PhysicalPages::~PhysicalPages() {
  ::munmap(whole_.data(), whole_.size());
}

bool PhysicalPages::inPlace() const {
  const Place place = placeOf(pagemap_, bytes_);
  return place.shown && place.one_piece && place.first == physical_;
}

}  // namespace poplink::driver
