// SPDX-License-Identifier: Apache-2.0
#include "lacp_settings.h"

namespace poplink::host {

lacp::GroupSettings groupSettings(const Lag& lag, const Site& site, const MacAddress& system) {
  lacp::GroupSettings settings;
  settings.system_priority = lag.lacp.system_priority;
  settings.system = site.lacp_system.value_or(system);
  settings.key = static_cast<std::uint16_t>(1 + lag.link.value);
  settings.active = lag.lacp.active;
  settings.fast = lag.lacp.fast;
  settings.independent_control = lag.lacp.independent_control;
  settings.aggregate_wait = lag.lacp.aggregate_wait;
  settings.selection.max_active = lag.lacp.max_active;
  settings.selection.min_links = lag.lacp.min_links;
  settings.selection.min_links_up = lag.lacp.min_links_up.value_or(lag.lacp.min_links);
  settings.selection.min_links_hold = lag.lacp.min_links_hold;
  settings.selection.speed_mbit = 1000 * site.port(lag.link)->gigabits;  // all ports have it
  return settings;
}

std::vector<lacp::PortSettings> portSettings(const Lag& lag, const Site& site) {
  std::vector<lacp::PortSettings> ports;
  for (const PortId id : lag.ports) {
    lacp::PortSettings port;
    port.id = lacp::PortId{id.value};
    port.port = static_cast<std::uint16_t>(1 + id.value);
    port.port_priority = site.port(id)->lacp_priority.value_or(kDefaultLacpPriority);
    ports.push_back(port);
  }
  return ports;
}

MacAddress systemAddress(const Region& region, const Node& node, std::uint64_t card_serial) {
  const std::uint64_t number = card_serial != 0 ? card_serial : seedOf(region, node);
  MacAddress address{0x02};
  for (unsigned i = 0; i < 4; ++i) address[1 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  return address;
}

MacAddress portAddress(const MacAddress& system, PortId port) {
  MacAddress address = system;
  address[5] = static_cast<std::uint8_t>(1 + port.value);
  return address;
}

}  // namespace poplink::host
