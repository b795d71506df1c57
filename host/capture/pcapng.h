// SPDX-License-Identifier: Apache-2.0
// Frames as pcapng (draft-ietf-opsawg-pcapng), which has what pcap has no place for: the port, a comment, and how many
// frames are missing. Pure: blocks as bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace poplink::host::pcapng {

using Bytes = std::vector<std::uint8_t>;

/// The start of a file: section header and one Ethernet interface per name, with times in microseconds.
Bytes header(std::string_view program, std::span<const std::string> interfaces);

enum class Direction : std::uint32_t { inbound = 1, outbound = 2 };

struct Packet {
  std::uint32_t interface = 0;  ///< by its place in header()
  std::uint64_t time_us = 0;    ///< since 1970
  std::span<const std::uint8_t> bytes;
  std::uint32_t original_bytes = 0;
  Direction direction = Direction::inbound;
  std::uint64_t lost_before = 0;  ///< frames of the interface that are missing in front of this one
  std::string comment;
};

Bytes packet(const Packet& packet);

}  // namespace poplink::host::pcapng
