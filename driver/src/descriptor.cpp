// SPDX-License-Identifier: Apache-2.0
#include "poplink/driver/descriptor.h"

#include <unistd.h>

namespace poplink::driver {

void Descriptor::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace poplink::driver
