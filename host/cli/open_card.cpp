// SPDX-License-Identifier: Apache-2.0
#include "open_card.h"

#include <unistd.h>

#include "poplink/driver/sim_transport.h"

namespace poplink::host {

driver::Card openCard(const Node& node, const std::string& purpose) {
  return driver::Card(
      driver::openSimulatedCard(node.socket, purpose + " (process " + std::to_string(::getpid()) + ")"));
}

}  // namespace poplink::host
