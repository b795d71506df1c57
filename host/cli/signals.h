// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "poplink/driver/descriptor.h"

namespace poplink::host {

/// SIGINT and SIGTERM as something to poll, so that a command can leave the card in order.
driver::Descriptor endingSignals();

/// Registers that the kernel takes from us while we use them (the card was removed, its memory space disabled) raise
/// SIGBUS: from now on that is said in the name of `program`, and ends the program as any card that is lost.
void explainBusErrors(const std::string& program);

}  // namespace poplink::host
