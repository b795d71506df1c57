// SPDX-License-Identifier: Apache-2.0
#include "draft_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace poplink::host {

namespace {

/// mkostemp() puts what makes a name that nothing has in the place of these.
constexpr const char* kNameless = ".XXXXXX";

[[noreturn]] void failed(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), path);
}

}  // namespace

DraftFile::DraftFile(const std::string& path, mode_t mode)
    : path_(path), draft_(path + kNameless), file_(::mkostemp(draft_.data(), O_CLOEXEC)) {
  if (file_.get() < 0) failed(path);
  if (::fchmod(file_.get(), mode) == 0) return;
  const int error = errno;
  ::unlink(draft_.c_str());
  errno = error;
  failed(path);
}

DraftFile::~DraftFile() {
  if (!draft_.empty()) ::unlink(draft_.c_str());
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
  if (::rename(draft_.c_str(), path_.c_str()) != 0) failed(path_);
  draft_.clear();
}

}  // namespace poplink::host
