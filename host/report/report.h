// SPDX-License-Identifier: Apache-2.0
// What the show commands and poplinkd's API tell of a card, as JSON (docs/api.md has the shapes). Collected here,
// printed elsewhere. Everything throws DriverError when the card does not answer.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "poplink/driver/card.h"
#include "poplink/driver/pci_cards.h"
#include "registers.h"

namespace poplink::host {

/// Services with their counters: `{"services": [...]}`.
nlohmann::ordered_json reportServices(driver::Card& card);
/// Ports with their modules, which takes some hundred accesses a port: `{"ports": [...]}`.
nlohmann::ordered_json reportPorts(driver::Card& card);
/// Traffic and drops by reason: `{"ports": [...]}`.
nlohmann::ordered_json reportCounters(driver::Card& card);
/// Groups of next hops with their members: `{"groups": [...]}`.
nlohmann::ordered_json reportEcmp(driver::Card& card);
/// Valid entries of a table, or with an empty name of all: `{"tables": [...]}`. DriverError also for an unknown name.
nlohmann::ordered_json reportTables(driver::Card& card, const std::string& only = "");

// Of these two the card need not be ready, only one of ours (driver::checkRegisterMap).

/// What a card is and how it is reached; `system`: where its bus is looked up.
nlohmann::ordered_json reportCard(driver::Transport& card, const driver::PciSystem& system);
/// Carries the requests out, in order, and gives what was asked for or written; none: all registers.
nlohmann::ordered_json reportRegisters(driver::Transport& card, const std::vector<RegisterRequest>& requests);

/// The cards on this host's buses: `{"cards": [...]}`.
nlohmann::ordered_json reportCards(const driver::PciSystem& system);

}  // namespace poplink::host
