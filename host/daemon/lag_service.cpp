// SPDX-License-Identifier: Apache-2.0
#include "lag_service.h"

#include <algorithm>

#include "../plan/lacp_settings.h"

namespace poplink::host {

namespace {

using lacp::PeriodicState;

lacp::PortId idOf(unsigned port) {
  return lacp::PortId{static_cast<std::uint16_t>(port)};
}

unsigned numberOf(lacp::PortId id) {
  return static_cast<unsigned>(id);
}

std::optional<lacp::Duration> interval(const lacp::Port& port) {
  switch (port.periodic.state()) {
    case PeriodicState::FAST_PERIODIC:
      return lacp::kFastPeriodicTime;
    case PeriodicState::SLOW_PERIODIC:
      return lacp::kSlowPeriodicTime;
    default:
      return std::nullopt;
  }
}

lacp::MacAddress addressOf(const LagService::Lag& lag, unsigned port) {
  return portAddress(lag.config.settings.system, PortId{static_cast<std::uint8_t>(port)});
}

/// What of a LAG can be continued.
lacp::Snapshot intactPart(const LagConfig& config, const LagSnapshots& saved, const std::set<unsigned>& intact) {
  const auto found = saved.find(config.link);
  if (found == saved.end()) return {};
  lacp::Snapshot part = found->second;
  std::erase_if(part.ports, [&](const lacp::PortSnapshot& port) { return intact.count(numberOf(port.id)) == 0; });
  return part.ports.empty() ? lacp::Snapshot{} : part;
}

}  // namespace

LagService::LagService(const std::vector<LagConfig>& lags, const LagSnapshots& saved, const std::set<unsigned>& intact,
                       lacp::TimePoint now) {
  for (const LagConfig& config : lags) {
    const lacp::Snapshot snapshot = intactPart(config, saved, intact);
    lags_.emplace(config.link, Lag{config, lacp::AggregationGroup(config.settings, config.ports, snapshot, now)});
    for (const lacp::PortSnapshot& port : snapshot.ports) links_[numberOf(port.id)] = port.link;
  }
  indexPorts();
}

void LagService::indexPorts() {
  link_of_port_.clear();
  for (const auto& [link, lag] : lags_) {
    for (const lacp::PortSettings& port : lag.config.ports) link_of_port_[numberOf(port.id)] = link;
  }
}

LagService::Lag* LagService::lagOf(unsigned port) {
  const auto link = link_of_port_.find(port);
  return link == link_of_port_.end() ? nullptr : &lags_.at(link->second);
}

LagActions LagService::run(lacp::TimePoint now) {
  LagActions all;
  for (auto& [link, lag] : lags_) {
    LagActions some = translate(link, lag.group.run(now));
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  return all;
}

LagActions LagService::linkChanged(unsigned port, const lacp::Link& link, lacp::TimePoint now) {
  links_[port] = link;
  Lag* lag = lagOf(port);
  if (lag == nullptr) return {};
  return translate(lag->config.link, lag->group.linkChanged(idOf(port), link, now));
}

LagActions LagService::receive(unsigned port, std::span<const std::uint8_t> frame, lacp::TimePoint now) {
  Lag* lag = lagOf(port);
  if (lag == nullptr) return {};
  return translate(lag->config.link, lag->group.receive(idOf(port), frame, now));
}

LagActions LagService::configure(const std::vector<LagConfig>& lags, lacp::TimePoint now) {
  LagActions all;
  const auto take = [&](LagActions some) { std::move(some.begin(), some.end(), std::back_inserter(all)); };
  std::map<unsigned, const LagConfig*> wanted;
  for (const LagConfig& config : lags) wanted.emplace(config.link, &config);
  // Who leaves goes first: a port may come back in another LAG.
  for (auto at = lags_.begin(); at != lags_.end();) {
    Lag& lag = at->second;
    const auto found = wanted.find(at->first);
    const auto stays = [&](const lacp::Port& port) {
      return found != wanted.end() &&
             std::any_of(found->second->ports.begin(), found->second->ports.end(),
                         [&](const lacp::PortSettings& other) { return other.id == port.settings.id; });
    };
    for (const lacp::Port& port : lag.group.ports()) {
      if (!stays(port)) sayGoodbye(lag, port, all);
    }
    if (found != wanted.end()) {
      ++at;
      continue;
    }
    take(translate(at->first, lag.group.configure(lag.config.settings, {}, now)));
    at = lags_.erase(at);
  }
  for (const LagConfig& config : lags) {
    auto at = lags_.find(config.link);
    if (at == lags_.end()) {
      at = lags_.emplace(config.link, Lag{config, lacp::AggregationGroup(config.settings, config.ports, now)}).first;
      take(translate(config.link, at->second.group.run(now)));
    } else {
      at->second.config = config;
      take(translate(config.link, at->second.group.configure(config.settings, config.ports, now)));
    }
    for (const lacp::PortSettings& port : config.ports) {
      const auto link = links_.find(numberOf(port.id));
      if (link != links_.end()) take(translate(config.link, at->second.group.linkChanged(port.id, link->second, now)));
    }
  }
  indexPorts();
  return all;
}

/// A last PDU that asks for nothing: who would wait for a timeout, a minute and a half at the slow rate, stops sending
/// at once.
void LagService::sayGoodbye(const Lag& lag, const lacp::Port& port, LagActions& actions) {
  const unsigned number = numberOf(port.settings.id);
  if (repeating_.erase(number) != 0) actions.push_back(StopRepeating{number});
  if (!port.link.up || !interval(port)) return;
  lacp::Lacpdu pdu{.actor = port.variables.actor, .partner = port.variables.partner};
  pdu.actor.state.aggregation = pdu.actor.state.synchronization = false;
  pdu.actor.state.collecting = pdu.actor.state.distributing = false;
  actions.push_back(SendFrame{number, lacp::encodeFrame(pdu, addressOf(lag, number)), std::nullopt});
}

LagActions LagService::translate(unsigned link, lacp::Actions actions) {
  const Lag& lag = lags_.at(link);
  LagActions out;
  for (lacp::Action& action : actions) {
    if (auto* send = std::get_if<lacp::SendPdu>(&action)) {
      const unsigned port = numberOf(send->port);
      const bool repeatable = std::holds_alternative<lacp::Lacpdu>(send->pdu);
      SendFrame frame{port, lacp::encodeFrame(send->pdu, addressOf(lag, port)), std::nullopt};
      if (repeatable) frame.interval = interval(*lag.group.find(send->port));
      if (frame.interval) repeating_.insert(port);
      out.emplace_back(std::move(frame));
    } else if (const auto* mux = std::get_if<lacp::SetMux>(&action)) {
      out.emplace_back(SetMember{numberOf(mux->port), mux->collecting, mux->distributing});
    } else {
      auto& event = std::get<lacp::Event>(action);
      const auto port = event.port ? std::optional(numberOf(*event.port)) : std::nullopt;
      out.emplace_back(LagEvent{link, port, event.kind, std::move(event.text)});
    }
  }
  stopSilent(lag, out);
  return out;
}

/// Where this side is silent now, the card must not speak when this program goes.
void LagService::stopSilent(const Lag& lag, LagActions& actions) {
  for (const lacp::Port& port : lag.group.ports()) {
    const unsigned number = numberOf(port.settings.id);
    if (!interval(port) && repeating_.erase(number) != 0) actions.emplace_back(StopRepeating{number});
  }
}

std::optional<lacp::TimePoint> LagService::deadline() const {
  std::optional<lacp::TimePoint> first;
  for (const auto& [link, lag] : lags_) {
    const auto time = lag.group.deadline();
    if (time && (!first || *time < *first)) first = time;
  }
  return first;
}

LagSnapshots LagService::snapshots() const {
  LagSnapshots all;
  for (const auto& [link, lag] : lags_) all.emplace(link, lag.group.snapshot());
  return all;
}

}  // namespace poplink::host
