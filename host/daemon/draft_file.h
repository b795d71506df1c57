// SPDX-License-Identifier: Apache-2.0
// A file that is there whole or not at all: written beside its place, as PATH.draft, and put there when it is whole.
//
// Who is killed in between leaves a draft, and the next one for the same place removes it. So of two at the same time,
// of one process, the later one holds.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>

#include "poplink/driver/descriptor.h"

namespace poplink::host {

class DraftFile {
 public:
  /// `mode`: who may read and write it. Throws std::system_error, also where PATH.draft is somebody else's to remove.
  DraftFile(const std::string& path, mode_t mode);
  /// Removes the draft, unless finish() was called.
  ~DraftFile();
  DraftFile(const DraftFile&) = delete;
  DraftFile& operator=(const DraftFile&) = delete;

  /// Throws std::system_error.
  void write(std::span<const std::uint8_t> octets);
  /// In place of what was there. Throws std::system_error, ECANCELED if a later one has begun.
  void finish();

 private:
  bool isThere() const;

  std::string path_, draft_;
  driver::Descriptor file_;
};

}  // namespace poplink::host
