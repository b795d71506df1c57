// SPDX-License-Identifier: Apache-2.0
// What an operator says of routes: lists to compare with, and terms that take, change or refuse. Values only; the rules
// are in policy_problems.h, and policy.h does it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "../wire/attribute_types.h"
#include "../wire/types.h"

namespace poplink::host::bgp {

/// Prefixes within `prefix` of `from_bits` to `to_bits` bits; the prefix itself only, when both are its length.
struct PrefixRange {
  std::variant<Prefix4, Prefix6> prefix{};
  std::uint8_t from_bits = 0;  ///< prefix.length and more
  std::uint8_t to_bits = 0;    ///< from_bits and more, 32 or 128 at most
  bool deny = false;           ///< what it matches is not in the list; the first range that matches decides
  friend bool operator==(const PrefixRange&, const PrefixRange&) = default;
};
using PrefixListSettings = std::vector<PrefixRange>;

/// RFC 1997.
struct Community {
  std::uint32_t value = 0;
  friend auto operator<=>(const Community&, const Community&) = default;
};
/// RFC 8092.
struct LargeCommunity {
  Asn global = 0;
  std::uint32_t local1 = 0, local2 = 0;
  friend auto operator<=>(const LargeCommunity&, const LargeCommunity&) = default;
};
/// RFC 4360: type, subtype and value as they are sent.
struct ExtendedCommunity {
  std::array<std::uint8_t, 8> octets{};
  friend auto operator<=>(const ExtendedCommunity&, const ExtendedCommunity&) = default;
};
using AnyCommunity = std::variant<Community, LargeCommunity, ExtendedCommunity>;

/// Well-known communities (RFC 1997, 8326).
inline constexpr Community kNoExport{0xFFFF'FF01}, kNoAdvertise{0xFFFF'FF02}, kNoExportSubconfed{0xFFFF'FF03},
    kGracefulShutdown{0xFFFF'0000};

/// All that is there must hold; an empty one takes any route.
struct MatchSettings {
  std::optional<std::string> prefix_list{};  ///< by name
  std::vector<AnyCommunity> all_of{};        ///< communities
  std::vector<AnyCommunity> any_of{};        ///< one of them at least, unless empty
  /// Found in the AS numbers of the path from the neighbor to the origin, with a space between each two, as
  /// "65010 65020": a POSIX extended regular expression in which `_` is the border of a number, (^|$| ), and cannot be
  /// in brackets; e.g. "^65010_", "_65020$", "^$" for an empty path.
  std::optional<std::string> as_path{};
  std::optional<Asn> origin_as{}, neighbor_as{};  ///< the last and the first of the path; not 0
  std::optional<std::uint32_t> path_length_min{}, path_length_max{};
  std::optional<Origin> origin{};
  std::optional<Family> family{};
  friend bool operator==(const MatchSettings&, const MatchSettings&) = default;
};

/// So many of our own AS at most in front of a path: longer ones are refused on the way by some.
inline constexpr unsigned kMostPrepended = 32;

struct SetSettings {
  std::optional<std::uint32_t> local_pref{};
  std::optional<std::uint32_t> med{};
  bool remove_med = false;
  std::uint8_t prepend = 0;             ///< so many more of our own AS, kMostPrepended at most; terms add up, to 255
  std::vector<AnyCommunity> remove{};   ///< before `add`
  bool remove_all_communities = false;  ///< of all three kinds
  std::vector<AnyCommunity> add{};
  std::optional<Origin> origin{};
  friend bool operator==(const SetSettings&, const SetSettings&) = default;
};

enum class TermEnd : std::uint8_t { accept, reject, next };

struct TermSettings {
  std::string name{};  ///< for explain; unique in its policy
  MatchSettings match{};
  SetSettings set{};  ///< nothing, if it rejects
  /// next: what it sets holds, and the next terms go on with that, but for the path: they match the one that came.
  TermEnd then = TermEnd::accept;
  friend bool operator==(const TermSettings&, const TermSettings&) = default;
};

/// The first term that matches and does not say `next` decides; a route that none does decide on is refused.
struct PolicySettings {
  std::vector<TermSettings> terms{};  ///< at most kMaxTerms
  friend bool operator==(const PolicySettings&, const PolicySettings&) = default;
};
inline constexpr std::size_t kMaxTerms = 63;

/// Names that exist without being written down.
inline constexpr const char* kAcceptAll = "accept-all";
inline constexpr const char* kDenyAll = "deny-all";

struct PolicyBook {
  std::map<std::string, PrefixListSettings> prefix_lists{};
  std::map<std::string, PolicySettings> policies{};
  friend bool operator==(const PolicyBook&, const PolicyBook&) = default;
};

}  // namespace poplink::host::bgp
