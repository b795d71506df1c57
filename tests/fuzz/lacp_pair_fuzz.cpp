// SPDX-License-Identifier: Apache-2.0
// Two groups over three cables, whose links, losses and delays, whose settings and restarts the input chooses, two
// bytes an event. Whatever has happened: left alone with good cables and settings that fit, they come up and come to
// rest.
#include <algorithm>
#include <array>
#include <deque>
#include <set>

#include "group.h"
#include "require.h"

using namespace poplink::host::lacp;
using namespace std::chrono_literals;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::uint16_t kPorts = 3;

struct Actor {
  GroupSettings settings;
  std::vector<PortSettings> ports;
  std::optional<AggregationGroup> group;
};

struct Cable {
  bool up = false;
  std::array<bool, 2> loses{};  ///< what the first actor sends, and the second
  Duration delay = 1ms;
};

class Pair {
 public:
  Pair() {
    for (const std::size_t side : {0U, 1U}) {
      Actor& actor = actors_[side];
      actor.settings.system = {2, 0, 0, 0, 0, static_cast<std::uint8_t>(side + 1)};
      for (std::uint16_t i = 0; i < kPorts; ++i) actor.ports.push_back({PortId{i}, static_cast<std::uint16_t>(i + 1)});
      actor.group.emplace(actor.settings, actor.ports, now_);
      obey(side, actor.group->run(now_));
    }
  }

  void event(std::uint8_t what, std::uint8_t detail) {
    Cable& cable = cables_[(what >> 4) % kPorts];
    const std::size_t side = what >> 7;
    switch (what & 7) {
      case 0:
        cable.up = (detail & 1) != 0;
        for (const std::size_t one : {0U, 1U}) link(one, (what >> 4) % kPorts);
        break;
      case 1:
        cable.loses[side] = (detail & 1) != 0;
        break;
      case 2:
        cable.delay = 1ms + detail * 10ms;
        break;
      case 3:
        configure(side, detail);
        break;
      case 4:
        restart(side, detail);
        break;
      case 5:
        advance((detail & 63) * 1s);
        break;
      default:
        advance(detail * 25ms);
        break;
    }
  }

  void peace() {
    for (std::uint16_t i = 0; i < kPorts; ++i) {
      cables_[i] = {true, {}, 1ms};
      for (const std::size_t side : {0U, 1U}) link(side, i);
    }
    for (const std::size_t side : {0U, 1U}) {
      actors_[side].settings.selection.min_links = actors_[side].settings.selection.min_links_up = 1;
      actors_[side].settings.selection.max_active = 0;
      if (side == 0) actors_[side].settings.active = true;
      obey(side, actors_[side].group->configure(actors_[side].settings, actors_[side].ports, now_));
    }
    advance(130s);
    for (Actor& actor : actors_) {
      for (const Port& port : actor.group->ports()) require(port.variables.actor.state.distributing);
      require(actor.group->operational());
    }
    const std::size_t changes = changes_;
    advance(100s);
    require(changes_ == changes);  // no oscillation without input
  }

 private:
  struct Flight {
    TimePoint at;
    std::size_t order, side;
    std::uint16_t port;
    std::vector<std::uint8_t> frame;
    bool operator<(const Flight& other) const { return std::tie(at, order) < std::tie(other.at, other.order); }
  };

  void link(std::size_t side, std::uint16_t port) {
    obey(side, actors_[side].group->linkChanged(PortId{port}, {cables_[port].up, 10000, true}, now_));
  }

  void configure(std::size_t side, std::uint8_t detail) {
    GroupSettings& settings = actors_[side].settings;
    settings.independent_control = (detail & 1) == 0;
    settings.fast = (detail & 2) == 0;
    settings.active = (detail & 4) == 0;
    settings.selection.max_active = detail >> 3 & 3;
    settings.selection.min_links = detail >> 5 & 3;
    settings.selection.min_links_hold = (detail >> 7) * 5s;
    obey(side, actors_[side].group->configure(settings, actors_[side].ports, now_));
  }

  void restart(std::size_t side, std::uint8_t detail) {
    Actor& actor = actors_[side];
    const Snapshot saved = actor.group->snapshot();
    actor.group.reset();
    advance(detail * 20ms);
    actor.group.emplace(actor.settings, actor.ports, saved, now_);
    obey(side, actor.group->run(now_));
    for (std::uint16_t i = 0; i < kPorts; ++i) link(side, i);
  }

  void advance(Duration time) {
    const TimePoint end = now_ + time;
    while (true) {
      std::optional<TimePoint> next;
      if (!flights_.empty()) next = flights_.begin()->at;
      for (const Actor& actor : actors_) {
        const auto due = actor.group ? actor.group->deadline() : std::nullopt;
        if (due && (!next || *due < *next)) next = due;
      }
      if (!next || *next > end) break;
      now_ = std::max(now_, *next);
      while (!flights_.empty() && flights_.begin()->at <= now_) {
        const Flight flight = flights_.extract(flights_.begin()).value();
        if (!cables_[flight.port].up || !actors_[flight.side].group) continue;
        obey(flight.side, actors_[flight.side].group->receive(PortId{flight.port}, flight.frame, now_));
      }
      for (const std::size_t side : {0U, 1U}) {
        if (actors_[side].group) obey(side, actors_[side].group->run(now_));
      }
    }
    now_ = end;
  }

  void obey(std::size_t side, const Actions& actions) {
    for (const Action& action : actions) {
      const auto* send = std::get_if<SendPdu>(&action);
      if (!send) {
        ++changes_;
        continue;
      }
      const auto port = static_cast<std::uint16_t>(send->port);
      const Cable& cable = cables_[port];
      if (cable.up && !cable.loses[side])
        flights_.insert({now_ + cable.delay, order_++, 1 - side, port, encodeFrame(send->pdu, {})});
    }
    for (const Port& port : actors_[side].group->ports()) {
      const PortVariables& variables = port.variables;
      if (!variables.actor.state.distributing) continue;
      require(variables.selected == Selected::SELECTED && variables.actor.state.collecting && variables.port_enabled);
      require(!variables.independent_control || port.mux.state() != MuxState::DISTRIBUTING ||
              variables.partner.state.collecting);
    }
  }

  TimePoint now_{1000s};
  std::array<Actor, 2> actors_;
  std::array<Cable, kPorts> cables_;
  std::set<Flight> flights_;
  std::size_t order_ = 0, changes_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Pair pair;
  for (std::size_t i = 0; i + 1 < std::min<std::size_t>(size, 200); i += 2) pair.event(data[i], data[i + 1]);
  pair.peace();
  return 0;
}
