// SPDX-License-Identifier: Apache-2.0
// The driver's way to a ModelCard in the same process: registers, memory and interrupts as over any other bus.
#pragma once

#include <memory>
#include <string>

#include "model_card.h"
#include "poplink/driver/transport.h"

namespace poplink::sim {

/// Takes `card`, which outlives the transport, over until that is destroyed: then its rings are disabled, as when an
/// owner goes away. `name`: of the card, for messages. `client`: who we are, for a second one to read. Throws
/// DriverError when the card is held already. Everything is done when the call that causes it returns; interrupts that
/// wait for their moderation come with the next call of any kind, or with ModelCard::poll().
std::unique_ptr<driver::Transport> openModelCard(ModelCard& card, const std::string& name, const std::string& client);

}  // namespace poplink::sim
