// SPDX-License-Identifier: Apache-2.0
// Octets in network byte order, read and appended. Nothing here checks bounds: who reads has counted before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace poplink::host::bgp {

using Octets = std::span<const std::uint8_t>;

inline std::uint16_t read16(Octets octets, std::size_t at) {
  return static_cast<std::uint16_t>(octets[at] << 8 | octets[at + 1]);
}

inline std::uint32_t read32(Octets octets, std::size_t at) {
  return static_cast<std::uint32_t>(read16(octets, at)) << 16 | read16(octets, at + 2);
}

inline void write16(std::span<std::uint8_t> octets, std::size_t at, std::uint16_t value) {
  octets[at] = static_cast<std::uint8_t>(value >> 8);
  octets[at + 1] = static_cast<std::uint8_t>(value);
}

inline void put16(std::vector<std::uint8_t>& to, std::uint16_t value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8));
  to.push_back(static_cast<std::uint8_t>(value));
}

inline void put32(std::vector<std::uint8_t>& to, std::uint32_t value) {
  put16(to, static_cast<std::uint16_t>(value >> 16));
  put16(to, static_cast<std::uint16_t>(value));
}

inline void put(std::vector<std::uint8_t>& to, Octets octets) {
  to.insert(to.end(), octets.begin(), octets.end());
}

}  // namespace poplink::host::bgp
