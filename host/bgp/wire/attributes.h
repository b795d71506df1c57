// SPDX-License-Identifier: Apache-2.0
// Path attributes of a route as one canonical octet string, and what the decision process reads in it.
//
// Canonical: sorted by type, each once; AS numbers in four octets (AS4_PATH and AS4_AGGREGATOR merged in), AS_PATH as
// as_path.h says; without NEXT_HOP, MP_REACH_NLRI and MP_UNREACH_NLRI, which belong to an UPDATE; the Partial bit set
// on what is not known here (RFC 4271 section 5), the Extended Length bit only where it has to be. So the same
// attributes are the same octets, whoever sent them, and a set of them can be kept once, by its octets.
#pragma once

#include <optional>
#include <vector>

#include "as_path.h"
#include "attribute_types.h"

namespace poplink::host::bgp {

/// An attribute of a list that is known to be whole.
struct Attribute {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  Octets value;
};

/// Octets of type, flags and length in front of a value.
constexpr std::size_t attributeHeaderBytes(std::size_t value_bytes) {
  return value_bytes > 255 ? 4 : 3;
}

/// Calls visit(attribute) with each attribute of a whole list, in its order.
template <class Visit>
void forEachAttribute(Octets list, Visit&& visit) {
  while (!list.empty()) {
    const bool extended = (list[0] & kExtendedLength) != 0;
    const std::size_t head = extended ? 4 : 3, size = extended ? read16(list, 2) : list[2];
    visit(Attribute{list[1], list[0], list.subspan(head, size)});
    list = list.subspan(head + size);
  }
}

/// What canonical octets say. The spans lie in them.
struct PathFacts {
  Origin origin = Origin::incomplete;
  bool atomic_aggregate = false;
  std::size_t path_length = 0;  ///< as pathLength() counts
  Asn first_as = 0;             ///< leftmost: the neighbor AS, whose MEDs compare; 0: the path is empty
  Asn origin_as = 0;            ///< rightmost; 0: the path is empty
  std::optional<std::uint32_t> med;
  std::optional<std::uint32_t> local_pref;
  std::optional<RouterId> originator_id;
  std::optional<Asn> only_to_customer;  ///< RFC 9234
  Octets as_path;                       ///< four-octet AS numbers
  Octets cluster_list;                  ///< of 4 octets each
  Octets communities;                   ///< of 4 octets each (RFC 1997)
  Octets extended_communities;          ///< of 8 octets each (RFC 4360)
  Octets large_communities;             ///< of 12 octets each (RFC 8092)
};
PathFacts readFacts(Octets canonical);

/// Whether a list has these octets, in units of theirs: communities of 4, 8 or 12, clusters of 4.
bool containsUnit(Octets list, Octets unit);

/// An attribute of a change; no value takes the attribute away.
struct AttributeChange {
  AttributeType type{};
  std::optional<std::vector<std::uint8_t>> value{};
};
/// Canonical octets with other attributes, e.g. MED or LOCAL_PREF; values as in canonical octets, flags as the standard
/// has them, and Partial where the attribute had it: nobody takes that away (RFC 4271 section 5). Of changes to the
/// same type the last counts. A type that is not known here can be taken away only.
std::vector<std::uint8_t> withChanges(Octets canonical, std::span<const AttributeChange> changes);

/// Canonical octets with `asn` in front of the path `times` times (RFC 4271 section 5.1.2). Nothing is prepended when
/// the path would be longer than any message.
std::vector<std::uint8_t> withPrepended(Octets canonical, Asn asn, std::size_t times);

/// The attributes as they are sent, without next hop: canonical octets for a speaker of four-octet AS numbers; for an
/// old one AS_PATH and AGGREGATOR in two octets with AS_TRANS for what does not fit, then also AS4_PATH and
/// AS4_AGGREGATOR (RFC 6793 section 4.2.2).
std::vector<std::uint8_t> wireAttributes(Octets canonical, bool four_octet_asn);

}  // namespace poplink::host::bgp
