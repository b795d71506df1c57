// SPDX-License-Identifier: Apache-2.0
#include "table_dump.h"

#include <limits>

#include "attribute_sink.h"

namespace poplink::host::bgp::mrt {

namespace {

constexpr std::uint16_t kPeerIndexTable = 1, kRibIpv4Unicast = 2, kRibIpv6Unicast = 4;  // section 4.3
constexpr std::uint8_t kIpv6Peer = 1, kFourOctetAsn = 2;                                // Peer Type, section 4.3.1
constexpr std::size_t kMax16 = 0xffff;

constexpr std::size_t kEntryHeadBytes = 8, kMaxRibHeadBytes = 4 + 1 + 16 + 2;
static_assert(kMaxRibHeadBytes + kMax16 * (kEntryHeadBytes + kMaxAttributeBytes) <=
              std::numeric_limits<std::uint32_t>::max());

std::uint8_t number(AttributeType type) {
  return static_cast<std::uint8_t>(type);
}

void putPeer(std::vector<std::uint8_t>& to, const IndexedPeer& peer) {
  const Ipv4* four = std::get_if<Ipv4>(&peer.address);
  to.push_back(four == nullptr ? kFourOctetAsn | kIpv6Peer : kFourOctetAsn);
  put32(to, peer.router_id);
  if (four == nullptr)
    put(to, std::get<Ipv6>(peer.address));
  else
    put32(to, *four);
  put32(to, peer.asn);
}

void putAttributes(std::vector<std::uint8_t>& to, const RibEntry& entry) {
  std::array<std::uint8_t, 1 + kMaxNextHopBytes> room;
  RoomSink value(room);
  const bool ipv4 = std::holds_alternative<Ipv4>(entry.next_hop.address);
  if (!ipv4) value.put8(entry.next_hop.link_local ? 32 : 16);
  putNextHop(value, entry.next_hop);
  VectorSink sink(to);
  putWithAttribute(sink, entry.canonical,
                   ipv4 ? Attribute{number(AttributeType::next_hop), kTransitive, value.written()}
                        : Attribute{number(AttributeType::mp_reach_nlri), kOptional, value.written()});
}

}  // namespace

std::optional<Problem> putPeerIndexTable(std::vector<std::uint8_t>& to, Timestamp time, const PeerIndexTable& table) {
  if (table.view.size() > kMax16) return Problem::view_too_long;
  if (table.peers.size() > kMax16) return Problem::too_many_peers;
  detail::Record record(to, time, Type::table_dump_v2, kPeerIndexTable);
  put32(to, table.collector);
  put16(to, static_cast<std::uint16_t>(table.view.size()));
  to.insert(to.end(), table.view.begin(), table.view.end());
  put16(to, static_cast<std::uint16_t>(table.peers.size()));
  for (const IndexedPeer& peer : table.peers) putPeer(to, peer);
  record.end();
  return std::nullopt;
}

RibRecord::RibRecord(std::vector<std::uint8_t>& to, Timestamp time, std::uint32_t sequence, const Prefix4& prefix)
    : to_(to), afi_(Afi::ipv4), begin_(to.size()), record_(to, time, Type::table_dump_v2, kRibIpv4Unicast) {
  begin(sequence, prefix);
}

RibRecord::RibRecord(std::vector<std::uint8_t>& to, Timestamp time, std::uint32_t sequence, const Prefix6& prefix)
    : to_(to), afi_(Afi::ipv6), begin_(to.size()), record_(to, time, Type::table_dump_v2, kRibIpv6Unicast) {
  begin(sequence, prefix);
}

template <class Prefix>
void RibRecord::begin(std::uint32_t sequence, const Prefix& prefix) {
  put32(to_, sequence);
  putPrefix(to_, prefix);
  count_at_ = to_.size();
  put16(to_, 0);
}

std::optional<Problem> RibRecord::add(const RibEntry& entry) {
  if (entries_ == kMax16) return Problem::too_many_entries;
  if (afi_ == Afi::ipv6 && std::holds_alternative<Ipv4>(entry.next_hop.address)) return Problem::next_hop_family;
  const std::size_t before = to_.size();
  put16(to_, entry.peer);
  put32(to_, entry.originated);
  put16(to_, 0);
  const std::size_t attributes_at = to_.size();
  putAttributes(to_, entry);
  const std::size_t size = to_.size() - attributes_at;
  if (size > kMaxAttributeBytes) {
    to_.resize(before);
    return Problem::attributes_too_long;
  }
  write16(to_, attributes_at - 2, static_cast<std::uint16_t>(size));
  ++entries_;
  return std::nullopt;
}

std::size_t RibRecord::end() {
  if (entries_ == 0) {
    to_.resize(begin_);
    return 0;
  }
  write16(to_, count_at_, static_cast<std::uint16_t>(entries_));
  record_.end();
  return entries_;
}

}  // namespace poplink::host::bgp::mrt
