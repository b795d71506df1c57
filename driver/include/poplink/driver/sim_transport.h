// SPDX-License-Identifier: Apache-2.0
// A simulated card behind its unix socket.
#pragma once

#include <memory>
#include <string>

#include "poplink/driver/transport.h"

namespace poplink::driver {

/// Connects and becomes the card's owner until destroyed. `client`: who we are, for a second one to read. Throws
/// DriverError when nobody listens at `socket`, the card is held by another client (named in the text), or it speaks
/// another protocol version.
std::unique_ptr<Transport> openSimulatedCard(const std::string& socket, const std::string& client);

}  // namespace poplink::driver
