// SPDX-License-Identifier: Apache-2.0
// NOTIFICATION (RFC 4271 section 4.5; RFC 4486, 6608, 9003 for its subcodes and texts).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace poplink::host::bgp {

enum class ErrorCode : std::uint8_t {
  message_header = 1,
  open_message = 2,
  update_message = 3,
  hold_timer_expired = 4,
  finite_state_machine = 5,     ///< subcodes by state: RFC 6608
  cease = 6,                    ///< subcodes: RFC 4486
  route_refresh = 7,            ///< RFC 7313
  send_hold_timer_expired = 8,  ///< RFC 9687
};

/// A subcode is a number of its code; the ones that are sent have names here.
namespace subcode {
inline constexpr std::uint8_t kUnspecific = 0;
// message_header
inline constexpr std::uint8_t kConnectionNotSynchronized = 1, kBadMessageLength = 2, kBadMessageType = 3;
// open_message; 11: RFC 9234
inline constexpr std::uint8_t kUnsupportedVersion = 1, kBadPeerAs = 2, kBadBgpIdentifier = 3,
                              kUnsupportedOptionalParameter = 4, kUnacceptableHoldTime = 6, kUnsupportedCapability = 7,
                              kRoleMismatch = 11;
// update_message
inline constexpr std::uint8_t kMalformedAttributeList = 1, kUnrecognizedWellKnownAttribute = 2,
                              kMissingWellKnownAttribute = 3, kAttributeFlagsError = 4, kAttributeLengthError = 5,
                              kInvalidOrigin = 6, kInvalidNextHop = 8, kOptionalAttributeError = 9,
                              kInvalidNetworkField = 10, kMalformedAsPath = 11;
// finite_state_machine
inline constexpr std::uint8_t kInOpenSent = 1, kInOpenConfirm = 2, kInEstablished = 3;
// cease; 9: hard reset (RFC 8538), 10: BFD down (RFC 9384)
inline constexpr std::uint8_t kMaxPrefixes = 1, kAdministrativeShutdown = 2, kPeerDeconfigured = 3,
                              kAdministrativeReset = 4, kConnectionRejected = 5, kOtherConfigurationChange = 6,
                              kConnectionCollision = 7, kOutOfResources = 8, kHardReset = 9, kBfdDown = 10;
// route_refresh
inline constexpr std::uint8_t kInvalidRouteRefreshLength = 1;
}  // namespace subcode

/// Also why a message was not accepted: what is to be sent back.
struct Notification {
  ErrorCode code{};
  std::uint8_t subcode = 0;
  std::vector<std::uint8_t> data{};
  friend auto operator<=>(const Notification&, const Notification&) = default;
};

/// "cease: administrative shutdown", with an unknown subcode as number.
std::string words(const Notification& notification);

/// Data of a Cease with a text for people (RFC 9003), for subcodes administrative shutdown and reset: the first 255
/// octets of UTF-8 at most, cut at a character, and at the first octet that is not UTF-8. Empty for no text.
std::vector<std::uint8_t> shutdownData(std::string_view text);
/// The text, its control characters as spaces; empty: there is none, or what is there is none (then words() says that
/// it was malformed).
std::string shutdownText(const Notification& notification);

/// Message body behind the header; any code and subcode are taken. nullopt: shorter than 2 octets, which the limits of
/// nextMessage() let nobody send.
std::optional<Notification> decodeNotification(std::span<const std::uint8_t> body);
/// The whole message with its header; data that does not fit into one is cut.
std::vector<std::uint8_t> encode(const Notification& notification);

}  // namespace poplink::host::bgp
