// SPDX-License-Identifier: Apache-2.0
#include "message.h"

#include <algorithm>

namespace poplink::host::bgp {

namespace {

struct Limits {
  std::size_t least = 0;
  std::size_t most = kMaxMessageBytes;
};

/// RFC 4271 section 6.1, by type. A ROUTE-REFRESH's length is judged with its subtype (RFC 7313 section 5).
constexpr std::array<Limits, 5> kLimits{Limits{29}, Limits{23}, Limits{21}, Limits{kHeaderBytes, kHeaderBytes},
                                        Limits{kHeaderBytes}};

constexpr std::array<std::string_view, 5> kNames{"OPEN", "UPDATE", "NOTIFICATION", "KEEPALIVE", "ROUTE-REFRESH"};

}  // namespace

std::string_view words(MessageType type) {
  const std::size_t index = static_cast<std::size_t>(type) - 1;
  return index < kNames.size() ? kNames[index] : "?";
}

Notification badMessageLength(std::size_t size) {
  return {ErrorCode::message_header,
          subcode::kBadMessageLength,
          {static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)}};
}

std::variant<Message, Incomplete, Notification> nextMessage(Octets stream) {
  if (stream.size() < kHeaderBytes) return Incomplete{kHeaderBytes - stream.size()};
  if (!std::ranges::all_of(stream.first(kMarkerBytes), [](std::uint8_t octet) { return octet == 0xff; }))
    return Notification{ErrorCode::message_header, subcode::kConnectionNotSynchronized};
  const std::size_t size = read16(stream, kMarkerBytes);
  const std::uint8_t type = stream[kMarkerBytes + 2];
  if (size < kHeaderBytes || size > kMaxMessageBytes) return badMessageLength(size);
  if (type == 0 || type > kLimits.size())
    return Notification{ErrorCode::message_header, subcode::kBadMessageType, {type}};
  const Limits& limits = kLimits[type - 1u];
  if (size < limits.least || size > limits.most) return badMessageLength(size);
  if (stream.size() < size) return Incomplete{size - stream.size()};
  return Message{static_cast<MessageType>(type), stream.subspan(kHeaderBytes, size - kHeaderBytes)};
}

std::vector<std::uint8_t> encodeMessage(MessageType type, Octets body) {
  std::vector<std::uint8_t> message;
  message.reserve(kHeaderBytes + body.size());
  message.assign(kMarkerBytes, 0xff);
  put16(message, static_cast<std::uint16_t>(kHeaderBytes + body.size()));
  message.push_back(static_cast<std::uint8_t>(type));
  put(message, body);
  return message;
}

}  // namespace poplink::host::bgp
