// SPDX-License-Identifier: Apache-2.0
#include "card_agent.h"

#include <algorithm>

#include "../plan/lacp_settings.h"
#include "../plan/members.h"
#include "poplink/driver/link_events.h"
#include "poplink/driver/pdu_repeat.h"

namespace poplink::host {

namespace {

using namespace std::chrono_literals;
using driver::HostClass;

/// How long the card goes on without a host, beside the time to the next PDU: long enough for any restart, and short
/// enough that a partner does not believe a dead system for long.
constexpr std::chrono::seconds kHostAway(60);

/// At ports whose links fall while one looks; the next step goes on.
constexpr int kMaxLooks = 4;

/// The card speaks only when the host is late, and in time for a partner that has lost one PDU before.
driver::Repetition repetition(lacp::Duration interval) {
  const auto every = std::chrono::duration_cast<std::chrono::microseconds>(interval);
  return {every + every / 4, every, kHostAway + every};
}

const char* kindName(lacp::EventKind kind) {
  switch (kind) {
    case lacp::EventKind::link:
      return "lacp.link";
    case lacp::EventKind::partner:
      return "lacp.partner";
    case lacp::EventKind::receive:
      return "lacp.receive";
    case lacp::EventKind::selection:
      return "lacp.selection";
    case lacp::EventKind::mux:
      return "lacp.mux";
    case lacp::EventKind::churn:
      return "lacp.churn";
    case lacp::EventKind::group:
      return "lacp.lag";
  }
  return "lacp";
}

}  // namespace

CardAgent::CardAgent(driver::Card& card, Region region, const Node& node, const LagSnapshots& saved, AgentHooks hooks,
                     lacp::TimePoint now)
    : card_(card), region_(std::move(region)), node_(node), hooks_(std::move(hooks)), image_(readTables(card)) {
  const std::set<unsigned> going_on = intact(saved);
  service_.emplace(configs(region_), saved, going_on, now);
  const Changes first = difference(region_);
  program(first);
  tx_ = std::make_unique<driver::TxRing>(card_.transport(), HostClass::slow_protocols);
  for (const HostClass one : {HostClass::slow_protocols, HostClass::routing, HostClass::bfd})
    rx_.push_back(std::make_unique<driver::RxRing>(card_.transport(), one));
  holdMembers();
  for (unsigned port = 0; port < card_.ports() && card_.repeatsPdus(); ++port) {
    // What the card says for a port that begins anew is not true any more.
    if (going_on.count(port) == 0 || !service_->hasPort(port)) driver::stopRepeating(card_.transport(), port);
  }
  execute(service_->run(now));
  step(now);
  tellApplied(first);
}

std::vector<LagConfig> CardAgent::configs(const Region& region) const {
  const Site* site = region.site(node_.site);
  if (site == nullptr) return {};  // desiredTables() says so
  const MacAddress system = systemAddress(region, node_, card_.serial());
  std::vector<LagConfig> configs;
  for (const Lag& lag : lagsOf(region, *site)) {
    LagConfig config{lag.link.value, groupSettings(lag, *site, system), portSettings(lag, *site), {}};
    for (const Service& service : region.services) {
      for (const Attachment* side : {&service.pop, &service.dc}) {
        if (side->site == site->name && side->link() == lag.link) config.services.push_back(service.name);
      }
    }
    configs.push_back(std::move(config));
  }
  return configs;
}

/// Ports that may go on as saved: the card still does with them what LACP had decided, and nobody has pulled a cable.
std::set<unsigned> CardAgent::intact(const LagSnapshots& saved) const {
  const Site* site = region_.site(node_.site);
  if (site == nullptr) return {};
  const MemberStates programmed = memberStates(image_, lagsOf(region_, *site));
  std::set<unsigned> ports;
  for (const auto& [link, snapshot] : saved) {
    for (const lacp::PortSnapshot& port : snapshot.ports) {
      const auto known = programmed.find(PortId{static_cast<std::uint8_t>(port.id)});
      const lacp::PortState& actor = port.actor.state;
      if (known == programmed.end() || known->second != MemberState{actor.collecting, actor.distributing}) continue;
      const driver::PortState state = card_.port(known->first.value);
      if (state.up && state.enabled && !state.held) ports.insert(known->first.value);
    }
  }
  return ports;
}

MemberStates CardAgent::members() const {
  MemberStates states;
  for (const auto& [link, lag] : service_->lags()) {
    for (const lacp::Port& port : lag.group.ports()) {
      const lacp::PortState& actor = port.variables.actor.state;
      states[PortId{static_cast<std::uint8_t>(port.settings.id)}] = {actor.collecting, actor.distributing};
    }
  }
  return states;
}

Changes CardAgent::difference(const Region& region) const {
  const Desired wanted = desiredTables(region, node_, card_.ports(), image_, members());
  Changes changes{node_.site, false, plan(image_, wanted.tables)};
  if (card_.hash() != wanted.hash) changes.hash = wanted.hash;
  return changes;
}

void CardAgent::program(const Changes& changes) {
  try {
    carryOut(changes, card_);
  } catch (const driver::DriverError&) {
    image_ = readTables(card_);  // as far as it went
    throw;
  }
  for (const Step& step : changes.steps) {
    if (step.kind == Step::Kind::remove)
      image_[step.table].erase(step.index);
    else
      image_[step.table][step.index] = step.entry;
  }
}

Changes CardAgent::apply(Region region, lacp::TimePoint now) {
  difference(region);  // refuses what this card cannot be, before anything has changed
  const std::vector<LagConfig> lags = configs(region);
  // LACP first: a port that leaves its LAG is out of service as a member before it is in service as a port of its own.
  execute(service_->configure(lags, now));
  Changes changes = difference(region);
  program(changes);
  region_ = std::move(region);
  holdMembers();
  look_at_ports_ = changed_ = true;
  step(now);
  tellApplied(changes);
  return changes;
}

/// Members carry customers' frames again only when LACP says so, however short their link was away.
void CardAgent::holdMembers() {
  for (unsigned port = 0; port < card_.ports(); ++port) {
    const bool member = service_->hasPort(port);
    if (held_[port] == member) continue;
    card_.holdPort(port, member);
    held_[port] = member;
  }
}

std::vector<driver::RxRing*> CardAgent::rings() {
  std::vector<driver::RxRing*> rings;
  for (const auto& ring : rx_) rings.push_back(ring.get());
  return rings;
}

void CardAgent::check() {
  for (const auto& ring : rx_) ring->check();
  tx_->check();
  // What has expired while this program was held up is not refreshed but armed anew.
  std::erase_if(repeated_, [&](const auto& one) { return !driver::repetition(card_.transport(), one.first).armed; });
}

void CardAgent::step(lacp::TimePoint now) {
  takeFrames(now);
  for (int look = 0; look < kMaxLooks && std::exchange(look_at_ports_, false); ++look) lookAtPorts(now);
  execute(service_->run(now));
  tx_->reap();
  for (const auto& ring : rx_) ring->arm();
}

/// All of LACP, which the card's policers keep short; of the others so much that LACP's turn comes soon again. An armed
/// ring with something left fires at once.
void CardAgent::takeFrames(lacp::TimePoint now) {
  const auto lacp = [&](const driver::HostFrame& frame) {
    if (frame.port < driver::kFromHost) execute(service_->receive(frame.port, frame.bytes, now));
    if (hooks_.frame) hooks_.frame(frame);
  };
  while (rx_.front()->poll(lacp) != 0) {
  }
  const auto other = [&](const driver::HostFrame& frame) {
    if (hooks_.frame) hooks_.frame(frame);
  };
  for (std::size_t i = 1; i < rx_.size(); ++i) rx_[i]->poll(other);
}

void CardAgent::lookAtPorts(lacp::TimePoint now) {
  driver::takeLinkEvents(card_.transport());  // before looking: what changes meanwhile fires again
  std::bitset<16> fallen;
  for (unsigned port = 0; port < card_.ports(); ++port) {
    // A fall since this look began, on a port that is released by now, has left no other trace than its event.
    if (lookAtPort(port, now)) fallen |= driver::takeLinkEvents(card_.transport());
  }
  if (fallen.none()) return;
  for (unsigned port = 0; port < card_.ports(); ++port) {
    if (fallen.test(port)) execute(service_->linkChanged(port, {}, now));
  }
  look_at_ports_ = true;
}

/// Was it released?
bool CardAgent::lookAtPort(unsigned port, lacp::TimePoint now) {
  const driver::PortState state = card_.port(port);
  const bool up = state.up && state.enabled;
  if (!up || state.held) repeated_.erase(port);  // the card has forgotten it
  // Up again, but it was away: LACP begins anew.
  if (up && state.held) execute(service_->linkChanged(port, {}, now));
  execute(service_->linkChanged(port, {up, up ? state.speed_mbit : 0, true}, now));
  if (up && state.held) card_.releasePort(port);
  return up && state.held;
}

void CardAgent::execute(const LagActions& actions) {
  for (const LagAction& action : actions) {
    if (const auto* frame = std::get_if<SendFrame>(&action))
      send(*frame);
    else if (const auto* member = std::get_if<SetMember>(&action))
      setMember(*member);
    else if (const auto* event = std::get_if<LagEvent>(&action))
      tell(*event);
    else if (const unsigned port = std::get<StopRepeating>(action).port; repeated_.erase(port) != 0)
      driver::stopRepeating(card_.transport(), port);
  }
  tx_->flush();
}

void CardAgent::send(const SendFrame& frame) {
  if (!tx_->toPort(frame.port, frame.bytes)) {
    tx_->flush();
    tx_->reap();
    if (!tx_->toPort(frame.port, frame.bytes)) tellUnsent(frame.port);
  }
  if (frame.interval && card_.repeatsPdus()) repeat(frame);
}

/// The card does not take what it was given; it repeats what was said before.
void CardAgent::tellUnsent(unsigned port) {
  if (std::exchange(unsent_told_, true) || !hooks_.tell) return;
  hooks_.tell({"lacp.unsent", Severity::error, port, {}, "the card takes no more frames from this host"});
}

void CardAgent::repeat(const SendFrame& frame) {
  const auto known = repeated_.find(frame.port);
  if (known != repeated_.end() && known->second.bytes == frame.bytes && known->second.interval == frame.interval)
    return driver::refreshRepetition(card_.transport(), frame.port);
  driver::repeatFrame(card_.transport(), frame.port, frame.bytes, repetition(*frame.interval));
  repeated_[frame.port] = frame;
}

void CardAgent::setMember(const SetMember& member) {
  const PortId port{static_cast<std::uint8_t>(member.port)};
  program({node_.site, false, memberSteps(image_, port, {member.collecting, member.distributing})});
}

void CardAgent::tell(const LagEvent& event) {
  changed_ = true;
  if (!hooks_.tell) return;
  const bool down = event.text == "down";
  const Severity severity = event.kind == lacp::EventKind::group && down   ? Severity::error
                            : event.kind == lacp::EventKind::churn || down ? Severity::warning
                                                                           : Severity::info;
  hooks_.tell({kindName(event.kind), severity, event.port, event.link, event.text});
}

void CardAgent::tellApplied(const Changes& changes) {
  if (!hooks_.tell) return;
  const std::size_t number = changes.steps.size();
  hooks_.tell({"config.applied",
               Severity::info,
               {},
               {},
               region_.file + ": " + std::to_string(number) + (number == 1 ? " entry" : " entries") + " changed" +
                   (changes.hash ? ", and the hash" : "")});
}

std::uint32_t CardAgent::repeated(unsigned port) {
  return card_.repeatsPdus() ? driver::repetition(card_.transport(), port).sent : 0;
}

}  // namespace poplink::host
