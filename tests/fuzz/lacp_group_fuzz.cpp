// SPDX-License-Identifier: Apache-2.0
// A group driven by any sequence of links, PDUs, time, settings and restarts, two bytes an event, against what must
// hold after each.
#include <algorithm>
#include <deque>
#include <map>

#include "group.h"
#include "require.h"

using namespace poplink::host::lacp;
using namespace std::chrono_literals;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::uint16_t kPorts = 3;

class Driver {
 public:
  Driver() {
    for (std::uint16_t i = 0; i < kPorts; ++i) ports_.push_back({PortId{i}, static_cast<std::uint16_t>(i + 1)});
    settings_.system = {2, 0, 0, 0, 0, 1};
    group_.emplace(settings_, ports_, now_);
    obey(group_->run(now_));
  }

  void event(std::uint8_t what, std::uint8_t detail) {
    const PortId port{static_cast<std::uint16_t>(what >> 4 & 3)};  // one of them unknown
    switch (what & 7) {
      case 0:
        obey(group_->linkChanged(port, {(detail & 1) != 0, detail & 2 ? 1000u : 10000u, (detail & 12) != 12}, now_));
        break;
      case 1:
        advance(detail * 20ms);
        break;
      case 2:
        advance(detail * 1s);
        break;
      case 3:
      case 4:
        pdu(port, what, detail);
        break;
      case 5:
        configure(detail);
        break;
      case 6:
        restart(detail);
        break;
      default:
        obey(group_->receive(port, encodeFrame(MarkerPdu{1, (detail & 1) != 0}, {}), now_));
        break;
    }
  }

  /// With nobody left to speak, everything comes to rest: only the own periodic PDUs go on.
  void end() {
    advance(400s);
    for (const Port& port : group_->ports()) {
      require(!port.variables.actor.state.collecting);
      require(port.receive.state() != ReceiveState::CURRENT);
    }
    const std::size_t changes = changes_;
    advance(400s);
    require(changes_ == changes);
  }

 private:
  /// A partner that knows us as well as it can, and `detail` of its bits, or with something else in one field.
  void pdu(PortId id, std::uint8_t what, std::uint8_t detail) {
    const Port* port = group_->find(id);
    if (!port) return;
    Lacpdu pdu;
    pdu.partner = port->variables.actor;
    pdu.actor = {100, {2, 0, 0, 0, 0, 2}, 7, 10, static_cast<std::uint16_t>(id), portState(detail)};
    if ((what & 7) == 4) {
      pdu.actor.state = portState(0x3f);
      const std::uint8_t value = detail >> 3;
      switch (detail & 7) {
        case 0:
          pdu.actor.system[5] = value;
          break;
        case 1:
          pdu.actor.key = value;
          break;
        case 2:
          pdu.actor.port = value;
          break;
        case 3:
          pdu.actor.port_priority = value;
          break;
        case 4:
          pdu.partner.port = value;
          break;
        case 5:
          pdu.partner.state = portState(static_cast<std::uint8_t>(value * 9));
          break;
        case 6:
          pdu.actor.system_priority = static_cast<std::uint16_t>(value << 12);
          break;
        default:
          break;
      }
    }
    obey(group_->receive(id, encodeFrame(pdu, {}), now_));
  }

  void configure(std::uint8_t detail) {
    settings_.independent_control = (detail & 1) == 0;
    settings_.fast = (detail & 2) == 0;
    settings_.active = (detail & 4) == 0;
    settings_.selection.max_active = detail >> 3 & 3;
    settings_.selection.min_links = detail >> 5 & 3;
    settings_.selection.min_links_hold = (detail >> 7) * 5s;
    obey(group_->configure(settings_, ports_, now_));
  }

  void restart(std::uint8_t detail) {
    Snapshot snapshot = group_->snapshot();
    if (detail & 1) snapshot.ports[0].mux = static_cast<MuxState>(detail / 2 % 6);
    if (detail & 1) snapshot.ports[0].receive = static_cast<ReceiveState>(detail / 12 % 6);
    now_ += 1s;
    group_.emplace(settings_, ports_, snapshot, now_);
    obey(group_->run(now_));
  }

  void advance(Duration time) {
    const TimePoint end = now_ + time;
    while (const auto next = group_->deadline()) {
      if (*next > end) break;
      now_ = *next;
      obey(group_->run(now_));
    }
    now_ = end;
    const std::size_t changes = changes_;
    obey(group_->run(now_));
    require(changes_ == changes);  // nothing happens before the deadline
  }

  void obey(const Actions& actions) {
    for (const Action& action : actions) {
      if (const auto* send = std::get_if<SendPdu>(&action); send && std::holds_alternative<Lacpdu>(send->pdu)) {
        auto& times = sent_[send->port];
        times.push_back(now_);
        while (times.front() <= now_ - kFastPeriodicTime) times.pop_front();
        require(times.size() <= kMaxTransmit);
      }
      if (const auto* mux = std::get_if<SetMux>(&action)) card_[mux->port] = *mux;
      if (!std::holds_alternative<SendPdu>(action)) ++changes_;
    }
    const auto deadline = group_->deadline();
    require(!deadline || *deadline > now_);
    for (const Port& port : group_->ports()) {
      const PortState& actor = port.variables.actor.state;
      require(card_[port.settings.id].collecting == actor.collecting);
      require(card_[port.settings.id].distributing == actor.distributing);
      require(!actor.collecting || actor.synchronization);
      require(!actor.distributing ||
              (actor.collecting && port.variables.selected == Selected::SELECTED && port.variables.port_enabled &&
               port.variables.partner.state.synchronization && port.receive.state() == ReceiveState::CURRENT));
      require(port.mux.state() != MuxState::DISTRIBUTING || port.variables.partner.state.collecting);
    }
  }

  TimePoint now_{1000s};
  GroupSettings settings_;
  std::vector<PortSettings> ports_;
  std::optional<AggregationGroup> group_;
  std::map<PortId, SetMux> card_;
  std::map<PortId, std::deque<TimePoint>> sent_;
  std::size_t changes_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Driver driver;
  for (std::size_t i = 0; i + 1 < std::min<std::size_t>(size, 400); i += 2) driver.event(data[i], data[i + 1]);
  driver.end();
  return 0;
}
