// SPDX-License-Identifier: Apache-2.0
#include "card_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "poplink/driver/error.h"

namespace poplink::driver {

namespace {

constexpr std::size_t kMostName = 128;

std::string fileOf(const PciSystem& system, const std::string& address) {
  return system.lock + "/poplink-" + address + ".lock";
}

/// Only its owner's user may have a file of the lock: whoever can open it could keep the card from everybody.
int openFile(const PciSystem& system, const std::string& address) {
  const std::string path = fileOf(system, address);
  ::mkdir(system.lock.c_str(), 01777);  // where a small system has none
  for (int tries = 0; tries < 2; ++tries) {
    int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_CREAT | O_EXCL, 0600);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
  return -1;
}

struct flock whole() {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

/// Of the lock's holder, fit for a terminal.
std::string nameIn(int fd) {
  std::array<char, kMostName> text{};
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  std::string name(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  for (char& c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return name.empty() ? "another program" : name;
}

}  // namespace

CardLock::CardLock(const PciSystem& system, const std::string& address, const std::string& client)
    : file_(openFile(system, address)) {
  if (!file_)
    throw DriverError("the lock of the card at " + address + ", " + fileOf(system, address) +
                      ", cannot be had: " + std::strerror(errno));
  // A lock of the open file: it falls with the last descriptor, and unlike flock(2)'s it can be asked for its holder.
  struct flock lock = whole();
  if (::fcntl(file_.get(), F_OFD_SETLK, &lock) != 0)
    throw DriverError("the card at " + address + " is held by " + nameIn(file_.get()));
  const std::string name = client.substr(0, kMostName);
  if (::ftruncate(file_.get(), 0) != 0 ||
      ::pwrite(file_.get(), name.data(), name.size(), 0) != static_cast<ssize_t>(name.size())) {
    throw DriverError("the lock of the card at " + address + " cannot be written: " + std::strerror(errno));
  }
}

CardLock::~CardLock() {
  if (file_ && ::ftruncate(file_.get(), 0) != 0) return;  // the name stays, and means nothing without the lock
}

std::string CardLock::holder(const PciSystem& system, const std::string& address) {
  const Descriptor file(::open(fileOf(system, address).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct flock lock = whole();
  if (!file || ::fcntl(file.get(), F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return "";
  return nameIn(file.get());
}

}  // namespace poplink::driver
