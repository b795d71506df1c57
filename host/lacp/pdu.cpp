// SPDX-License-Identifier: Apache-2.0
#include "pdu.h"

#include <algorithm>

namespace poplink::host::lacp {

namespace {

using Octets = std::span<const std::uint8_t>;

constexpr std::uint8_t kLacp = 1, kMarker = 2;
constexpr std::uint8_t kActorTlv = 1, kPartnerTlv = 2, kCollectorTlv = 3;
constexpr std::uint8_t kInformationLength = 20, kCollectorLength = 16;
constexpr std::uint8_t kMarkerInformationTlv = 1, kMarkerResponseTlv = 2, kMarkerLength = 16;

// Where things are, from the subtype on (6.4.2.3, 6.5.3.3).
constexpr std::size_t kActorAt = 2, kPartnerAt = 22, kCollectorAt = 42, kTerminatorAt = 58;

std::uint16_t read16(Octets octets, std::size_t at) {
  return static_cast<std::uint16_t>(octets[at] << 8 | octets[at + 1]);
}

MacAddress readMac(Octets octets, std::size_t at) {
  MacAddress mac;
  std::copy_n(octets.begin() + static_cast<std::ptrdiff_t>(at), mac.size(), mac.begin());
  return mac;
}

void write16(std::span<std::uint8_t> octets, std::size_t at, std::uint16_t value) {
  octets[at] = static_cast<std::uint8_t>(value >> 8);
  octets[at + 1] = static_cast<std::uint8_t>(value);
}

void writeMac(std::span<std::uint8_t> octets, std::size_t at, const MacAddress& mac) {
  std::copy(mac.begin(), mac.end(), octets.begin() + static_cast<std::ptrdiff_t>(at));
}

/// The value of an Actor or Partner Information TLV; `at` is its type.
PortInfo readInfo(Octets octets, std::size_t at) {
  return {read16(octets, at + 2),  readMac(octets, at + 4), read16(octets, at + 10),
          read16(octets, at + 12), read16(octets, at + 14), portState(octets[at + 16])};
}

void writeInfo(std::span<std::uint8_t> octets, std::size_t at, std::uint8_t type, const PortInfo& info) {
  octets[at] = type;
  octets[at + 1] = kInformationLength;
  write16(octets, at + 2, info.system_priority);
  writeMac(octets, at + 4, info.system);
  write16(octets, at + 10, info.key);
  write16(octets, at + 12, info.port_priority);
  write16(octets, at + 14, info.port);
  octets[at + 16] = toByte(info.state);
}

Decoded decodeLacpdu(Octets octets) {
  const std::uint8_t version = octets[1];
  if (octets[kActorAt + 1] != kInformationLength || octets[kPartnerAt + 1] != kInformationLength ||
      octets[kCollectorAt + 1] != kCollectorLength)
    return DecodeError::tlv_length;
  if (version <= 1 && octets[kTerminatorAt + 1] != 0) return DecodeError::tlv_length;
  return Lacpdu{version, readInfo(octets, kActorAt), readInfo(octets, kPartnerAt), read16(octets, kCollectorAt + 2)};
}

Decoded decodeMarker(Octets octets) {
  const std::uint8_t type = octets[2];
  if (type != kMarkerInformationTlv && type != kMarkerResponseTlv) return DecodeError::marker_type;
  if (octets[3] != kMarkerLength) return DecodeError::tlv_length;
  const std::uint32_t transaction = static_cast<std::uint32_t>(read16(octets, 12)) << 16 | read16(octets, 14);
  return MarkerPdu{octets[1], type == kMarkerResponseTlv, read16(octets, 4), readMac(octets, 6), transaction};
}

void write(std::span<std::uint8_t> octets, const Lacpdu& pdu) {
  octets[0] = kLacp;
  octets[1] = pdu.version;
  writeInfo(octets, kActorAt, kActorTlv, pdu.actor);
  writeInfo(octets, kPartnerAt, kPartnerTlv, pdu.partner);
  octets[kCollectorAt] = kCollectorTlv;
  octets[kCollectorAt + 1] = kCollectorLength;
  write16(octets, kCollectorAt + 2, pdu.collector_max_delay);
}

void write(std::span<std::uint8_t> octets, const MarkerPdu& pdu) {
  octets[0] = kMarker;
  octets[1] = pdu.version;
  octets[2] = pdu.response ? kMarkerResponseTlv : kMarkerInformationTlv;
  octets[3] = kMarkerLength;
  write16(octets, 4, pdu.requester_port);
  writeMac(octets, 6, pdu.requester_system);
  write16(octets, 12, static_cast<std::uint16_t>(pdu.transaction >> 16));
  write16(octets, 14, static_cast<std::uint16_t>(pdu.transaction));
}

}  // namespace

std::string_view words(DecodeError error) {
  switch (error) {
    case DecodeError::truncated:
      return "truncated";
    case DecodeError::not_slow:
      return "not a slow protocol";
    case DecodeError::other_protocol:
      return "another slow protocol";
    case DecodeError::tlv_length:
      return "wrong TLV length";
    case DecodeError::marker_type:
      return "unknown marker TLV";
  }
  return "?";
}

Decoded decode(Octets octets) {
  if (octets.empty()) return DecodeError::truncated;
  if (octets[0] != kLacp && octets[0] != kMarker) return DecodeError::other_protocol;
  if (octets.size() < kPduBytes) return DecodeError::truncated;
  return octets[0] == kLacp ? decodeLacpdu(octets) : decodeMarker(octets);
}

Decoded decodeFrame(Octets frame) {
  if (frame.size() < 14) return DecodeError::truncated;
  if (readMac(frame, 0) != kSlowProtocols || read16(frame, 12) != kSlowProtocolsType) return DecodeError::not_slow;
  return decode(frame.subspan(14));
}

std::vector<std::uint8_t> encode(const Pdu& pdu) {
  std::vector<std::uint8_t> octets(kPduBytes);
  std::visit([&octets](const auto& p) { write(octets, p); }, pdu);
  return octets;
}

std::vector<std::uint8_t> encodeFrame(const Pdu& pdu, const MacAddress& source) {
  std::vector<std::uint8_t> frame(14);
  writeMac(frame, 0, kSlowProtocols);
  writeMac(frame, 6, source);
  write16(frame, 12, kSlowProtocolsType);
  const std::vector<std::uint8_t> octets = encode(pdu);
  frame.insert(frame.end(), octets.begin(), octets.end());
  return frame;
}

}  // namespace poplink::host::lacp
