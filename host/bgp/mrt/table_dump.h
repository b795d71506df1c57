// SPDX-License-Identifier: Apache-2.0
// A table of routes as TABLE_DUMP_V2 (RFC 6396 section 4.3): the peers once, then a record for each prefix, with an
// entry for each peer's route.
//
//   std::vector<std::uint8_t> file;
//   putPeerIndexTable(file, now, {router_id, "", peers});
//   for (...) {
//     RibRecord record(file, now, sequence++, prefix);
//     for (...) if (const auto problem = record.add(entry)) ...  // left out of the dump
//     record.end();
//   }                                                            // `file` may be written out and cleared here
#pragma once

#include <span>

#include "record.h"
#include "types.h"
#include "update.h"

namespace poplink::host::bgp::mrt {

/// A row of PEER_INDEX_TABLE.
struct IndexedPeer {
  RouterId router_id = 0;  ///< 0 while its OPEN was not seen
  Address address{};
  Asn asn = 0;  ///< written in four octets
};

struct PeerIndexTable {
  RouterId collector = 0;
  std::string_view view{};               ///< empty: it has no name; at most 65535 octets
  std::span<const IndexedPeer> peers{};  ///< at most 65535; entries have the index, from 0
};

/// Section 4.3.1. It comes before the records that have its indexes.
[[nodiscard]] std::optional<Problem> putPeerIndexTable(std::vector<std::uint8_t>& to, Timestamp time,
                                                       const PeerIndexTable& table);

/// Attributes of an entry, in octets, with its next hop. As many entries as a record can have then fit its length.
inline constexpr std::size_t kMaxAttributeBytes = 0xfff0;

/// Section 4.3.4.
struct RibEntry {
  std::uint16_t peer = 0;    ///< index
  Timestamp originated = 0;  ///< when the route came
  Octets canonical{};        ///< as attributes.h says
  NextHop next_hop{};
};

/// RIB_IPV4_UNICAST or RIB_IPV6_UNICAST: the routes to one prefix (section 4.3.2). NEXT_HOP has an IPv4 next hop; an
/// IPv6 one is in MP_REACH_NLRI, which has nothing else here (section 4.3.4), also for an IPv4 prefix (RFC 8950).
class RibRecord {
 public:
  /// `sequence` counts the records of a dump from 0. Nothing else may be appended to `to` until end().
  RibRecord(std::vector<std::uint8_t>& to, Timestamp time, std::uint32_t sequence, const Prefix4& prefix);
  RibRecord(std::vector<std::uint8_t>& to, Timestamp time, std::uint32_t sequence, const Prefix6& prefix);
  RibRecord(const RibRecord&) = delete;
  RibRecord& operator=(const RibRecord&) = delete;

  [[nodiscard]] std::optional<Problem> add(const RibEntry& entry);
  /// Makes the record whole; without an entry it is taken back. How many entries it has.
  std::size_t end();

 private:
  template <class Prefix>
  void begin(std::uint32_t sequence, const Prefix& prefix);

  std::vector<std::uint8_t>& to_;
  Afi afi_;
  std::size_t begin_;
  detail::Record record_;
  std::size_t count_at_ = 0;
  std::size_t entries_ = 0;
};

}  // namespace poplink::host::bgp::mrt
