// SPDX-License-Identifier: Apache-2.0
#include "types.h"

namespace poplink::host::lacp {

std::uint8_t toByte(const PortState& state) {
  unsigned byte = 0;
  const bool bits[] = {state.lacp_activity, state.lacp_timeout, state.aggregation, state.synchronization,
                       state.collecting,    state.distributing, state.defaulted,   state.expired};
  for (unsigned i = 0; i < 8; ++i) byte |= static_cast<unsigned>(bits[i]) << i;
  return static_cast<std::uint8_t>(byte);
}

PortState portState(std::uint8_t byte) {
  const auto bit = [byte](unsigned i) { return (byte >> i & 1) != 0; };
  return {bit(0), bit(1), bit(2), bit(3), bit(4), bit(5), bit(6), bit(7)};
}

std::string words(const PortState& state) {
  std::string text = state.lacp_activity ? "active" : "passive";
  text += state.lacp_timeout ? " fast" : " slow";
  text += state.aggregation ? " aggregatable" : " individual";
  text += state.synchronization ? " in-sync" : " out-of-sync";
  if (state.collecting) text += " collecting";
  if (state.distributing) text += " distributing";
  if (state.defaulted) text += " defaulted";
  if (state.expired) text += " expired";
  return text;
}

bool sameLink(const PortInfo& a, const PortInfo& b) {
  return a.port == b.port && a.port_priority == b.port_priority && a.system == b.system &&
         a.system_priority == b.system_priority && a.key == b.key && a.state.aggregation == b.state.aggregation;
}

const char* name(Selected selected) {
  switch (selected) {
    case Selected::UNSELECTED:
      return "UNSELECTED";
    case Selected::SELECTED:
      return "SELECTED";
    case Selected::STANDBY:
      return "STANDBY";
  }
  return "?";
}

}  // namespace poplink::host::lacp
