// SPDX-License-Identifier: Apache-2.0
#include "group.h"

#include <algorithm>
#include <cassert>

namespace poplink::host::lacp {

namespace {

/// Settling needs a handful of rounds; more is a bug, and must not hang whoever called.
constexpr int kMaxRounds = 64;

/// Actor and partner by configuration; the machines' bits stay. Has anything that names the link changed?
bool configurePort(PortVariables& variables, const GroupSettings& group, const PortSettings& port) {
  const PortInfo before = variables.actor;
  PortInfo& actor = variables.actor;
  actor.system_priority = group.system_priority;
  actor.system = group.system;
  actor.key = group.key;
  actor.port_priority = port.port_priority;
  actor.port = port.port;
  actor.state.lacp_activity = group.active;
  actor.state.lacp_timeout = group.fast;
  actor.state.aggregation = port.aggregatable;
  variables.partner_admin = group.partner_admin;
  variables.partner_admin.state = {};
  variables.partner_admin.state.lacp_activity = group.partner_admin.state.lacp_activity;
  variables.partner_admin.state.lacp_timeout = group.partner_admin.state.lacp_timeout;
  variables.independent_control = group.independent_control;
  variables.aggregate_wait = group.aggregate_wait;
  if (actor != before) variables.ntt = true;
  return !sameLink(actor, before);
}

}  // namespace

std::optional<TimePoint> Port::deadline() const {
  std::optional<TimePoint> first;
  for (const std::optional<TimePoint>& time :
       {receive.deadline(), periodic.deadline(), mux.deadline(), actor_churn.deadline(), partner_churn.deadline(),
        transmit.deadline(variables), patience})
    if (time && (!first || *time < *first)) first = time;
  return first;
}

AggregationGroup::AggregationGroup(const GroupSettings& settings, std::span<const PortSettings> ports, TimePoint now)
    : AggregationGroup(settings, ports, Snapshot{}, now) {}

AggregationGroup::AggregationGroup(const GroupSettings& settings, std::span<const PortSettings> ports,
                                   const Snapshot& snapshot, TimePoint now)
    : settings_(settings) {
  selection_.resume(snapshot.lag, snapshot.enough);
  for (const PortSettings& port : ports) {
    Port& made = ports_.emplace_back(makePort(port));
    const auto known = std::find_if(snapshot.ports.begin(), snapshot.ports.end(),
                                    [&](const PortSnapshot& s) { return s.id == port.id; });
    if (known != snapshot.ports.end() && sameLink(known->actor, made.variables.actor)) {
      resumePort(made, *known, now);
      told_.push_back(toldOf(made));
      told_.back().mux.reset();
    } else {
      made.receive.begin(made.variables, now);
      made.mux.begin(made.variables, now);
      told_.emplace_back();
    }
  }
  told_operational_ = operational();
}

Actions AggregationGroup::run(TimePoint now) {
  settle(now);
  return finish(now, {});
}

Actions AggregationGroup::linkChanged(PortId id, const Link& link, TimePoint now) {
  const std::size_t i = index(id);
  if (i == ports_.size() || ports_[i].link == link) return run(now);
  Port& port = ports_[i];
  Actions actions;
  const std::string speed = " at " + std::to_string(link.speed_mbit) + " Mbit/s";
  actions.push_back(Event{now, id, EventKind::link,
                          link.up ? "up" + speed + (link.full_duplex ? "" : ", half duplex") : std::string("down")});
  if (port.link.up && link.up) {
    port.variables.port_enabled = false;
    settle(now);
  }
  port.link = link;
  port.variables.port_enabled = link.up;
  port.variables.lacp_enabled = link.full_duplex;
  settle(now);
  if (link.up) port.variables.ntt = true;
  return finish(now, std::move(actions));
}

Actions AggregationGroup::receive(PortId id, std::span<const std::uint8_t> frame, TimePoint now) {
  const std::size_t i = index(id);
  if (i == ports_.size()) return run(now);
  Port& port = ports_[i];
  settle(now);  // time first: what has run out has, whatever comes now
  Actions actions;
  const Decoded decoded = decodeFrame(frame);
  if (const auto* error = std::get_if<DecodeError>(&decoded)) {
    const bool unknown = *error == DecodeError::other_protocol || *error == DecodeError::not_slow;
    ++(unknown ? port.counters.unknown : port.counters.malformed);
  } else if (const auto* marker = std::get_if<MarkerPdu>(&decoded)) {
    ++port.counters.markers_received;
    const std::optional<MarkerPdu> response =
        port.variables.port_enabled ? port.marker.receive(*marker, now) : std::nullopt;
    if (response) {
      ++port.counters.marker_responses_sent;
      actions.push_back(SendPdu{id, *response});
    }
  } else if (port.receive.receive(port.variables, std::get<Lacpdu>(decoded), now)) {
    ++port.counters.lacpdus_received;
    portMoved(port);
    settle(now);
  } else {
    ++port.counters.ignored;
  }
  return finish(now, std::move(actions));
}

Actions AggregationGroup::configure(const GroupSettings& settings, std::span<const PortSettings> ports, TimePoint now) {
  settle(now);
  settings_ = settings;
  Actions actions;
  std::vector<Port> kept;
  std::vector<Told> told;
  for (const PortSettings& wanted : ports) {
    const std::size_t i = index(wanted.id);
    if (i == ports_.size()) {
      Port& made = kept.emplace_back(makePort(wanted));
      made.receive.begin(made.variables, now);
      made.mux.begin(made.variables, now);
      told.emplace_back();
      continue;
    }
    Port& port = kept.emplace_back(ports_[i]);
    told.push_back(told_[i]);
    port.settings = wanted;
    if (configurePort(port.variables, settings, wanted)) port.variables.selected = Selected::UNSELECTED;
  }
  for (const Port& port : ports_)
    if (std::none_of(ports.begin(), ports.end(), [&](const auto& wanted) { return wanted.id == port.settings.id; }))
      actions.push_back(SetMux{port.settings.id, false, false});
  ports_ = std::move(kept);
  told_ = std::move(told);
  settle(now);
  return finish(now, std::move(actions));
}

std::optional<TimePoint> AggregationGroup::deadline() const {
  std::optional<TimePoint> first = selection_.deadline();
  for (const Port& port : ports_) {
    const std::optional<TimePoint> time = port.deadline();
    if (time && (!first || *time < *first)) first = time;
  }
  return first;
}

const Port* AggregationGroup::find(PortId port) const {
  const std::size_t i = index(port);
  return i == ports_.size() ? nullptr : &ports_[i];
}

bool AggregationGroup::operational() const {
  const auto up = std::count_if(ports_.begin(), ports_.end(),
                                [](const Port& port) { return port.variables.actor.state.distributing; });
  return static_cast<std::size_t>(up) >= std::max<std::size_t>(1, settings_.selection.min_links);
}

Snapshot AggregationGroup::snapshot() const {
  Snapshot snapshot{{}, selection_.lag(), selection_.enough()};
  for (const Port& port : ports_)
    snapshot.ports.push_back({port.settings.id, port.link, port.variables.actor, port.variables.partner,
                              port.receive.state(), port.mux.state(), port.variables.selected, port.reason,
                              port.actor_churn.state(), port.partner_churn.state(), port.actor_churn.count(),
                              port.partner_churn.count(), port.counters});
  return snapshot;
}

Port AggregationGroup::makePort(const PortSettings& settings) const {
  Port port;
  port.settings = settings;
  configurePort(port.variables, settings_, settings);
  return port;
}

void AggregationGroup::resumePort(Port& port, const PortSnapshot& snapshot, TimePoint now) {
  PortVariables& variables = port.variables;
  port.link = snapshot.link;
  port.counters = snapshot.counters;
  port.reason = snapshot.reason;
  variables.port_enabled = snapshot.link.up;
  variables.lacp_enabled = snapshot.link.full_duplex;
  variables.actor.state.defaulted = snapshot.actor.state.defaulted;
  variables.actor.state.expired = snapshot.receive == ReceiveState::EXPIRED;
  variables.partner = snapshot.partner;
  variables.selected = snapshot.selected;
  port.receive.resume(snapshot.receive, variables, now);
  port.mux.resume(snapshot.mux, variables, now);
  port.actor_churn.resume(snapshot.actor_churn, snapshot.actor_churn_count);
  port.partner_churn.resume(snapshot.partner_churn, snapshot.partner_churn_count);
  port.periodic.run(variables, now);
  port.transmit.resume(now);
  variables.ntt = true;
}

std::size_t AggregationGroup::index(PortId port) const {
  const auto found =
      std::find_if(ports_.begin(), ports_.end(), [port](const Port& p) { return p.settings.id == port; });
  return static_cast<std::size_t>(found - ports_.begin());
}

/// 6.4.8 port_moved: whoever spoke on a port that is down now speaks on this one.
void AggregationGroup::portMoved(const Port& speaker) {
  const PortInfo& partner = speaker.variables.partner;
  for (Port& port : ports_)
    if (&port != &speaker && port.receive.state() == ReceiveState::PORT_DISABLED &&
        !port.variables.actor.state.defaulted && port.variables.partner.system == partner.system &&
        port.variables.partner.port == partner.port)
      port.variables.port_moved = true;
}

/// Receive, Mux and Periodic of every port as far as they go. Was there a transition?
bool AggregationGroup::runMachines(TimePoint now) {
  bool changed = false;
  for (Port& port : ports_) {
    while (port.receive.run(port.variables, now)) changed = true;
    while (port.mux.run(port.variables, now)) changed = true;
    changed |= port.periodic.run(port.variables, now);
  }
  return changed;
}

/// The Selection Logic. Has it changed a verdict?
bool AggregationGroup::select(TimePoint now) {
  std::vector<Candidate> candidates;
  for (const Port& port : ports_) {
    const bool attached = port.mux.state() != MuxState::DETACHED && port.mux.state() != MuxState::WAITING;
    candidates.push_back(
        {&port.variables, port.receive.state(), port.link.speed_mbit, attached || port.variables.ready_n});
  }
  const std::vector<Verdict> verdicts = selection_.run(settings_.selection, candidates, now);
  bool changed = false;
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    changed |= ports_[i].variables.selected != verdicts[i].selected;
    ports_[i].variables.selected = verdicts[i].selected;
    ports_[i].reason = verdicts[i].reason;
  }
  return changed | updateReady(now);
}

