// SPDX-License-Identifier: Apache-2.0
// What the operator says without changing the settings.
#include "speaker.h"

namespace poplink::host::bgp {

void Speaker::clear(PeerIndex peer, const std::string& text, TimePoint now) {
  handle(*peerings_[peer], event::Clear{shutdownData(text)}, now);
  writeOut();
}

void Speaker::clearSoftIn(PeerIndex peer, TimePoint now) {
  Peering& peering = *peerings_[peer];
  forTables([&](auto& table, auto&) { table.reimport(peer); });
  for (const auto& [family, state] : peering.families)
    if (state.limit && state.limit->discarded() != 0) handle(peering, event::RefreshWanted{family}, now);
  has_work_ = true;
  writeOut();
}

void Speaker::askAgain(PeerIndex peer, TimePoint now) {
  Peering& peering = *peerings_[peer];
  for (const Family family : peering.negotiated.families) handle(peering, event::RefreshWanted{family}, now);
  writeOut();
}

void Speaker::clearSoftOut(PeerIndex peer) {
  forTables([&](auto&, auto& groups) { groups.refresh(peer, false); });
  has_work_ = true;
}

void Speaker::shutdown(PeerIndex peer, const std::string& text, TimePoint now) {
  Peering& peering = *peerings_[peer];
  peering.shutdown_by_operator = true;
  stopPeer(peering, text, now);
  writeOut();
}

void Speaker::start(PeerIndex peer, TimePoint now) {
  peerings_[peer]->shutdown_by_operator = false;
  handle(*peerings_[peer], event::Start{}, now);
  writeOut();
}

void Speaker::drain(bool on) {
  settings_.drain = on;
  for (const auto& peering : peerings_)
    if (peering) setRules(*peering);
}

void Speaker::bfd(PeerIndex peer, bool up, bool control_plane_independent, TimePoint now) {
  if (up)
    handle(*peerings_[peer], event::BfdUp{}, now);
  else
    handle(*peerings_[peer], event::BfdDown{control_plane_independent}, now);
  writeOut();
}

}  // namespace poplink::host::bgp
