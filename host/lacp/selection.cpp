// SPDX-License-Identifier: Apache-2.0
#include "selection.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace poplink::host::lacp {

namespace {

LagId lagOf(const Candidate& candidate) {
  return lagId(candidate.port->actor, candidate.port->partner);
}

/// The partner speaks: the port may be selected. Otherwise it can only keep what it has.
bool live(const Candidate& candidate) {
  return candidate.receive == ReceiveState::CURRENT;
}

/// What the port alone says against it.
Reason ownReason(const Candidate& candidate) {
  const PortVariables& port = *candidate.port;
  if (live(candidate)) return port.partner.system == port.actor.system ? Reason::loopback : Reason::none;
  if (!port.lacp_enabled && port.port_enabled) return Reason::half_duplex;
  if (!port.port_enabled) return Reason::link_down;
  return candidate.receive == ReceiveState::EXPIRED && !port.actor.state.defaulted ? Reason::partner_silent
                                                                                   : Reason::no_partner;
}

/// What the LAG says against the port.
Reason lagReason(const Candidate& candidate, const std::optional<LagId>& lag) {
  const LagId own = lagOf(candidate);
  if (own == lag) return Reason::none;
  if (lag && own.system == lag->system && own.system_priority == lag->system_priority)
    return own.individual || lag->individual ? Reason::individual : Reason::key_differs;
  return Reason::partner_differs;
}

/// Who is active first.
auto rank(const Candidate& candidate) {
  const PortInfo& actor = candidate.port->actor;
  const PortInfo& partner = candidate.port->partner;
  const bool ours = std::tie(actor.system_priority, actor.system) < std::tie(partner.system_priority, partner.system);
  const PortInfo& ruling = ours ? actor : partner;
  return std::tuple(!live(candidate), !candidate.settled, ruling.port_priority, ruling.port, actor.port);
}

/// A port that the partner hears, too: it would come up.
bool counts(const Candidate& candidate) {
  const PortState& partner = candidate.port->partner.state;
  return live(candidate) && !partner.expired && !partner.defaulted;
}

}  // namespace

std::string_view words(Reason reason) {
  switch (reason) {
    case Reason::none:
      return "";
    case Reason::link_down:
      return "link is down";
    case Reason::half_duplex:
      return "half duplex";
    case Reason::no_partner:
      return "no LACP partner";
    case Reason::partner_silent:
      return "partner is silent";
    case Reason::loopback:
      return "looped back to this system";
    case Reason::partner_differs:
      return "another partner than the other ports";
    case Reason::key_differs:
      return "partner aggregates this port elsewhere (its key differs)";
    case Reason::speed_differs:
      return "another speed than the other ports";
    case Reason::individual:
      return "partner does not aggregate this port";
    case Reason::standby:
      return "standby: enough ports are active";
    case Reason::below_min_links:
      return "fewer ports than min-links";
  }
  return "?";
}

LagId lagId(const PortInfo& actor, const PortInfo& partner) {
  LagId id{partner.system_priority, partner.system, partner.key};
  if (actor.state.aggregation && partner.state.aggregation) return id;
  id.individual = true;
  id.port_priority = partner.port_priority;
  id.port = partner.port;
  id.actor_port = actor.port;
  return id;
}

