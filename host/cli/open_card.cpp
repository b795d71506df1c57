// SPDX-License-Identifier: Apache-2.0
#include "open_card.h"

#include <unistd.h>

#include <charconv>
#include <iostream>

#include "../model/read_region.h"
#include "commands.h"
#include "poplink/driver/sim_transport.h"

namespace poplink::host {

namespace {

std::string clientName(const std::string& purpose) {
  return purpose + " (process " + std::to_string(::getpid()) + ")";
}

/// What follows the prefix; nothing: it is not there.
std::optional<std::string> behind(const std::string& prefix, const std::string& text) {
  if (text.rfind(prefix, 0) != 0 || text.size() == prefix.size()) return std::nullopt;
  return text.substr(prefix.size());
}

std::optional<std::uint64_t> serialNumber(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::unique_ptr<driver::Transport> openNode(const Node& node, const std::string& client, const std::string& root) {
  if (node.transport == "sim") return driver::openSimulatedCard(node.socket, client);
  if (node.transport == "none") return driver::openNoCard();
  const auto system = std::make_shared<const driver::PciSystem>(root);
  const driver::PciOptions options{node.physical_addresses};
  return node.address.empty() ? driver::openPciCardBySerial(node.serial, client, options, system)
                              : driver::openPciCard(node.address, client, options, system);
}

}  // namespace

std::unique_ptr<driver::Transport> openTransport(const CardChoice& choice, const std::string& purpose) {
  const std::string client = clientName(purpose);
  if (choice.card.empty()) return openNode(readNode(choice.node), client, choice.root);
  if (const auto socket = behind("sim:", choice.card)) return driver::openSimulatedCard(*socket, client);
  const auto system = std::make_shared<const driver::PciSystem>(choice.root);
  const driver::PciOptions options{choice.physical_addresses};
  if (driver::pciAddress(choice.card)) return driver::openPciCard(choice.card, client, options, system);
  const auto serial = behind("serial:", choice.card);
  if (const auto number = serial ? serialNumber(*serial) : std::nullopt)
    return driver::openPciCardBySerial(*number, client, options, system);
  throw UsageError("'" + choice.card +
                   "' is no card: neither a PCI address as 0000:03:00.0, nor serial:NUMBER, nor sim:SOCKET");
}

driver::Card openCard(const Node& node, const std::string& purpose) {
  return driver::Card(openNode(node, clientName(purpose), ""));
}

int cardFailed(const driver::DriverError& error) {
  std::cerr << "poplink: " << error.what() << std::endl;
  return kExitCard;
}

}  // namespace poplink::host
