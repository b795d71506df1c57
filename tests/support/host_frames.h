// SPDX-License-Identifier: Apache-2.0
// Frames for the host, with a number in them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>
#include <vector>

namespace poplink::tests {

template <class Int>
Int little(const std::uint8_t* at) {
  Int value = 0;
  for (std::size_t i = sizeof value; i-- > 0;) value = static_cast<Int>(value << 8 | at[i]);
  return value;
}

/// Slow protocol frame (LACP) with a number in it.
inline std::vector<std::uint8_t> slowFrame(std::size_t bytes, std::uint32_t number) {
  std::vector<std::uint8_t> frame(bytes, 0x5A);
  constexpr std::uint8_t kHead[] = {0x01, 0x80, 0xC2, 0x00, 0x00, 0x02, 0x02, 0, 0, 0, 0, 1, 0x88, 0x09, 1};
  std::copy(std::begin(kHead), std::end(kHead), frame.begin());
  for (unsigned i = 0; i < 4; ++i) frame[20 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  for (std::size_t i = 24; i < bytes; ++i) frame[i] = static_cast<std::uint8_t>(i * 7 + number);
  return frame;
}
inline std::uint32_t numberOf(std::span<const std::uint8_t> frame) {
  return little<std::uint32_t>(frame.data() + 20);
}
/// A frame for a `host` port.
inline std::vector<std::uint8_t> routingFrame(std::size_t bytes, std::uint32_t number) {
  std::vector<std::uint8_t> frame = slowFrame(bytes, number);
  frame[0] = 0x02;
  frame[12] = 0x08;
  frame[13] = 0x00;
  return frame;
}

}  // namespace poplink::tests
