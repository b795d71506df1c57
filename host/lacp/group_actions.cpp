// SPDX-License-Identifier: Apache-2.0
// What a group has to say and to send once its machines are at rest.
#include <utility>

#include "group.h"

namespace poplink::host::lacp {

namespace {

std::string hex(const MacAddress& mac) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t octet : mac) {
    if (!text.empty()) text += ':';
    text += kDigits[octet >> 4];
    text += kDigits[octet & 15];
  }
  return text;
}

std::string describe(const PortInfo& partner) {
  return "system " + hex(partner.system) + " priority " + std::to_string(partner.system_priority) + " key " +
         std::to_string(partner.key) + " port " + std::to_string(partner.port) + " (" + words(partner.state) + ")";
}

std::string describe(Selected selected, Reason reason) {
  std::string text = name(selected);
  if (reason != Reason::none) text.append(": ").append(words(reason));
  return text;
}

}  // namespace

Actions AggregationGroup::finish(TimePoint now, Actions actions) {
  for (std::size_t i = 0; i < ports_.size(); ++i) tell(i, now, actions);
  for (Port& port : ports_) {
    if (const auto pdu = port.transmit.run(port.variables, port.periodic.state(), now)) {
      ++port.counters.lacpdus_sent;
      actions.push_back(SendPdu{port.settings.id, *pdu});
    }
  }
  if (operational() != told_operational_) {
    told_operational_ = operational();
    actions.push_back(Event{now, std::nullopt, EventKind::group, told_operational_ ? "up" : "down"});
  }
  return actions;
}

AggregationGroup::Told AggregationGroup::toldOf(const Port& port) {
  const PortState& actor = port.variables.actor.state;
  return {std::pair(actor.collecting, actor.distributing),
          port.mux.state(),
          port.receive.state(),
          port.variables.selected,
          port.reason,
          port.actor_churn.churn(),
          port.partner_churn.churn(),
          port.variables.partner.system};
}

/// The card first: the partner is told that a port collects when it does.
void AggregationGroup::tell(std::size_t index, TimePoint now, Actions& actions) {
  Port& port = ports_[index];
  const Told before = std::exchange(told_[index], toldOf(port));
  Told& told = told_[index];
  const auto event = [&](EventKind kind, std::string text) {
    actions.push_back(Event{now, port.settings.id, kind, std::move(text)});
  };
  if (told.mux != before.mux) actions.push_back(SetMux{port.settings.id, told.mux->first, told.mux->second});
  // Who is there no more is still the partner: only another one is news.
  if (port.receive.state() != ReceiveState::CURRENT) told.partner = before.partner;
  if (told.partner != before.partner) event(EventKind::partner, describe(port.variables.partner));
  if (told.receive != before.receive) event(EventKind::receive, name(told.receive));
  if (told.selected != before.selected || told.reason != before.reason)
    event(EventKind::selection, describe(told.selected, told.reason));
  if (told.mux_state != before.mux_state) {
    event(EventKind::mux, name(told.mux_state));
    port.last_change = now;
  }
  if (told.actor_churn != before.actor_churn)
    event(EventKind::churn,
          told.actor_churn ? "actor churn: this side does not come into sync" : "actor churn is over");
  if (told.partner_churn != before.partner_churn)
    event(EventKind::churn, told.partner_churn ? "partner churn: it does not come into sync" : "partner churn is over");
}

}  // namespace poplink::host::lacp
