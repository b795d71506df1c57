// SPDX-License-Identifier: Apache-2.0
// UPDATE, read (RFC 4271 section 4.3 and 6.3 as RFC 7606 revises it, RFC 4760, RFC 8950). Written: update_builder.h.
#pragma once

#include <array>

#include "attributes.h"
#include "findings.h"
#include "nlri.h"
#include "types.h"

namespace poplink::host::bgp {

/// An IPv4 address, or an IPv6 one with or without a link-local one beside it (RFC 2545 section 3).
struct NextHop {
  Address address{};
  std::optional<Ipv6> link_local{};
  friend auto operator<=>(const NextHop&, const NextHop&) = default;
};

/// Prefixes of one field; checked, so that forEachPrefix() can have `nlri`.
struct Routes {
  Family family = kIpv4Unicast;
  Octets nlri{};             ///< empty: there are none
  std::size_t prefixes = 0;  ///< in it
};

struct AnnouncedRoutes : Routes {
  NextHop next_hop{};
};

/// The octets that decoding writes to. One is enough for all sessions of a thread.
class DecodeSpace {
 public:
  /// No list of attributes gets longer: AS_PATH doubles at most, AS4_PATH is as long as it is, and the header of each
  /// may get one octet longer.
  std::span<std::uint8_t> canonical() { return canonical_; }
  /// One of each type.
  std::span<Attribute, 256> attributes() { return attributes_; }

 private:
  std::array<std::uint8_t, std::size_t{3} * 4096> canonical_;
  std::array<Attribute, 256> attributes_;
};

/// What an UPDATE says. Spans lie in the message and in the DecodeSpace, until either changes.
///
/// First take away what is withdrawn, then add what is announced: a prefix in both is announced (RFC 4271 section 4.3).
/// With findings.action() treat_as_withdraw the announced routes are to be withdrawn too and have no attributes; with
/// session_reset there is nothing but findings.notification() to send.
struct Update {
  Routes withdrawn;                  ///< IPv4, from the Withdrawn Routes
  Routes mp_withdrawn;               ///< from MP_UNREACH_NLRI
  AnnouncedRoutes announced;         ///< IPv4, from the NLRI field
  AnnouncedRoutes mp_announced;      ///< from MP_REACH_NLRI
  std::optional<Family> end_of_rib;  ///< the whole message says this (RFC 4724 section 2)
  Octets canonical;                  ///< of the announced routes, as attributes.h says; empty without any
  PathFacts facts;                   ///< in them
  Findings findings;
};

/// Message body behind the header, of at most kMaxBodyBytes.
Update decodeUpdate(Octets body, const UpdateContext& context, DecodeSpace& space);

}  // namespace poplink::host::bgp
