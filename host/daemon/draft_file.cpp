// SPDX-License-Identifier: Apache-2.0
#include "draft_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace poplink::host {

namespace {

[[noreturn]] void failed(const std::string& path, int error = errno) {
  throw std::system_error(error, std::generic_category(), path);
}

/// What is there, if it may be there at all, is a leftover, or somebody's trap: it is neither opened nor followed.
int createAnew(const std::string& path) {
  ::unlink(path.c_str());
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
}

}  // namespace

DraftFile::DraftFile(const std::string& path, mode_t mode)
    : path_(path), draft_(path + ".draft"), file_(createAnew(draft_)) {
  if (file_.get() < 0) failed(draft_);
  if (::fchmod(file_.get(), mode) == 0) return;
  const int error = errno;
  ::unlink(draft_.c_str());
  failed(draft_, error);
}

DraftFile::~DraftFile() {
  if (!draft_.empty() && isThere()) ::unlink(draft_.c_str());
}

/// Otherwise another one has its name.
bool DraftFile::isThere() const {
  struct stat ours{}, there{};
  return ::fstat(file_.get(), &ours) == 0 && ::lstat(draft_.c_str(), &there) == 0 && ours.st_dev == there.st_dev &&
         ours.st_ino == there.st_ino;
}

void DraftFile::write(std::span<const std::uint8_t> octets) {
  while (!octets.empty()) {
    const ssize_t some = ::write(file_.get(), octets.data(), octets.size());
    if (some < 0 && errno == EINTR) continue;
    if (some < 0) failed(path_);
    octets = octets.subspan(static_cast<std::size_t>(some));
  }
}

void DraftFile::finish() {
  if (!isThere()) failed(path_ + ": a later write has begun", ECANCELED);
  if (::rename(draft_.c_str(), path_.c_str()) != 0) failed(path_);
  draft_.clear();
}

}  // namespace poplink::host