std::vector<Verdict> Selection::run(const SelectionSettings& settings, std::span<const Candidate> candidates,
                                    TimePoint now) {
  std::vector<Verdict> verdicts;
  for (const Candidate& candidate : candidates) verdicts.push_back({Selected::UNSELECTED, ownReason(candidate)});
  choose(candidates, verdicts);

  // In: those of the LAG that speak, and those that are silent but were in.
  std::vector<std::size_t> in;
  for (std::size_t i = 0; i < candidates.size(); ++i)
    if (verdicts[i].reason == Reason::none) verdicts[i].reason = lagReason(candidates[i], lag_);
  judgeSpeed(settings.speed_mbit, candidates, verdicts);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const bool stays = (verdicts[i].reason == Reason::link_down || verdicts[i].reason == Reason::partner_silent) &&
                       candidates[i].port->selected != Selected::UNSELECTED && lagOf(candidates[i]) == lag_;
    if (verdicts[i].reason == Reason::none || stays) in.push_back(i);
  }
  std::sort(in.begin(), in.end(),
            [&](std::size_t a, std::size_t b) { return rank(candidates[a]) < rank(candidates[b]); });

  const std::size_t active = settings.max_active == 0 ? in.size() : std::min(in.size(), settings.max_active);
  std::size_t links = 0;
  for (std::size_t i = 0; i < active; ++i) links += counts(candidates[in[i]]) ? 1 : 0;
  const bool open = gate(settings, links, now);
  for (std::size_t i = 0; i < in.size(); ++i) {
    Verdict& verdict = verdicts[in[i]];
    verdict.selected = i < active && open ? Selected::SELECTED : Selected::STANDBY;
    if (verdict.reason != Reason::none) continue;
    if (i >= active) verdict.reason = Reason::standby;
    if (i < active && !open) verdict.reason = Reason::below_min_links;
  }
  return verdicts;
}

void Selection::resume(const std::optional<LagId>& lag, bool enough) {
  lag_ = lag;
  enough_ = fell_ = enough;
  hold_.reset();
}

void Selection::choose(std::span<const Candidate> candidates, std::span<const Verdict> verdicts) {
  std::map<LagId, std::size_t> ports;
  for (std::size_t i = 0; i < candidates.size(); ++i)
    if (verdicts[i].reason == Reason::none) ++ports[lagOf(candidates[i])];
  if (ports.empty()) return;  // the silent ones keep theirs
  const bool aggregatable =
      std::any_of(ports.begin(), ports.end(), [](const auto& lag) { return !lag.first.individual; });
  if (lag_ && ports.contains(*lag_) && (!lag_->individual || !aggregatable)) return;

  std::optional<std::pair<bool, std::size_t>> best;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (verdicts[i].reason != Reason::none) continue;
    const LagId lag = lagOf(candidates[i]);
    const std::pair quality(!lag.individual, ports.at(lag));
    if (best && quality <= *best) continue;
    best = quality;
    lag_ = lag;
  }
}

void Selection::judgeSpeed(std::uint32_t speed_mbit, std::span<const Candidate> candidates,
                           std::span<Verdict> verdicts) const {
  // Nothing said: as the selected ports, or else as the first that could be.
  const Candidate* model = nullptr;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (verdicts[i].reason != Reason::none) continue;
    const auto better = [&](const Candidate& a, const Candidate& b) {
      const bool a_in = a.port->selected != Selected::UNSELECTED, b_in = b.port->selected != Selected::UNSELECTED;
      return a_in != b_in ? a_in : rank(a) < rank(b);
    };
    if (!model || better(candidates[i], *model)) model = &candidates[i];
  }
  if (speed_mbit == 0 && model) speed_mbit = model->speed_mbit;
  for (std::size_t i = 0; i < candidates.size(); ++i)
    if (verdicts[i].reason == Reason::none && candidates[i].speed_mbit != speed_mbit)
      verdicts[i].reason = Reason::speed_differs;
}

bool Selection::gate(const SelectionSettings& settings, std::size_t links, TimePoint now) {
  if (settings.min_links <= 1 && settings.min_links_up <= 1) {
    enough_ = true;
    hold_.reset();
    return true;
  }
  if (enough_) {
    enough_ = links >= settings.min_links;
    fell_ = true;
    hold_.reset();
    return enough_;
  }
  if (links < std::max(settings.min_links, settings.min_links_up)) {
    hold_.reset();
    return false;
  }
  if (!hold_) hold_ = fell_ ? now + settings.min_links_hold : now;
  enough_ = now >= *hold_;
  if (enough_) hold_.reset();
  return enough_;
}

}  // namespace poplink::host::lacp
