// SPDX-License-Identifier: Apache-2.0
// One route of one peer, and what its peer is to the decision process.
#pragma once

#include <cstdint>

#include "attribute_store.h"

namespace poplink::host::bgp {

/// How an instance numbers its peers; 0 is the instance itself, whose routes are originated here.
using PeerIndex = std::uint16_t;
inline constexpr PeerIndex kLocalPeer = 0;
inline constexpr PeerIndex kNoPeer = 0xFFFF;

/// Why a route is in Adj-RIB-In but no candidate (RFC 4271 section 9.1.2).
enum class Ineligible : std::uint8_t {
  none,
  policy,                ///< refused on import
  own_as,                ///< our AS is in the path: a loop
  own_router_id,         ///< ORIGINATOR_ID is ours (RFC 4456 section 8)
  first_as,              ///< the path does not begin with the peer's AS (RFC 4271 section 6.3)
  own_next_hop,          ///< the next hop is this speaker
  next_hop_unreachable,  ///< on no network of ours, and not taken as reachable
  leak,                  ///< came from where ONLY_TO_CUSTOMER must not come from (RFC 9234 section 5)
};
const char* words(Ineligible reason);

/// A route as it goes into the table: attributes as the peer sent them, and as import policy left them.
struct Imported {
  AttributesId received = kNoAttributes;
  AttributesId used = kNoAttributes;  ///< none when it is no candidate
  Ineligible why = Ineligible::none;
};

using PathId = std::uint32_t;
inline constexpr PathId kNoPath = 0xFFFF'FFFF;

/// Bits of Path::generation, and the highest one.
inline constexpr unsigned kGenerationBits = 13;
inline constexpr std::uint16_t kLastGeneration = (1U << kGenerationBits) - 1;

struct Path {
  PathId next = kNoPath;  ///< of the same prefix
  AttributesId received = kNoAttributes;
  AttributesId used = kNoAttributes;
  std::uint32_t since = 0;  ///< seconds of the caller's clock, when it came to be what it is
  PeerIndex peer = kNoPeer;
  std::uint16_t generation : kGenerationBits = 0;
  Ineligible why : 16 - kGenerationBits = Ineligible::none;
};
static_assert(static_cast<unsigned>(Ineligible::leak) < 1U << (16 - kGenerationBits), "the last reason has to fit");
static_assert(sizeof(Path) == 20, "a million of them are 20 MB");

/// A peer in the decision process.
struct PathSource {
  bool external = true;
  std::uint32_t igp_metric = 0;
  RouterId router_id = 0;
  Address address{};
  friend bool operator==(const PathSource&, const PathSource&) = default;
};

}  // namespace poplink::host::bgp
