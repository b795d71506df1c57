// SPDX-License-Identifier: Apache-2.0
// What a group has to say and to send once its machines are at rest.
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

/// The card first: the partner is told that a port collects when it does.
void AggregationGroup::tell(std::size_t index, TimePoint now, Actions& actions) {
  Port& port = ports_[index];
  Told& told = told_[index];
  const PortState& actor = port.variables.actor.state;
  const auto event = [&](EventKind kind, std::string text) {
    actions.push_back(Event{now, port.settings.id, kind, std::move(text)});
  };
  const std::pair mux(actor.collecting, actor.distributing);
  if (told.mux != mux) actions.push_back(SetMux{port.settings.id, actor.collecting, actor.distributing});
  told.mux = mux;
  const PortInfo& partner = port.variables.partner;
  if (port.receive.state() == ReceiveState::CURRENT && told.partner != partner.system) {
    event(EventKind::partner, describe(partner));
    told.partner = partner.system;
  }
  if (told.receive != port.receive.state()) event(EventKind::receive, name(port.receive.state()));
  told.receive = port.receive.state();
  if (told.selected != port.variables.selected || told.reason != port.reason)
    event(EventKind::selection, describe(port.variables.selected, port.reason));
  told.selected = port.variables.selected;
  told.reason = port.reason;
  if (told.mux_state != port.mux.state()) {
    event(EventKind::mux, name(port.mux.state()));
    port.last_change = now;
  }
  told.mux_state = port.mux.state();
  if (told.actor_churn != port.actor_churn.churn())
    event(EventKind::churn,
          told.actor_churn ? "actor in sync again" : "actor churn: this side does not come into sync");
  told.actor_churn = port.actor_churn.churn();
  if (told.partner_churn != port.partner_churn.churn())
    event(EventKind::churn, told.partner_churn ? "partner in sync again" : "partner churn: it does not come into sync");
  told.partner_churn = port.partner_churn.churn();
}

}  // namespace poplink::host::lacp
