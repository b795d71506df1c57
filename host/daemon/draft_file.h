// SPDX-License-Identifier: Apache-2.0
// A file that is there whole or not at all: written beside its place, and put there when it is whole.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>

#include "poplink/driver/descriptor.h"

namespace poplink::host {

class DraftFile {
 public:
  /// `mode`: who may read and write it. Throws std::system_error.
  DraftFile(const std::string& path, mode_t mode);
  /// Removes it, unless finish() was called.
  ~DraftFile();
  DraftFile(const DraftFile&) = delete;
  DraftFile& operator=(const DraftFile&) = delete;

  /// Throws std::system_error.
  void write(std::span<const std::uint8_t> octets);
  /// In place of what was there. Throws std::system_error.
  void finish();

 private:
  std::string path_, draft_;
  driver::Descriptor file_;
};

}  // namespace poplink::host