/// Ready (6.4.8): nobody who is selected still waits, or this port has lost patience. Has it changed?
bool AggregationGroup::updateReady(TimePoint now) {
  const auto waits = [](const Port& port) {
    return port.variables.selected == Selected::SELECTED &&
           (port.mux.state() == MuxState::DETACHED || port.mux.state() == MuxState::WAITING);
  };
  const bool all = std::none_of(ports_.begin(), ports_.end(),
                                [&](const Port& port) { return waits(port) && !port.variables.ready_n; });
  bool changed = false;
  for (Port& port : ports_) {
    if (!waits(port) || !port.variables.ready_n) {
      port.patience.reset();
    } else if (!port.patience) {
      port.patience = now + port.variables.aggregate_wait;
    }
    const bool ready = all || (port.patience && now >= *port.patience);
    changed |= port.variables.ready != ready;
    port.variables.ready = ready;
  }
  return changed;
}

void AggregationGroup::settle(TimePoint now) {
  // The machines see a withdrawn Selected before the Selection Logic gives it again, and Ready is never an old one.
  for (Port& port : ports_) port.variables.ready = false;
  int round = 0;
  for (bool changed = true; changed && round < kMaxRounds; ++round) {
    changed = runMachines(now);
    changed |= select(now);
  }
  assert(round < kMaxRounds);
  for (Port& port : ports_) {
    const bool enabled = port.variables.port_enabled;
    port.actor_churn.run(enabled, port.variables.actor.state.synchronization, now);
    port.partner_churn.run(enabled, port.variables.partner.state.synchronization, now);
  }
}

}  // namespace poplink::host::lacp
