// SPDX-License-Identifier: Apache-2.0
// A file that is there whole or not at all: written beside its place, and put there when it is whole.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "poplink/driver/descriptor.h"

namespace poplink::host {

class DraftFile {
 public:
  /// `path`: absolute. Throws std::system_error.
  explicit DraftFile(const std::string& path);
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
