// SPDX-License-Identifier: Apache-2.0
// What every LACP machine talks about: time, ports, and what a system says of one of its ports (IEEE 802.1AX-2014 6.4).
// States, variables and timers have the standard's names, states in its capitals. Nothing here reads a clock.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <tuple>

namespace poplink::host::lacp {

/// Monotonic time, always handed in by the caller.
using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

// Constants of 6.4.4.
inline constexpr Duration kFastPeriodicTime = std::chrono::seconds(1);
inline constexpr Duration kSlowPeriodicTime = std::chrono::seconds(30);
inline constexpr Duration kShortTimeoutTime = std::chrono::seconds(3);
inline constexpr Duration kLongTimeoutTime = std::chrono::seconds(90);
inline constexpr Duration kChurnDetectionTime = std::chrono::seconds(60);
inline constexpr Duration kAggregateWaitTime = std::chrono::seconds(2);
/// LACPDUs that a port may send in any Fast_Periodic_Time (6.4.16).
inline constexpr std::size_t kMaxTransmit = 3;

using MacAddress = std::array<std::uint8_t, 6>;

/// Eight bits that a system says of a port (6.4.2.3, Actor_State), bit 0 first.
struct PortState {
  bool lacp_activity = false;    ///< active: sends without being asked
  bool lacp_timeout = false;     ///< short: wants a PDU every second
  bool aggregation = false;      ///< may aggregate; otherwise individual
  bool synchronization = false;  ///< is attached to the right aggregator
  bool collecting = false;       ///< takes frames
  bool distributing = false;     ///< gives frames
  bool defaulted = false;        ///< knows its partner by configuration only
  bool expired = false;          ///< its partner has fallen silent

  friend auto operator<=>(const PortState&, const PortState&) = default;
};

std::uint8_t toByte(const PortState& state);
PortState portState(std::uint8_t byte);
/// For people: "active fast aggregatable in-sync collecting distributing", and "defaulted", "expired" if so.
std::string words(const PortState& state);

/// A port as a system describes it, in 16 of the 20 bytes of an Actor or Partner Information TLV (6.4.2.3).
struct PortInfo {
  std::uint16_t system_priority = 0;  ///< lower is better, as all priorities here
  MacAddress system{};
  std::uint16_t key = 0;
  std::uint16_t port_priority = 0;
  std::uint16_t port = 0;
  PortState state;

  friend auto operator<=>(const PortInfo&, const PortInfo&) = default;
};

/// Do both name the same port, system, key and Aggregation bit? What update_Selected, update_NTT and recordPDU compare.
bool sameLink(const PortInfo& a, const PortInfo& b);

/// The Selected variable of 6.4.8.
enum class Selected : std::uint8_t { UNSELECTED, SELECTED, STANDBY };
const char* name(Selected selected);

}  // namespace poplink::host::lacp
