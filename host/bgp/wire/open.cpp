// SPDX-License-Identifier: Apache-2.0
#include "open.h"

#include <algorithm>
#include <array>

#include "message.h"

namespace poplink::host::bgp {

namespace {

constexpr std::size_t kFixedBytes = 10;  // version, AS, hold time, identifier, length of the optional parameters
constexpr std::uint8_t kCapabilitiesParameter = 2, kExtendedLength = 255;
constexpr std::uint8_t kMaxValueBytes = 255;

// Capability Codes.
constexpr std::uint8_t kMultiprotocol = 1, kRouteRefresh = 2, kExtendedNextHop = 5, kRole = 9, kGracefulRestart = 64,
                       kFourOctetAs = 65, kEnhancedRouteRefresh = 70;

// Graceful Restart Flags and Flags for Address Family (RFC 4724 section 3, RFC 8538 section 2).
constexpr std::uint8_t kRestartBit = 0x80, kNotificationBit = 0x40, kForwardingBit = 0x80;
constexpr std::uint16_t kRestartSecondsMask = 0x0fff;

using Error = std::optional<Notification>;

Notification openError(std::uint8_t subcode, std::vector<std::uint8_t> data = {}) {
  return {ErrorCode::open_message, subcode, std::move(data)};
}

/// A parameter or a capability that is known and not as it should be (RFC 4271 section 6.2).
Notification malformed() {
  return openError(subcode::kUnspecific);
}

Family family(Octets value, std::size_t afi_at, std::size_t safi_at) {
  return {static_cast<Afi>(read16(value, afi_at)), static_cast<Safi>(value[safi_at])};
}

Error readMultiprotocol(Octets value, Capabilities& to) {
  to.families.insert(family(value, 0, 3));
  return std::nullopt;
}

Error readRouteRefresh(Octets, Capabilities& to) {
  to.route_refresh = true;
  return std::nullopt;
}

Error readEnhancedRouteRefresh(Octets, Capabilities& to) {
  to.enhanced_route_refresh = true;
  return std::nullopt;
}

/// Tuples of AFI, SAFI in two octets, and the AFI of the next hop (RFC 8950 section 4).
Error readExtendedNextHop(Octets value, Capabilities& to) {
  if (value.size() % 6 != 0) return malformed();
  for (std::size_t at = 0; at < value.size(); at += 6)
    if (read16(value, at) == static_cast<std::uint16_t>(Afi::ipv4) && read16(value, at + 2) == 1 &&
        read16(value, at + 4) == static_cast<std::uint16_t>(Afi::ipv6))
      to.extended_next_hop = true;
  return std::nullopt;
}

/// The same role again says nothing new, another one is no role (RFC 9234 section 4.2).
Error readRole(Octets value, Capabilities& to) {
  const auto role = static_cast<BgpRole>(value[0]);
  if (to.role && *to.role != role) return openError(subcode::kRoleMismatch);
  to.role = role;
  return std::nullopt;
}

/// Of several the last counts (RFC 4724 section 3).
Error readGracefulRestart(Octets value, Capabilities& to) {
  if (value.size() < 2 || value.size() % 4 != 2) return malformed();
  GracefulRestart restart{(value[0] & kRestartBit) != 0, (value[0] & kNotificationBit) != 0,
                          static_cast<std::uint16_t>(read16(value, 0) & kRestartSecondsMask)};
  for (std::size_t at = 2; at < value.size(); at += 4)
    restart.families[family(value, at, at + 2)] = (value[at + 3] & kForwardingBit) != 0;
  to.graceful_restart = std::move(restart);
  return std::nullopt;
}

/// Of several the last counts; RFC 6793 does not say. AS 0 is nobody (RFC 7607).
Error readFourOctetAs(Octets value, Capabilities& to) {
  const Asn asn = read32(value, 0);
  if (asn == 0) return openError(subcode::kBadPeerAs);
  to.four_octet_asn = asn;
  return std::nullopt;
}

struct Known {
  std::uint8_t code;
  std::optional<std::size_t> size;  ///< nullopt: read() looks
  Error (*read)(Octets value, Capabilities& to);
};

constexpr std::array<Known, 7> kKnown{Known{kMultiprotocol, 4, readMultiprotocol},
                                      Known{kRouteRefresh, 0, readRouteRefresh},
                                      Known{kExtendedNextHop, std::nullopt, readExtendedNextHop},
                                      Known{kRole, 1, readRole},
                                      Known{kGracefulRestart, std::nullopt, readGracefulRestart},
                                      Known{kFourOctetAs, 4, readFourOctetAs},
                                      Known{kEnhancedRouteRefresh, 0, readEnhancedRouteRefresh}};

/// Those of one parameter: there may be several in one, and several parameters (RFC 5492 section 4).
Error readCapabilities(Octets octets, Capabilities& to) {
  while (!octets.empty()) {
    if (octets.size() < 2 || octets.size() - 2 < octets[1]) return malformed();
    const std::uint8_t code = octets[0];
    const Octets value = octets.subspan(2, octets[1]);
    octets = octets.subspan(2 + value.size());
    const auto known = std::ranges::find(kKnown, code, &Known::code);
    if (known == kKnown.end()) {
      to.unknown.push_back(code);
      continue;
    }
    if (known->size && *known->size != value.size()) return malformed();
    if (const Error error = known->read(value, to)) return error;
  }
  return std::nullopt;
}

/// The length of each is one octet or, in the long form, two.
Error readParameters(Octets octets, std::size_t length_bytes, Capabilities& to) {
  const std::size_t head = 1 + length_bytes;
  while (!octets.empty()) {
    if (octets.size() < head) return malformed();
    const std::size_t size = length_bytes == 1 ? octets[1] : read16(octets, 1);
    if (octets.size() - head < size) return malformed();
    if (octets[0] != kCapabilitiesParameter) return openError(subcode::kUnsupportedOptionalParameter);
    if (const Error error = readCapabilities(octets.subspan(head, size), to)) return error;
    octets = octets.subspan(head + size);
  }
  return std::nullopt;
}

/// Everything from the length of the optional parameters on. The long form is known by the type of what then is no
/// parameter, whatever the length in one octet says but 0 (RFC 9072 section 2).
Error readOptional(Octets octets, Capabilities& to) {
  const std::size_t size = octets[0];
  if (size != 0 && octets.size() > 1 && octets[1] == kExtendedLength) {
    if (octets.size() < 4 || octets.size() - 4 != read16(octets, 2)) return malformed();
    return readParameters(octets.subspan(4), 2, to);
  }
  if (octets.size() - 1 != size) return malformed();
  return readParameters(octets.subspan(1), 1, to);
}

/// Values that no session allows (RFC 4271 section 6.2).
Error forbidden(const Open& open) {
  const std::optional<Asn> four = open.capabilities.four_octet_asn;
  const bool other = four && open.two_octet_asn != kAsTrans && open.two_octet_asn != *four;
  if (open.two_octet_asn == 0 || other) return openError(subcode::kBadPeerAs);
  if (open.hold_seconds == 1 || open.hold_seconds == 2) return openError(subcode::kUnacceptableHoldTime);
  if (open.router_id == 0) return openError(subcode::kBadBgpIdentifier);
  return std::nullopt;
}

void putFamily(std::vector<std::uint8_t>& to, Family family) {
  put16(to, static_cast<std::uint16_t>(family.afi));
  to.push_back(static_cast<std::uint8_t>(family.safi));
}

std::vector<std::uint8_t> gracefulRestartValue(const GracefulRestart& restart) {
  std::vector<std::uint8_t> value;
  put16(value, restart.restart_seconds & kRestartSecondsMask);
  if (restart.restarting) value[0] |= kRestartBit;
  if (restart.notification) value[0] |= kNotificationBit;
  for (const auto& [family, preserved] : restart.families) {
    if (value.size() + 4 > kMaxValueBytes) break;
    putFamily(value, family);
    value.push_back(preserved ? kForwardingBit : 0);
  }
  return value;
}

std::vector<std::uint8_t> capabilityOctets(const Capabilities& capabilities) {
  std::vector<std::uint8_t> all;
  const auto add = [&all](std::uint8_t code, const std::vector<std::uint8_t>& value) {
    all.push_back(code);
    all.push_back(static_cast<std::uint8_t>(value.size()));
    put(all, value);
  };
  for (const Family& family : capabilities.families) {
    std::vector<std::uint8_t> value;
    put16(value, static_cast<std::uint16_t>(family.afi));
    value.push_back(0);
    value.push_back(static_cast<std::uint8_t>(family.safi));
    add(kMultiprotocol, value);
  }
  if (capabilities.route_refresh) add(kRouteRefresh, {});
  if (capabilities.extended_next_hop) add(kExtendedNextHop, {0, 1, 0, 1, 0, 2});
  if (capabilities.role) add(kRole, {static_cast<std::uint8_t>(*capabilities.role)});
  if (capabilities.graceful_restart) add(kGracefulRestart, gracefulRestartValue(*capabilities.graceful_restart));
  if (capabilities.four_octet_asn) {
    std::vector<std::uint8_t> value;
    put32(value, *capabilities.four_octet_asn);
    add(kFourOctetAs, value);
  }
  if (capabilities.enhanced_route_refresh) add(kEnhancedRouteRefresh, {});
  return all;
}

}  // namespace

std::variant<Open, Notification> decodeOpen(Octets body) {
  if (body.size() < kFixedBytes) return badMessageLength(kHeaderBytes + body.size());
  Open open;
  open.version = body[0];
  if (open.version != 4) return openError(subcode::kUnsupportedVersion, {0, 4});
  open.two_octet_asn = read16(body, 1);
  open.hold_seconds = read16(body, 3);
  open.router_id = read32(body, 5);
  if (const Error error = readOptional(body.subspan(kFixedBytes - 1), open.capabilities)) return *error;
  if (const Error error = forbidden(open)) return *error;
  return open;
}

std::vector<std::uint8_t> encode(const Open& open) {
  std::vector<std::uint8_t> body{open.version};
  put16(body, open.two_octet_asn);
  put16(body, open.hold_seconds);
  put32(body, open.router_id);
  const std::vector<std::uint8_t> capabilities = capabilityOctets(open.capabilities);
  const std::size_t size = capabilities.empty() ? 0 : capabilities.size() + 2;
  if (size > kMaxValueBytes) {
    body.insert(body.end(), {kExtendedLength, kExtendedLength});
    put16(body, static_cast<std::uint16_t>(capabilities.size() + 3));
    body.push_back(kCapabilitiesParameter);
    put16(body, static_cast<std::uint16_t>(capabilities.size()));
  } else {
    body.push_back(static_cast<std::uint8_t>(size));
    if (size != 0) body.insert(body.end(), {kCapabilitiesParameter, static_cast<std::uint8_t>(capabilities.size())});
  }
  put(body, capabilities);
  return encodeMessage(MessageType::open, body);
}

}  // namespace poplink::host::bgp
