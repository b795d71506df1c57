// SPDX-License-Identifier: Apache-2.0
// Octets of BGP messages for tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "message.h"

namespace poplink::host::bgp {

using Bytes = std::vector<std::uint8_t>;

/// Lower-case digits; spaces and line ends count nothing.
inline Bytes fromHex(std::string_view text) {
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  std::string digits;
  for (const char c : text)
    if (c != ' ' && c != '\n') digits += c;
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(digit(digits[i]) << 4 | digit(digits[i + 1])));
  return bytes;
}

inline Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// The body of a message that has to be whole and the only one.
inline Bytes bodyOf(const Bytes& message, MessageType type) {
  const auto framed = nextMessage(message);
  const Message* found = std::get_if<Message>(&framed);
  if (found == nullptr || found->type != type || found->size() != message.size()) {
    ADD_FAILURE() << "not one " << words(type);
    return {};
  }
  return {found->body.begin(), found->body.end()};
}

}  // namespace poplink::host::bgp
