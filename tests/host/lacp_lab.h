// SPDX-License-Identifier: Apache-2.0
// LACP systems on virtual cables, in virtual time: frames are delayed and lost as the cable says, and what must hold
// at every moment is checked at every moment. The same seed gives the same run.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <queue>
#include <random>

#include "group.h"

namespace poplink::host::lacp {

using namespace std::chrono_literals;

struct CableSettings {
  Duration delay_min = 1ms, delay_max = 1ms;
  double loss[2] = {0, 0};  ///< of frames that the first end sends, and the second
};

class Lab {
 public:
  static constexpr TimePoint kStart{1000s};

  explicit Lab(std::uint64_t seed = 1) : random_(seed) {}

  /// A system whose ports 1..n have the ids 0..n-1. Returns its number.
  std::size_t add(const GroupSettings& settings, std::uint16_t ports, std::uint16_t port_priority = 32768) {
    std::vector<PortSettings> list;
    for (std::uint16_t i = 0; i < ports; ++i)
      list.push_back({PortId{i}, static_cast<std::uint16_t>(i + 1), port_priority, true});
    return add(settings, list);
  }
  std::size_t add(const GroupSettings& settings, const std::vector<PortSettings>& ports) {
    nodes_.push_back({AggregationGroup(settings, ports, now_), ports, settings, {}, {}, {}});
    obey(nodes_.size() - 1, group(nodes_.size() - 1).run(now_));
    return nodes_.size() - 1;
  }

  std::size_t cable(std::size_t a, std::uint16_t a_port, std::size_t b, std::uint16_t b_port,
                    const CableSettings& settings = {}) {
    cables_.push_back({{{a, PortId{a_port}}, {b, PortId{b_port}}}, settings});
    return cables_.size() - 1;
  }
  CableSettings& cable(std::size_t number) { return cables_[number].settings; }
  void setLink(std::size_t number, bool up, std::uint32_t speed_mbit = 10000, bool full_duplex = true) {
    for (const auto& [node, port] : cables_[number].ends)
      obey(node, group(node).linkChanged(port, {up, speed_mbit, full_duplex}, now_));
  }

  /// The program of a system ends; `away` later it starts again from what it saved. Its card goes on as it was.
  void restart(std::size_t node, Duration away) {
    const Snapshot saved = group(node).snapshot();
    nodes_[node].gone = true;
    runFor(away);
    nodes_[node].gone = false;
    nodes_[node].group = AggregationGroup(nodes_[node].settings, nodes_[node].ports, saved, now_);
    obey(node, group(node).run(now_));
  }
  void configure(std::size_t node, const GroupSettings& settings) {
    nodes_[node].settings = settings;
    obey(node, group(node).configure(settings, nodes_[node].ports, now_));
  }

  AggregationGroup& group(std::size_t node) { return nodes_[node].group; }
  const Port& port(std::size_t node, std::uint16_t port) { return *group(node).find(PortId{port}); }
  SetMux card(std::size_t node, std::uint16_t port) { return nodes_[node].card[PortId{port}]; }
  const std::vector<Event>& events(std::size_t node) { return nodes_[node].events; }
  std::size_t sent() const { return sent_; }
  TimePoint now() const { return now_; }
  bool distributes(std::size_t node, std::uint16_t port) { return card(node, port).distributing; }

  void runFor(Duration time) {
    runUntil([] { return false; }, time);
  }
  /// Until `done`, asked after each step. How long that took; none: not within `limit`.
  std::optional<Duration> runUntil(const std::function<bool()>& done, Duration limit) {
    const TimePoint begin = now_, end = now_ + limit;
    while (!done()) {
      const std::optional<TimePoint> next = nextTime();
      if (!next || *next > end) {
        now_ = end;
        return done() ? std::optional(limit) : std::nullopt;
      }
      now_ = *next;
      step();
    }
    return now_ - begin;
  }
  /// An action list of `node` is done, as its shell would.
  void obey(std::size_t node, const Actions& actions) {
    for (const Action& action : actions) {
      if (const auto* event = std::get_if<Event>(&action)) nodes_[node].events.push_back(*event);
      if (const auto* mux = std::get_if<SetMux>(&action)) nodes_[node].card[mux->port] = *mux;
      if (const auto* send = std::get_if<SendPdu>(&action)) transmit(node, *send);
    }
    check(node);
  }
  /// Garbage, or somebody's frame, arrives at a port.
  void inject(std::size_t node, std::uint16_t port, std::span<const std::uint8_t> frame) {
    obey(node, group(node).receive(PortId{port}, frame, now_));
  }

 private:
  struct Node {
    AggregationGroup group;
    std::vector<PortSettings> ports;
    GroupSettings settings;
    std::map<PortId, SetMux> card;
    std::map<PortId, std::deque<TimePoint>> sent;
    std::vector<Event> events;
    bool gone = false;
  };
  struct Cable {
    std::pair<std::size_t, PortId> ends[2];
    CableSettings settings;
  };
  struct Flight {
    TimePoint at;
    std::size_t order;
    std::size_t node;
    PortId port;
    std::vector<std::uint8_t> frame;
    bool operator>(const Flight& other) const { return std::tie(at, order) > std::tie(other.at, other.order); }
  };

