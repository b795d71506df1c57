// SPDX-License-Identifier: Apache-2.0
// Communities as an operator writes them and as they are sent.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "../wire/attributes.h"
#include "policy_settings.h"

namespace poplink::host::bgp {

/// What parseCommunity() reads as the same value:
///   "no-export"           a well-known one by its name (RFC 1997, 3765, 7611, 7999, 8326, 9494)
///   "64600:1"             two numbers of two octets each (RFC 1997)
///   "64600:1:2"           three numbers of four octets each (RFC 8092)
///   "rt:64600:7"          a route target, "soo:..." a route origin: AS of two octets, number of four (RFC 4360)
///   "rt:4200000001:7"     AS of four octets, number of two (RFC 5668); "rt:64600L:7" for a small AS in four octets
///   "rt:192.0.2.1:7"      address, number of two octets (RFC 4360)
///   "ext:0102030405060708"  any other extended community, its eight octets
std::string words(const AnyCommunity& community);

/// Nothing when it is none of the forms above, or a number does not fit.
std::optional<AnyCommunity> parseCommunity(std::string_view text);

/// A community as its attribute has it.
class CommunityOctets {
 public:
  explicit CommunityOctets(const AnyCommunity& community);
  /// communities, extended_communities or large_communities.
  AttributeType type() const { return type_; }
  /// 4, 8 or 12.
  Octets octets() const& { return Octets(octets_).first(size_); }
  Octets octets() && = delete;

 private:
  AttributeType type_{};
  std::size_t size_ = 0;
  std::array<std::uint8_t, 12> octets_{};
};

/// The communities of a route that are kept in this attribute; nothing for any other attribute.
Octets communitiesOf(const PathFacts& facts, AttributeType type);

}  // namespace poplink::host::bgp
