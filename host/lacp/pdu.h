// SPDX-License-Identifier: Apache-2.0
// LACPDUs and Marker PDUs as octets (IEEE 802.1AX-2014 6.4.2 and 6.5.3). Pure; decoding never reads past its input and
// never throws.
//
// What a receiver checks is the standard's choice (6.4.12, 6.5.4): lengths of TLVs may be checked and are, while
// version, TLV types and reserved octets shall not be, so that later versions can talk to this one. A version above 1
// has TLVs of its own where version 1 has its terminator.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "types.h"

namespace poplink::host::lacp {

/// The Slow_Protocols_Multicast address.
inline constexpr MacAddress kSlowProtocols{0x01, 0x80, 0xC2, 0x00, 0x00, 0x02};
inline constexpr std::uint16_t kSlowProtocolsType = 0x8809;
/// Octets from the subtype to the last reserved one, of both kinds of PDU.
inline constexpr std::size_t kPduBytes = 110;
/// With addresses and EtherType, without FCS.
inline constexpr std::size_t kFrameBytes = 14 + kPduBytes;

struct Lacpdu {
  std::uint8_t version = 1;
  PortInfo actor;
  PortInfo partner;
  std::uint16_t collector_max_delay = 0;  ///< tens of microseconds
  friend auto operator<=>(const Lacpdu&, const Lacpdu&) = default;
};

struct MarkerPdu {
  std::uint8_t version = 1;
  bool response = false;  ///< Marker Response PDU; otherwise Marker PDU
  std::uint16_t requester_port = 0;
  MacAddress requester_system{};
  std::uint32_t transaction = 0;
  friend auto operator<=>(const MarkerPdu&, const MarkerPdu&) = default;
};

enum class DecodeError : std::uint8_t {
  truncated,       ///< fewer octets than a PDU has
  not_slow,        ///< a frame of another address or EtherType
  other_protocol,  ///< a slow protocol that this is not, e.g. OAM
  tlv_length,      ///< a TLV whose length is not the standard's
  marker_type,     ///< neither information nor response
};
std::string_view words(DecodeError error);

using Pdu = std::variant<Lacpdu, MarkerPdu>;
using Decoded = std::variant<Lacpdu, MarkerPdu, DecodeError>;

/// A PDU from its subtype on: kPduBytes octets, more are ignored.
Decoded decode(std::span<const std::uint8_t> octets);
/// A frame from its destination address on, without FCS, untagged (slow protocols never carry a tag).
Decoded decodeFrame(std::span<const std::uint8_t> frame);

/// kPduBytes octets.
std::vector<std::uint8_t> encode(const Pdu& pdu);
/// kFrameBytes octets, sent by the port whose own address is `source`.
std::vector<std::uint8_t> encodeFrame(const Pdu& pdu, const MacAddress& source);

}  // namespace poplink::host::lacp
