// SPDX-License-Identifier: Apache-2.0
// Messages in a stream of octets: the header (RFC 4271 sections 4.1 and 6.1) and the KEEPALIVE, which is nothing else.
#pragma once

#include <array>
#include <string_view>
#include <variant>

#include "notification.h"
#include "octets.h"

namespace poplink::host::bgp {

enum class MessageType : std::uint8_t { open = 1, update = 2, notification = 3, keepalive = 4, route_refresh = 5 };
/// "OPEN"
std::string_view words(MessageType type);

inline constexpr std::size_t kMarkerBytes = 16;
inline constexpr std::size_t kHeaderBytes = 19;
inline constexpr std::size_t kMaxMessageBytes = 4096;  ///< header included; longer ones (RFC 8654) are not offered
inline constexpr std::size_t kMaxBodyBytes = kMaxMessageBytes - kHeaderBytes;

/// A whole message; its body lies in the stream that it was found in.
struct Message {
  MessageType type{};
  Octets body;
  /// Octets of the stream that it takes, with its header.
  std::size_t size() const { return kHeaderBytes + body.size(); }
};

/// The stream ends inside a message that nothing is wrong with so far.
struct Incomplete {
  std::size_t missing = 0;  ///< octets, at least; the header is needed first
};

/// The message that the stream begins with. A wrong header is told as soon as all of it is there: the marker, the
/// length, the type, and then the limits of the length that each type has.
std::variant<Message, Incomplete, Notification> nextMessage(Octets stream);

/// What a message whose length does not fit its type is answered with; `size` with the header.
Notification badMessageLength(std::size_t size);

/// Header and body; `body` has at most kMaxBodyBytes.
std::vector<std::uint8_t> encodeMessage(MessageType type, Octets body);

inline constexpr std::array<std::uint8_t, kHeaderBytes> kKeepalive{
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 19, 4};

}  // namespace poplink::host::bgp
