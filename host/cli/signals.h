// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "poplink/driver/descriptor.h"

namespace poplink::host {

/// SIGINT and SIGTERM as something to poll, so that a command can leave the card in order.
driver::Descriptor endingSignals();

}  // namespace poplink::host
