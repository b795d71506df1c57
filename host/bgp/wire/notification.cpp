// SPDX-License-Identifier: Apache-2.0
#include "notification.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "message.h"

namespace poplink::host::bgp {

namespace {

using Names = std::span<const std::string_view>;

// By number; an empty name is a number that is not given, or not any more (RFC 4271 4.5; the others: see the header).
constexpr std::array<std::string_view, 4> kHeader{"unspecific", "connection not synchronized", "bad message length",
                                                  "bad message type"};
constexpr std::array<std::string_view, 12> kOpen{"unspecific",
                                                 "unsupported version number",
                                                 "bad peer AS",
                                                 "bad BGP identifier",
                                                 "unsupported optional parameter",
                                                 "",
                                                 "unacceptable hold time",
                                                 "unsupported capability",
                                                 "",
                                                 "",
                                                 "",
                                                 "role mismatch"};
constexpr std::array<std::string_view, 12> kUpdate{"unspecific",
                                                   "malformed attribute list",
                                                   "unrecognized well-known attribute",
                                                   "missing well-known attribute",
                                                   "attribute flags error",
                                                   "attribute length error",
                                                   "invalid ORIGIN attribute",
                                                   "",
                                                   "invalid NEXT_HOP attribute",
                                                   "optional attribute error",
                                                   "invalid network field",
                                                   "malformed AS_PATH"};
constexpr std::array<std::string_view, 1> kUnspecificOnly{"unspecific"};
constexpr std::array<std::string_view, 4> kStates{"unspecific", "unexpected message in OpenSent",
                                                  "unexpected message in OpenConfirm",
                                                  "unexpected message in Established"};
constexpr std::array<std::string_view, 11> kCease{"unspecific",
                                                  "maximum number of prefixes reached",
                                                  "administrative shutdown",
                                                  "peer de-configured",
                                                  "administrative reset",
                                                  "connection rejected",
                                                  "other configuration change",
                                                  "connection collision resolution",
                                                  "out of resources",
                                                  "hard reset",
                                                  "BFD down"};
constexpr std::array<std::string_view, 2> kRefresh{"unspecific", "invalid message length"};

struct Code {
  std::string_view name;
  Names subcodes;
};
constexpr std::array<Code, 8> kCodes{
    Code{"message header error", kHeader},         Code{"OPEN message error", kOpen},
    Code{"UPDATE message error", kUpdate},         Code{"hold timer expired", kUnspecificOnly},
    Code{"finite state machine error", kStates},   Code{"cease", kCease},
    Code{"ROUTE-REFRESH message error", kRefresh}, Code{"send hold timer expired", kUnspecificOnly}};

constexpr std::size_t kMaxTextBytes = 255;

bool continues(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<std::uint8_t>(text[at]) & 0xc0) == 0x80;
}

/// Octets of the UTF-8 character at `at`; 0 when there is none (RFC 3629: neither overlong, surrogate nor over 10FFFF).
std::size_t characterBytes(std::string_view text, std::size_t at) {
  const auto first = static_cast<std::uint8_t>(text[at]);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xc2 && first <= 0xdf   ? 2
                           : (first & 0xf0) == 0xe0         ? 3
                           : first >= 0xf0 && first <= 0xf4 ? 4
                                                            : 0;
  for (std::size_t i = 1; i < size; ++i)
    if (!continues(text, at + i)) return 0;
  if (size < 3) return size;
  const auto second = static_cast<std::uint8_t>(text[at + 1]);
  const bool bad = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                   (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return bad ? 0 : size;
}

/// The longest beginning of whole characters within `limit` octets.
std::string_view validBeginning(std::string_view text, std::size_t limit) {
  std::size_t end = 0;
  while (end < text.size()) {
    const std::size_t size = characterBytes(text, end);
    if (size == 0 || end + size > limit) break;
    end += size;
  }
  return text.substr(0, end);
}

bool hasText(const Notification& notification) {
  return notification.code == ErrorCode::cease && (notification.subcode == subcode::kAdministrativeShutdown ||
                                                   notification.subcode == subcode::kAdministrativeReset);
}

/// Without one it is empty; nullopt: malformed. The length has to say all that follows (RFC 9003 section 2).
std::optional<std::string> receivedText(const Notification& notification) {
  if (!hasText(notification) || notification.data.empty()) return std::string();
  if (notification.data[0] != notification.data.size() - 1) return std::nullopt;
  std::string text(notification.data.begin() + 1, notification.data.end());
  if (validBeginning(text, text.size()).size() != text.size()) return std::nullopt;
  return text;
}

/// A peer's text must not steer the terminal that it is shown on: C0, DEL and C1 become spaces.
std::string withoutControls(std::string_view text) {
  std::string safe;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = characterBytes(text, at);
    const auto first = static_cast<std::uint8_t>(text[at]);
    const bool control =
        first < 0x20 || first == 0x7f || (first == 0xc2 && static_cast<std::uint8_t>(text[at + 1]) < 0xa0);
    safe += control ? std::string_view(" ") : text.substr(at, size);
    at += size;
  }
  return safe;
}

}  // namespace

std::string words(const Notification& notification) {
  const std::size_t index = static_cast<std::size_t>(notification.code) - 1;
  const bool known = index < kCodes.size();
  std::string code =
      known ? std::string(kCodes[index].name) : "code " + std::to_string(static_cast<unsigned>(notification.code));
  const Names subcodes = known ? kCodes[index].subcodes : Names{};
  const bool named = notification.subcode < subcodes.size() && !subcodes[notification.subcode].empty();
  if (notification.subcode == subcode::kUnspecific && subcodes.size() == 1) return code;
  const std::string rest =
      named ? std::string(subcodes[notification.subcode]) : "subcode " + std::to_string(notification.subcode);
  return code + ": " + rest + (receivedText(notification) ? "" : " (its text is malformed)");
}

std::vector<std::uint8_t> shutdownData(std::string_view text) {
  const std::string_view kept = validBeginning(text, kMaxTextBytes);
  if (kept.empty()) return {};
  std::vector<std::uint8_t> data{static_cast<std::uint8_t>(kept.size())};
  data.insert(data.end(), kept.begin(), kept.end());
  return data;
}

std::string shutdownText(const Notification& notification) {
  return withoutControls(receivedText(notification).value_or(std::string()));
}

std::optional<Notification> decodeNotification(Octets body) {
  if (body.size() < 2) return std::nullopt;
  return Notification{static_cast<ErrorCode>(body[0]), body[1], {body.begin() + 2, body.end()}};
}

std::vector<std::uint8_t> encode(const Notification& notification) {
  std::vector<std::uint8_t> body{static_cast<std::uint8_t>(notification.code), notification.subcode};
  put(body, Octets(notification.data).first(std::min(notification.data.size(), kMaxBodyBytes - body.size())));
  return encodeMessage(MessageType::notification, body);
}

}  // namespace poplink::host::bgp