  std::optional<TimePoint> nextTime() {
    std::optional<TimePoint> next;
    if (!flights_.empty()) next = flights_.top().at;
    for (Node& node : nodes_)
      if (const auto time = node.group.deadline(); time && !node.gone && (!next || *time < *next)) next = time;
    return next;
  }

  void step() {
    while (!flights_.empty() && flights_.top().at <= now_) {
      const Flight flight = flights_.top();
      flights_.pop();
      if (!nodes_[flight.node].gone) obey(flight.node, group(flight.node).receive(flight.port, flight.frame, now_));
    }
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (const auto time = group(i).deadline(); time && *time <= now_ && !nodes_[i].gone) obey(i, group(i).run(now_));
  }

  void transmit(std::size_t node, const SendPdu& send) {
    ++sent_;
    if (std::holds_alternative<Lacpdu>(send.pdu)) {
      auto& times = nodes_[node].sent[send.port];
      times.push_back(now_);
      while (times.front() <= now_ - kFastPeriodicTime) times.pop_front();
      EXPECT_LE(times.size(), kMaxTransmit) << "LACPDUs in a second";
    }
    for (const Cable& cable : cables_)
      for (const std::size_t end : {0u, 1u}) {
        if (cable.ends[end] != std::pair(node, send.port)) continue;
        if (std::uniform_real_distribution<>(0, 1)(random_) < cable.settings.loss[end]) continue;
        const auto span = (cable.settings.delay_max - cable.settings.delay_min).count();
        const Duration delay =
            cable.settings.delay_min + Duration(std::uniform_int_distribution<Duration::rep>(0, span)(random_));
        const auto& [to, port] = cable.ends[1 - end];
        flights_.push({now_ + delay, order_++, to, port, encodeFrame(send.pdu, {2, 0, 0, 0, 0, 1})});
      }
  }

  /// What holds between any two steps.
  void check(std::size_t node) {
    const AggregationGroup& group = nodes_[node].group;
    const auto deadline = group.deadline();
    EXPECT_TRUE(!deadline || *deadline > now_) << "a deadline that has passed";
    std::optional<LagId> lag;
    for (const Port& port : group.ports()) {
      const PortVariables& variables = port.variables;
      const PortState& actor = variables.actor.state;
      const SetMux& card = nodes_[node].card[port.settings.id];
      EXPECT_EQ(card.collecting, actor.collecting) << "the card is told";
      EXPECT_EQ(card.distributing, actor.distributing) << "the card is told";
      if (actor.collecting) EXPECT_TRUE(actor.synchronization) << "collecting before sync";
      if (!actor.distributing) continue;
      EXPECT_TRUE(actor.collecting);
      EXPECT_TRUE(variables.port_enabled && variables.lacp_enabled);
      EXPECT_EQ(variables.selected, Selected::SELECTED);
      EXPECT_EQ(port.receive.state(), ReceiveState::CURRENT) << "distributing to nobody known";
      EXPECT_TRUE(variables.partner.state.synchronization);
      EXPECT_NE(variables.partner.system, variables.actor.system) << "loopback";
      if (port.mux.state() == MuxState::DISTRIBUTING) EXPECT_TRUE(variables.partner.state.collecting);
      const LagId own = lagId(variables.actor, variables.partner);
      EXPECT_TRUE(!lag || own == *lag) << "two LAGs in one aggregator";
      lag = own;
    }
  }

  std::mt19937_64 random_;
  TimePoint now_ = kStart;
  std::vector<Node> nodes_;
  std::vector<Cable> cables_;
  std::priority_queue<Flight, std::vector<Flight>, std::greater<>> flights_;
  std::size_t order_ = 0, sent_ = 0;
};

inline GroupSettings lagSettings(std::uint8_t system) {
  GroupSettings settings;
  settings.system = {2, 0, 0, 0, 0, system};
  settings.key = system;
  return settings;
}

class TwoSystems : public testing::Test {
 protected:
  /// Two systems with `ports` links between them, port i to port i.
  void connect(const GroupSettings& a, const GroupSettings& b, std::uint16_t ports) {
    a_ = lab_.add(a, ports);
    b_ = lab_.add(b, ports);
    for (std::uint16_t i = 0; i < ports; ++i) lab_.setLink(lab_.cable(a_, i, b_, i), true);
  }
  std::string distributing(std::size_t node) {
    std::string ports;
    for (const Port& port : lab_.group(node).ports()) ports += port.variables.actor.state.distributing ? '1' : '0';
    return ports;
  }
  Reason reason(std::size_t node, std::uint16_t port) { return lab_.port(node, port).reason; }
  Selected selected(std::size_t node, std::uint16_t port) { return lab_.port(node, port).variables.selected; }

  Lab lab_;
  std::size_t a_ = 0, b_ = 0;
};

}  // namespace poplink::host::lacp
