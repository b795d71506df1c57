// SPDX-License-Identifier: Apache-2.0
// Path attributes by type, with what their standards say of flags and lengths.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "findings.h"

namespace poplink::host::bgp {

/// Attribute Type Codes.
enum class AttributeType : std::uint8_t {
  origin = 1,
  as_path = 2,
  next_hop = 3,
  multi_exit_disc = 4,
  local_pref = 5,
  atomic_aggregate = 6,
  aggregator = 7,
  communities = 8,
  originator_id = 9,
  cluster_list = 10,
  mp_reach_nlri = 14,
  mp_unreach_nlri = 15,
  extended_communities = 16,
  as4_path = 17,
  as4_aggregator = 18,
  ipv6_extended_communities = 25,
  large_communities = 32,
  only_to_customer = 35,
};
/// "AS_PATH (2)", or "attribute 99".
std::string words(AttributeType type);

/// Attribute Flags (RFC 4271 section 4.3).
inline constexpr std::uint8_t kOptional = 0x80, kTransitive = 0x40, kPartial = 0x20, kExtendedLength = 0x10;

enum class Origin : std::uint8_t { igp = 0, egp = 1, incomplete = 2 };

/// What decides how an UPDATE is read: what both ends have agreed on.
struct UpdateContext {
  bool external = true;        ///< the peer is in another AS
  bool four_octet_asn = true;  ///< both have said so (RFC 6793)
  bool ipv4_unicast = true;
  bool ipv6_unicast = false;
  bool extended_next_hop = false;  ///< IPv4 over IPv6 next hops (RFC 8950)
};

struct Fault {
  ErrorAction action{};
  ErrorReason reason{};
};

/// What is known of a type. RFC 7606 section 7 has one paragraph for each.
struct AttributeRule {
  AttributeType type{};
  std::uint8_t flags = 0;  ///< Optional and Transitive
  enum class Length : std::uint8_t { exactly, multiple, any } length = Length::any;
  std::uint8_t unit = 0;  ///< octets; a multiple is one and more units
  ErrorAction wrong_length = ErrorAction::none;
  /// From others it is discarded unseen.
  enum class From : std::uint8_t { anyone, internal, old_speaker } from = From::anyone;
  /// Of the value; nullptr: none.
  std::optional<Fault> (*check)(Octets value, const UpdateContext& context) = nullptr;
};

/// nullptr: the type is not known.
const AttributeRule* attributeRule(std::uint8_t type);

/// What is wrong with a known attribute: who sent it, its flags, length and value, in this order.
std::optional<Fault> findFault(const AttributeRule& rule, std::uint8_t flags, Octets value,
                               const UpdateContext& context);

}  // namespace poplink::host::bgp
