// SPDX-License-Identifier: Apache-2.0
// What sessions mean for tables.
#include <algorithm>

#include "speaker.h"

namespace poplink::host::bgp {

namespace {

/// Prefixes that one call of work() looks at: about a millisecond.
constexpr std::size_t kWalkSlice = 4096;
constexpr std::size_t kTellSlice = 4096;

/// Whole messages, by their types.
void count(Octets messages, std::array<std::uint64_t, 6>& counters) {
  for (std::size_t at = 0; at < messages.size(); at += read16(messages, at + kMarkerBytes))
    ++counters[messages[at + kHeaderBytes - 1]];
}

template <class Prefix>
bool isOld(const RouteTable<Prefix>& table, PeerIndex peer, const Prefix& prefix) {
  const PrefixId id = table.find(prefix);
  const PathId path = id == kNoPrefix ? kNoPath : table.pathOf(id, peer);
  return path != kNoPath && table.old(table.path(path));
}

}  // namespace

void Speaker::up(Peering& peering, const action::SessionEstablished& established, TimePoint now) {
  const Line& line = lines_.at(static_cast<std::uint64_t>(established.id));
  const Negotiated& agreed = peering.negotiated = established.negotiated;
  peering.session = established.id;
  peering.local = line.local;
  peering.remote = line.remote;
  peering.context = {!agreed.internal, agreed.four_octet_asn, agreed.families.contains(kIpv4Unicast),
                     agreed.families.contains(kIpv6Unicast), agreed.extended_next_hop};
  const PathSource source{!agreed.internal, 0, agreed.peer_id, peering.settings.remote.address};
  if (std::exchange(sources_[peering.index], source) != source) {
    if (ipv4_.routes(peering.index).paths != 0) ipv4_.reconsider();
    if (ipv6_.routes(peering.index).paths != 0) ipv6_.reconsider();
  }
  setRules(peering);
  change(peering, peering.stale.established(agreed, now));
  if (deferral_) release(deferral_->established(PeerId{peering.index}, agreed), now);
  for (const Family family : agreed.families) {
    if (family != kIpv4Unicast && family != kIpv6Unicast) continue;
    peering.families[family].end_of_rib = false;
    forTable(family, [&](auto&, auto& groups) { groups.join(peering.index, peering.exports, true); });
  }
  has_work_ = true;
}

void Speaker::down(Peering& peering, const action::SessionDown& down, TimePoint now) {
  peering.session.reset();
  groups4_.leave(peering.index);
  groups6_.leave(peering.index);
  change(peering, peering.stale.down(down, now));
}

void Speaker::change(Peering& peering, const RouteChanges& changes) {
  for (const Family family : changes.remove) {
    PeerFamily& state = peering.families[family];
    state.forgotten = routes(peering, family).paths;
    if (state.limit) state.limit->reset();
    forTable(family, [&](auto& table, auto&) {
      table.age(peering.index);
      table.sweep(peering.index);
    });
  }
  for (const Family family : changes.sweep) forTable(family, [&](auto& table, auto&) { table.sweep(peering.index); });
  for (const Family family : changes.mark_stale)
    forTable(family, [&](auto& table, auto&) { table.age(peering.index); });
  has_work_ = true;
}

void Speaker::apply(Peering& peering, const Update& update, TimePoint now) {
  withdraw(peering, update.withdrawn, now);
  withdraw(peering, update.mp_withdrawn, now);
  const bool as_withdraw = update.findings.action() == ErrorAction::treat_as_withdraw;
  for (const AnnouncedRoutes* routes : {&update.announced, &update.mp_announced}) {
    if (routes->prefixes == 0 || !peering.session) continue;  // the first ones may have broken a limit
    if (as_withdraw)
      withdraw(peering, *routes, now);
    else if (routes->family == kIpv4Unicast)
      announce<Prefix4>(peering, *routes, update.canonical, now);
    else
      announce<Prefix6>(peering, *routes, update.canonical, now);
  }
  if (update.end_of_rib) endOfRib(peering, *update.end_of_rib, now);
  has_work_ = true;
}

template <class Prefix>
void Speaker::announce(Peering& peering, const AnnouncedRoutes& routes, Octets canonical, TimePoint now) {
  RouteTable<Prefix>& table = own<Prefix>();
  PeerFamily& state = peering.families[kFamilyOf<Prefix>];
  const AttributesId received = store_.intern(routes.next_hop, canonical);
  const std::uint32_t at = seconds(now);
  LimitEvent event = LimitEvent::none;
  importer_.begin(peering.import, received);
  forEachPrefix<Prefix>(routes.nlri, [&](const Prefix& prefix) { table.prefetch(prefix); });
  forEachPrefix<Prefix>(routes.nlri, [&](const Prefix& prefix) {
    const auto place = table.locate(peering.index, prefix);
    const bool forgotten = state.forgotten != 0 && place.path != kNoPath && table.old(table.path(place.path));
    if (state.limit) {
      const PrefixLimit::Verdict verdict = state.limit->announce(place.path == kNoPath || forgotten);
      event = std::max(event, verdict.event);
      if (!verdict.take) return table.leave(place);
    }
    if (forgotten) --state.forgotten;
    table.put(place, peering.index, importer_.import(prefix), at);
  });
  importer_.end();
  store_.release(received);
  limitEvent(peering, kFamilyOf<Prefix>, event, now);
}

template <class Prefix>
void Speaker::withdraw(Peering& peering, const Routes& routes, TimePoint now) {
  RouteTable<Prefix>& table = own<Prefix>();
  PeerFamily& state = peering.families[kFamilyOf<Prefix>];
  LimitEvent event = LimitEvent::none;
  forEachPrefix<Prefix>(routes.nlri, [&](const Prefix& prefix) { table.prefetch(prefix); });
  forEachPrefix<Prefix>(routes.nlri, [&](const Prefix& prefix) {
    const bool forgotten = state.forgotten != 0 && isOld(table, peering.index, prefix);
    if (!table.withdraw(peering.index, prefix)) return;
    if (forgotten)
      --state.forgotten;
    else if (state.limit)
      event = std::max(event, state.limit->withdraw());
  });
  limitEvent(peering, kFamilyOf<Prefix>, event, now);
}

void Speaker::withdraw(Peering& peering, const Routes& routes, TimePoint now) {
  if (routes.prefixes == 0) return;
  if (routes.family == kIpv4Unicast)
    withdraw<Prefix4>(peering, routes, now);
  else
    withdraw<Prefix6>(peering, routes, now);
}

void Speaker::limitEvent(Peering& peering, Family family, LimitEvent event, TimePoint now) {
  if (event == LimitEvent::none) return;
  const LimitSettings& settings = peering.families[family].limit->settings();
  const std::string count = std::to_string(routes(peering, family).paths) + " of " + std::to_string(settings.limit) +
                            " prefixes, " + toString(family);
  const auto tell = [&](NewsLevel level, std::string text) {
    tellSome(peering, {"bgp.limit", level, peering.settings.name, std::move(text)}, now);
  };
  if (event == LimitEvent::near) tell(NewsLevel::warning, count);
  if (event == LimitEvent::room) {
    tell(NewsLevel::info, count + ": there is room again");
    handle(peering, event::RefreshWanted{family}, now);
  }
  if (event != LimitEvent::exceeded) return;
  static constexpr const char* kDone[] = {"taken all the same", "no more are taken", "the session ends"};
  tell(NewsLevel::error, "more than " + std::to_string(settings.limit) + " prefixes, " + toString(family) + ": " +
                             kDone[static_cast<std::size_t>(settings.action)]);
  if (settings.action == LimitAction::shut)
    handle(peering, event::PrefixLimitReached{family, settings.limit, settings.restart}, now);
}

void Speaker::endOfRib(Peering& peering, Family family, TimePoint now) {
  peering.families[family].end_of_rib = true;
  change(peering, peering.stale.endOfRib(family));
  if (deferral_) release(deferral_->endOfRib(PeerId{peering.index}, family), now);
}

/// BoRR. Before End-of-RIB it is ignored (RFC 7313 section 4), or what is old from before a restart could not be told
/// from what is old from before the refresh.
void Speaker::beginRefresh(Peering& peering, Family family, TimePoint now) {
  if (peering.negotiated.graceful_restart && !peering.families[family].end_of_rib)
    tellSome(peering,
             {"bgp.stale", NewsLevel::warning, peering.settings.name,
              toString(family) + ": a refresh begins before End-of-RIB, its marks are ignored"},
             now);
  else
    change(peering, peering.stale.beginRefresh(family, now));
}

void Speaker::runStale(Peering& peering, TimePoint now) {
  const RouteChanges changes = peering.stale.run(now);
  for (const Family family : changes.sweep)
    tellSome(peering,
             {"bgp.stale", NewsLevel::warning, peering.settings.name,
              toString(family) + ": the time of stale routes is over, those that are left go"},
             now);
  change(peering, changes);
}

/// Families in which routes may be told from now on.
void Speaker::release(const std::set<Family>& families, TimePoint now) {
  for (const Family family : families) forTable(family, [](auto&, auto& groups) { groups.setHeld(false); });
  if (!families.empty()) has_work_ = true;
  if (deferral_->restarting()) return;
  deferral_.reset();
  tell_({"bgp.restart", NewsLevel::info, "", "peers have told their routes: ours go out"});
  for (const auto& peering : peerings_)
    if (peering) act(*peering, peering->machine.configure(sessionSettings(peering->settings), now), now);
}

/// A route that was old has left the table.
void Speaker::forget(Family family, PeerIndex peer) {
  PeerFamily& state = peerings_[peer]->families[family];
  if (state.forgotten != 0)
    --state.forgotten;
  else if (state.limit && state.limit->withdraw() == LimitEvent::room)
    room_.emplace_back(peer, family);
}

bool Speaker::work(TimePoint now) {
  const std::uint32_t at = seconds(now);
  bool more = ipv4_.walk(kWalkSlice, *this, at);
  more |= ipv6_.walk(kWalkSlice, *this, at);
  for (const auto& [peer, family] : std::exchange(room_, {}))
    limitEvent(*peerings_[peer], family, LimitEvent::room, now);
  more |= groups4_.work(kTellSlice);
  more |= groups6_.work(kTellSlice);
  for (auto& peering : peerings_)
    if (peering && !peering->configured && ipv4_.swept(peering->index) && ipv6_.swept(peering->index)) peering.reset();
  has_work_ = more;
  writeOut();
  return more;
}

std::size_t Speaker::backlog(PeerIndex peer) const {
  const Peering& peering = *peerings_[peer];
  return peering.session ? lines_.at(static_cast<std::uint64_t>(*peering.session)).outbox.octets() : 0;
}

void Speaker::send(PeerIndex peer, const Piece& messages) {
  Peering& peering = *peerings_[peer];
  if (!peering.session) return;
  count(*messages, peering.counters.sent);
  Line& line = lines_.at(static_cast<std::uint64_t>(*peering.session));
  line.outbox.push(messages);
  if (!std::exchange(line.dirty, true)) dirty_.push_back(*peering.session);
}

void Speaker::tooLong(PeerIndex peer) {
  ++peerings_[peer]->counters.too_long;
}

Imported Speaker::import(PeerIndex peer, const Prefix4& prefix, AttributesId received) {
  importer_.begin(peerings_[peer]->import, received);
  const Imported imported = importer_.import(prefix);
  importer_.end();
  return imported;
}

Imported Speaker::import(PeerIndex peer, const Prefix6& prefix, AttributesId received) {
  importer_.begin(peerings_[peer]->import, received);
  const Imported imported = importer_.import(prefix);
  importer_.end();
  return imported;
}

}  // namespace poplink::host::bgp
