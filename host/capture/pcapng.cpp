// SPDX-License-Identifier: Apache-2.0
#include "pcapng.h"

namespace poplink::host::pcapng {

namespace {

constexpr std::uint32_t kSectionHeader = 0x0A0D'0D0A, kByteOrder = 0x1A2B'3C4D, kInterface = 1, kEnhancedPacket = 6;
constexpr std::uint16_t kEthernet = 1, kEnd = 0, kComment = 1, kUserApplication = 4, kName = 2, kResolution = 9,
                        kFlags = 2, kDropCount = 4;
constexpr std::size_t kMaxOption = 0xFFFF;

class Block {
 public:
  explicit Block(std::uint32_t type) { u32(type).u32(0); }

  Block& u16(std::uint32_t value) { return little(value, 2); }
  Block& u32(std::uint64_t value) { return little(value, 4); }
  Block& u64(std::uint64_t value) { return little(value, 8); }
  Block& padded(std::span<const std::uint8_t> data) {
    bytes_.insert(bytes_.end(), data.begin(), data.end());
    bytes_.resize((bytes_.size() + 3) / 4 * 4);
    return *this;
  }
  Block& option(std::uint16_t code, std::span<const std::uint8_t> value) {
    value = value.first(std::min(value.size(), kMaxOption));
    return u16(code).u16(static_cast<std::uint32_t>(value.size())).padded(value);
  }
  Block& option(std::uint16_t code, std::string_view text) {
    return option(code, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }
  Bytes finish() {
    option(kEnd, std::string_view());
    const std::size_t length = bytes_.size() + 4;
    for (unsigned i = 0; i < 4; ++i) bytes_[4 + i] = static_cast<std::uint8_t>(length >> (8 * i));
    u32(length);
    return std::move(bytes_);
  }

 private:
  Block& little(std::uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i) bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return *this;
  }
  Bytes bytes_;
};

}  // namespace

Bytes header(std::string_view program, std::span<const std::string> interfaces) {
  Bytes bytes = Block(kSectionHeader)
                    .u32(kByteOrder)
                    .u16(1)
                    .u16(0)
                    .u64(~std::uint64_t{0})  // length of the section: not known
                    .option(kUserApplication, program)
                    .finish();
  for (const std::string& name : interfaces) {
    constexpr std::uint8_t kMicroseconds[] = {6};
    const Bytes one = Block(kInterface)
                          .u16(kEthernet)
                          .u16(0)
                          .u32(0)  // no limit to the length
                          .option(kName, name)
                          .option(kResolution, kMicroseconds)
                          .finish();
    bytes.insert(bytes.end(), one.begin(), one.end());
  }
  return bytes;
}

Bytes packet(const Packet& packet) {
  Block block(kEnhancedPacket);
  block.u32(packet.interface)
      .u32(packet.time_us >> 32)
      .u32(packet.time_us & 0xFFFF'FFFF)
      .u32(packet.bytes.size())
      .u32(packet.original_bytes)
      .padded(packet.bytes);
  if (!packet.comment.empty()) block.option(kComment, packet.comment);
  block.u16(kFlags).u16(4).u32(static_cast<std::uint32_t>(packet.direction));
  if (packet.lost_before != 0) block.u16(kDropCount).u16(8).u64(packet.lost_before);
  return block.finish();
}

}  // namespace poplink::host::pcapng
