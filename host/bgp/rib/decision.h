// SPDX-License-Identifier: Apache-2.0
// Which of several routes to one prefix is taken, and why each other is not (RFC 4271 section 9.1.2.2, RFC 4456 section
// 9). Step by step over all of them: comparing them in pairs would depend on their order, because MEDs compare only
// within one neighbor AS.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attribute_store.h"

namespace poplink::host::bgp {

/// A route that may be taken: its next hop is reachable, its path has no loop.
struct Candidate {
  DecisionFacts facts{};
  bool external = true;          ///< learned from another AS
  std::uint32_t igp_metric = 0;  ///< to its next hop
  RouterId router_id = 0;        ///< of the peer; ORIGINATOR_ID takes its place (RFC 4456)
  Address peer{};
};

/// The step at which a route lost.
enum class LostBy : std::uint8_t {
  nothing,  ///< it is taken
  local_pref,
  path_length,
  origin,
  med,
  external,  ///< routes of other ASes come before those of our own
  igp_metric,
  router_id,
  cluster_list,
  peer_address,
};
const char* words(LostBy step);

struct DecisionSettings {
  bool compare_med = false;         ///< within one neighbor AS
  bool always_compare_med = false;  ///< between neighbor ASes too
  std::size_t multipath = 1;        ///< routes that may be taken together, at least 1
  friend bool operator==(const DecisionSettings&, const DecisionSettings&) = default;
};

struct Decision {
  std::size_t best = 0;        ///< index
  std::vector<LostBy> lost{};  ///< of each candidate
  std::vector<std::size_t>
      taken{};  ///< best first; then others that differ from it in nothing before router_id, by index
};

/// Which of two is taken, where pairs can tell: MEDs of all compare, or none do.
bool beats(const Candidate& one, const Candidate& other, bool compare_med);

/// Whether the steps before the MED's tell nothing of two.
bool equalBeforeMed(const DecisionFacts& one, const DecisionFacts& other);

/// At least one candidate.
Decision decide(std::span<const Candidate> candidates, const DecisionSettings& settings);

}  // namespace poplink::host::bgp
