// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "../model/region.h"
#include "poplink/driver/card.h"
#include "poplink/driver/pci_cards.h"

namespace poplink::host {

/// Which card a command is for.
struct CardChoice {
  std::string card;  ///< as typed: "0000:03:00.0", "serial:504c000000000007" or "sim:SOCKET"; empty: the node file's
  std::string node;  ///< a node file
  bool physical_addresses =
      false;         ///< of a card by its PCI address or serial number: as `iova: physical` in a node file
  std::string root;  ///< where /sys, /dev and /run begin
};

/// The chosen card, owned by this program until the value is gone. `purpose`: what a second client is told, e.g.
/// "poplink apply". Throws UsageError for a card that is none of these, ConfigError, DriverError.
std::unique_ptr<driver::Transport> openTransport(const CardChoice& choice, const std::string& purpose);

/// The node's card.
driver::Card openCard(const Node& node, const std::string& purpose);

/// Says what is wrong with a card and gives the exit code for it. To be called while the card is open: when it is dead,
/// the kernel may take a minute to close it, in which it waits for the end of a reset.
int cardFailed(const driver::DriverError& error);

}  // namespace poplink::host
