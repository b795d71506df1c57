// SPDX-License-Identifier: Apache-2.0
#include "mrt_dump.h"

#include "../mrt/table_dump.h"

namespace poplink::host::bgp {

namespace {

constexpr std::size_t kSlice = 1024;  // prefixes: about a millisecond

mrt::Timestamp timestamp(const ReportTime& time, TimePoint at) {
  const auto wall = time.wall + std::chrono::duration_cast<std::chrono::system_clock::duration>(at - time.now);
  return static_cast<mrt::Timestamp>(std::chrono::floor<std::chrono::seconds>(wall.time_since_epoch()).count());
}

/// An IPv6 prefix has no field for 0.0.0.0, which is this speaker itself.
template <class Prefix>
NextHop nextHopFor(const NextHop& next_hop) {
  if (std::is_same_v<Prefix, Prefix6> && next_hop.address == Address(Ipv4{})) return {Ipv6{}, std::nullopt};
  return next_hop;
}

}  // namespace

MrtDump::MrtDump(const Speaker& speaker, const ReportTime& time) {
  putHead(speaker, time);
}

void MrtDump::putHead(const Speaker& speaker, const ReportTime& time) {
  const SpeakerSettings& settings = speaker.settings();
  std::vector<mrt::IndexedPeer> rows{{settings.router_id, Ipv4{}, settings.asn}};
  peers_.emplace_back();
  for (const Peering* peering : speaker.peerings()) {
    if (peering->index >= rows.size()) {
      rows.resize(std::size_t{peering->index} + 1);
      peers_.resize(rows.size());
    }
    rows[peering->index] = {peering->negotiated.peer_id, peering->settings.remote.address,
                            peering->settings.session.open.peer_as};
    peers_[peering->index] = peering->settings.name;
  }
  // Peers are numbered in two octets here as there, and the view has no name: nothing can be refused.
  static_cast<void>(mrt::putPeerIndexTable(head_, timestamp(time, time.now), {settings.router_id, "", rows}));
}

bool MrtDump::next(const Speaker& speaker, const ReportTime& time, std::vector<std::uint8_t>& to) {
  if (!head_.empty()) {
    bgp::put(to, head_);
    head_.clear();
  }
  walk_.slice(speaker, kSlice, [&]<class Prefix>(PrefixId id) {
    put<Prefix>(speaker, id, time, to);
    return true;
  });
  return !walk_.done();
}

template <class Prefix>
void MrtDump::put(const Speaker& speaker, PrefixId id, const ReportTime& time, std::vector<std::uint8_t>& to) {
  const RouteTable<Prefix>& table = speaker.table<Prefix>();
  if (table.firstPath(id) == kNoPath) return;
  mrt::RibRecord record(to, timestamp(time, time.now), prefixes_, table.prefix(id));
  for (PathId at = table.firstPath(id); at != kNoPath; at = table.path(at).next) {
    const Path& path = table.path(at);
    const Peering* peering = speaker.peering(path.peer);
    // A number may be another peer's by now.
    const bool known = path.peer < peers_.size() &&
                       (path.peer == kLocalPeer || (peering != nullptr && peering->settings.name == peers_[path.peer]));
    const mrt::RibEntry entry{path.peer, timestamp(time, speaker.since(path)), table.store().canonical(path.received),
                              nextHopFor<Prefix>(table.store().nextHop(path.received))};
    if (!known || record.add(entry))
      ++left_out_;
    else
      ++paths_;
  }
  if (record.end() != 0) ++prefixes_;
}

}  // namespace poplink::host::bgp
