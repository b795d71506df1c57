// SPDX-License-Identifier: Apache-2.0
// UPDATEs for tests, from their parts.
#pragma once

#include <map>
#include <memory>

#include "bgp_octets.h"
#include "update.h"

namespace poplink::host::bgp {

/// An attribute with its length in one octet, or in two where the flags say so.
inline Bytes attribute(std::uint8_t flags, std::uint8_t type, const Bytes& value) {
  Bytes octets{flags, type};
  if ((flags & kExtendedLength) != 0)
    put16(octets, static_cast<std::uint16_t>(value.size()));
  else
    octets.push_back(static_cast<std::uint8_t>(value.size()));
  return octets + value;
}

inline Bytes attribute(std::uint8_t flags, std::uint8_t type, std::string_view hex) {
  return attribute(flags, type, fromHex(hex));
}

inline Bytes updateBody(const Bytes& withdrawn, const Bytes& attributes, const Bytes& nlri) {
  Bytes body;
  put16(body, static_cast<std::uint16_t>(withdrawn.size()));
  put(body, withdrawn);
  put16(body, static_cast<std::uint16_t>(attributes.size()));
  put(body, attributes);
  put(body, nlri);
  return body;
}

/// Whole attributes by type, in the order of types.
using AttributeMap = std::map<unsigned, Bytes>;

inline Bytes joined(const AttributeMap& attributes) {
  Bytes list;
  for (const auto& [type, octets] : attributes) put(list, octets);
  return list;
}

/// ORIGIN IGP, AS_PATH 65001 65002, NEXT_HOP 192.0.2.1; an internal peer's also has LOCAL_PREF 100.
inline AttributeMap mandatory(const UpdateContext& context) {
  AttributeMap attributes{{1, attribute(0x40, 1, "00")},
                          {2, attribute(0x40, 2, context.four_octet_asn ? "0202 0000fde9 0000fdea" : "0202 fde9 fdea")},
                          {3, attribute(0x40, 3, "c0000201")}};
  if (!context.external) attributes[5] = attribute(0x40, 5, "00000064");
  return attributes;
}

/// 198.51.100.0/24
inline Bytes oneRoute() {
  return fromHex("18 c63364");
}

/// What decoding makes of a body, with the octets that it points to.
struct Decoded {
  explicit Decoded(Bytes octets, const UpdateContext& context = {})
      : body(std::move(octets)), space(std::make_unique<DecodeSpace>()), update(decodeUpdate(body, context, *space)) {}
  Bytes body;
  std::unique_ptr<DecodeSpace> space;
  Update update;

  Bytes canonical() const { return {update.canonical.begin(), update.canonical.end()}; }
};

}  // namespace poplink::host::bgp
