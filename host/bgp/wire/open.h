// SPDX-License-Identifier: Apache-2.0
// OPEN and its capabilities as values (RFC 4271 section 4.2; RFC 5492, 9072).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <variant>
#include <vector>

#include "notification.h"
#include "types.h"

namespace poplink::host::bgp {

/// Of the sender of the OPEN, towards the receiver (RFC 9234).
enum class BgpRole : std::uint8_t { provider = 0, route_server = 1, route_server_client = 2, customer = 3, peer = 4 };

/// Graceful Restart Capability (RFC 4724 section 3).
struct GracefulRestart {
  bool restarting = false;            ///< R bit
  bool notification = false;          ///< N bit (RFC 8538); kept, not used
  std::uint16_t restart_seconds = 0;  ///< 0..4095
  std::map<Family, bool> families{};  ///< and whether forwarding state was preserved (F bit); the first 63 are encoded
  friend bool operator==(const GracefulRestart&, const GracefulRestart&) = default;
};

/// Families are any numbers, also such that are not spoken here.
struct Capabilities {
  std::set<Family> families{};          ///< multiprotocol (RFC 4760); at most 600 can be encoded
  std::optional<Asn> four_octet_asn{};  ///< RFC 6793
  bool route_refresh = false;           ///< RFC 2918
  bool enhanced_route_refresh = false;  ///< RFC 7313
  bool extended_next_hop = false;       ///< IPv4 unicast over IPv6 next hops (RFC 8950)
  std::optional<GracefulRestart> graceful_restart{};
  std::optional<BgpRole> role{};        ///< RFC 9234; may have a number that is no role
  std::vector<std::uint8_t> unknown{};  ///< codes that are not known here, in their order; not encoded
  friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

struct Open {
  std::uint8_t version = 4;
  std::uint16_t two_octet_asn = 0;  ///< "My Autonomous System"; kAsTrans when it does not fit
  std::uint16_t hold_seconds = 0;   ///< 0, or 3 and more
  RouterId router_id = 0;
  Capabilities capabilities{};
  /// What the sender's AS is: the four-octet one if there is such.
  Asn asn() const { return capabilities.four_octet_asn.value_or(two_octet_asn); }
  friend bool operator==(const Open&, const Open&) = default;
};

/// Message body behind the header. A Notification says why it is none: framing and values that no session allows
/// (version, hold time 1 or 2, identifier 0, AS 0, two different AS numbers or roles), nothing that depends on who the
/// peer should be. Of a capability that comes twice with different values all count where there may be several
/// (families), otherwise the last.
std::variant<Open, Notification> decodeOpen(std::span<const std::uint8_t> body);
/// The whole message with its header. Long optional parameters go as RFC 9072 says.
std::vector<std::uint8_t> encode(const Open& open);

}  // namespace poplink::host::bgp
