// SPDX-License-Identifier: Apache-2.0
#include "graceful_restart.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace poplink::host::bgp {

RouteChanges StaleRoutes::down(const action::SessionDown& down, TimePoint now) {
  RouteChanges changes;
  up_ = false;
  timer_.reset();
  refreshing_.clear();
  std::ranges::set_difference(families_, down.keep, std::inserter(changes.remove, changes.remove.end()));
  std::ranges::set_intersection(restarted_, down.keep, std::inserter(changes.sweep, changes.sweep.end()));
  changes.mark_stale = restarted_ = down.keep;
  families_ = down.keep;
  if (!restarted_.empty()) timer_ = now + down.keep_for;
  return changes;
}

RouteChanges StaleRoutes::established(const Negotiated& negotiated, TimePoint now) {
  RouteChanges changes;
  up_ = true;
  timer_.reset();
  for (const Family family : std::exchange(restarted_, {})) {
    const auto& restart = negotiated.graceful_restart;
    const auto place = restart ? restart->families.find(family) : decltype(restart->families.end()){};
    const bool forwarded = restart && place != restart->families.end() && place->second;
    (forwarded ? restarted_ : changes.sweep).insert(family);
  }
  families_ = negotiated.families;
  if (!restarted_.empty()) timer_ = now + longest_;
  return changes;
}

RouteChanges StaleRoutes::endOfRib(Family family) {
  RouteChanges changes;
  if (!up_ || restarted_.erase(family) == 0) return changes;
  changes.sweep.insert(family);
  if (restarted_.empty()) timer_.reset();
  return changes;
}

RouteChanges StaleRoutes::beginRefresh(Family family, TimePoint now) {
  RouteChanges changes;
  if (!up_ || !families_.contains(family)) return changes;
  refreshing_[family] = now + longest_;
  changes.mark_stale.insert(family);
  return changes;
}

RouteChanges StaleRoutes::endRefresh(Family family) {
  RouteChanges changes;
  if (refreshing_.erase(family) != 0) changes.sweep.insert(family);
  return changes;
}

RouteChanges StaleRoutes::abandon() {
  RouteChanges changes;
  changes.remove = std::exchange(families_, {});
  restarted_.clear();
  timer_.reset();
  refreshing_.clear();
  up_ = false;
  return changes;
}

RouteChanges StaleRoutes::run(TimePoint now) {
  RouteChanges changes;
  if (timer_ && now >= *timer_) {
    timer_.reset();
    changes.sweep = std::exchange(restarted_, {});
    if (!up_) families_.clear();
  }
  std::erase_if(refreshing_, [&](const auto& refresh) {
    if (now < refresh.second) return false;
    changes.sweep.insert(refresh.first);
    return true;
  });
  return changes;
}

std::optional<TimePoint> StaleRoutes::deadline() const {
  std::optional<TimePoint> first = timer_;
  for (const auto& [family, until] : refreshing_)
    if (!first || until < *first) first = until;
  return first;
}

std::set<Family> StaleRoutes::stale() const {
  std::set<Family> families = restarted_;
  for (const auto& [family, until] : refreshing_) families.insert(family);
  return families;
}

SelectionDeferral::SelectionDeferral(const std::set<PeerId>& peers, const std::set<Family>& families, Duration longest,
                                     TimePoint now) {
  if (peers.empty()) return;
  for (const Family family : families) awaited_[family] = peers;
  if (!awaited_.empty()) timer_ = now + longest;
}

std::set<Family> SelectionDeferral::established(PeerId peer, const Negotiated& negotiated) {
  const auto& restart = negotiated.graceful_restart;
  for (auto& [family, peers] : awaited_)
    if (!restart || restart->restarting || !negotiated.families.contains(family)) peers.erase(peer);
  return release();
}

std::set<Family> SelectionDeferral::endOfRib(PeerId peer, Family family) {
  if (const auto place = awaited_.find(family); place != awaited_.end()) place->second.erase(peer);
  return release();
}

std::set<Family> SelectionDeferral::removed(PeerId peer) {
  for (auto& [family, peers] : awaited_) peers.erase(peer);
  return release();
}

std::set<Family> SelectionDeferral::run(TimePoint now) {
  if (!timer_ || now < *timer_) return {};
  for (auto& [family, peers] : awaited_) peers.clear();
  return release();
}

std::set<Family> SelectionDeferral::release() {
  std::set<Family> released;
  for (const auto& [family, peers] : awaited_)
    if (peers.empty()) released.insert(family);
  for (const Family family : released) awaited_.erase(family);
  if (awaited_.empty()) timer_.reset();
  return released;
}

}  // namespace poplink::host::bgp
