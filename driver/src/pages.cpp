// SPDX-License-Identifier: Apache-2.0
#include "poplink/driver/pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "poplink/driver/error.h"

namespace poplink::driver {

std::size_t pageBytes() {
  return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t wholePages(std::size_t bytes) {
  constexpr std::size_t kMost = std::size_t{1} << 40;
  if (bytes == 0 || bytes > kMost) throw DriverError("no card can share " + std::to_string(bytes) + " bytes of memory");
  return (bytes + pageBytes() - 1) & ~(pageBytes() - 1);
}

GuardedPages::GuardedPages(std::size_t bytes, int descriptor) {
  const std::size_t size = wholePages(bytes);
  const auto refuse = [&] {
    throw DriverError(std::to_string(size) + " bytes of memory are not to be had: " + std::strerror(errno));
  };
  const std::size_t all = size + 2 * pageBytes();
  void* whole = ::mmap(nullptr, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (whole == MAP_FAILED) refuse();
  std::uint8_t* inner = static_cast<std::uint8_t*>(whole) + pageBytes();
  const int kind = descriptor >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
  if (::mmap(inner, size, PROT_READ | PROT_WRITE, MAP_FIXED | kind, descriptor, 0) == MAP_FAILED) {
    const int error = errno;
    ::munmap(whole, all);
    errno = error;
    refuse();
  }
  whole_ = {static_cast<std::uint8_t*>(whole), all};
  bytes_ = {inner, size};
}

GuardedPages::~GuardedPages() {
  ::munmap(whole_.data(), whole_.size());
}

}  // namespace poplink::driver
