// SPDX-License-Identifier: Apache-2.0
// One aggregator and its ports: the LACP machines of IEEE 802.1AX-2014 6.4 put together. Pure: links, frames and the
// time go in, actions and the next deadline come out. The caller does the actions, in their order, and calls run() at
// the deadline.
//
// Beyond the standard, and allowed by it:
// - A port sends a PDU as soon as its link comes up, not a period later.
// - Ports without a LACP partner are never in service: the machines would attach them as individual links.
// - A port waits for the others' Aggregate_Wait once more at most: one whose partner keeps changing waits for ever.
#pragma once

#include <span>
#include <string>
#include <variant>
#include <vector>

#include "churn_machine.h"
#include "marker_responder.h"
#include "mux_machine.h"
#include "periodic_machine.h"
#include "receive_machine.h"
#include "selection.h"
#include "transmit_machine.h"

namespace poplink::host::lacp {

/// How the caller calls a port; means nothing here.
enum class PortId : std::uint16_t {};

struct GroupSettings {
  std::uint16_t system_priority = 32768;
  MacAddress system{};
  std::uint16_t key = 1;
  bool active = true;  ///< otherwise passive: speaks only to who speaks
  bool fast = true;    ///< wants a PDU every second, otherwise every 30
  bool independent_control = true;
  Duration aggregate_wait = kAggregateWaitTime;
  SelectionSettings selection;
  PortInfo partner_admin;  ///< 6.4.7; of its state only Activity and Timeout count
};

struct PortSettings {
  PortId id{};
  std::uint16_t port = 1;  ///< its number in LACP, 1..65535, differs from all others of the system
  std::uint16_t port_priority = 32768;
  bool aggregatable = true;
};

struct Link {
  bool up = false;
  std::uint32_t speed_mbit = 0;
  bool full_duplex = true;
  friend bool operator==(const Link&, const Link&) = default;
};

// Actions.

struct SendPdu {
  PortId port{};
  Pdu pdu;
};
/// What the port shall do with customers' frames from now on. Comes once for every port at the start, then on changes.
struct SetMux {
  PortId port{};
  bool collecting = false;
  bool distributing = false;
};
enum class EventKind : std::uint8_t { link, partner, receive, selection, mux, churn, group };
/// Something that an operator wants to read.
struct Event {
  TimePoint at;
  std::optional<PortId> port;  ///< none: the whole group
  EventKind kind{};
  std::string text;
};
using Action = std::variant<SendPdu, SetMux, Event>;
using Actions = std::vector<Action>;

struct Counters {
  std::uint64_t lacpdus_received = 0, lacpdus_sent = 0;
  std::uint64_t markers_received = 0, marker_responses_sent = 0;
  std::uint64_t malformed = 0;  ///< LACPDUs and markers that could not be read
  std::uint64_t unknown = 0;    ///< slow protocols that this is not
  std::uint64_t ignored = 0;    ///< could be read, but the port is down or LACP disabled
  friend bool operator==(const Counters&, const Counters&) = default;
};

/// All there is to know of a port.
struct Port {
  PortSettings settings;
  Link link;
  PortVariables variables;
  ReceiveMachine receive;
  PeriodicMachine periodic;
  MuxMachine mux;
  TransmitMachine transmit;
  ChurnMachine actor_churn, partner_churn;
  MarkerResponder marker;
  Counters counters;
  Reason reason{};
  std::optional<TimePoint> last_change;  ///< of its mux state
  std::optional<TimePoint> patience;     ///< when it waits for no other port any more, after its own Aggregate_Wait

  /// Of all its machines.
  std::optional<TimePoint> deadline() const;
};

/// What a restarted program needs to go on without a word to the partner; no times in it, so that it may be kept.
struct PortSnapshot {
  PortId id{};
  Link link;
  PortInfo actor, partner;
  ReceiveState receive{};
  MuxState mux{};
  Selected selected{};
  Reason reason{};
  ChurnState actor_churn{}, partner_churn{};
  std::uint64_t actor_churn_count = 0, partner_churn_count = 0;
  Counters counters;
};
struct Snapshot {
  std::vector<PortSnapshot> ports;
  std::optional<LagId> lag;
  bool enough = false;
};

class AggregationGroup {
 public:
  /// BEGIN for all ports, all links down. run() gives the first actions.
  AggregationGroup(const GroupSettings& settings, std::span<const PortSettings> ports, TimePoint now);
  /// Goes on where `snapshot` was taken. Ports that it does not have, or that had another identity, begin. Partners get
  /// a PDU at once and a whole timeout to speak.
  AggregationGroup(const GroupSettings& settings, std::span<const PortSettings> ports, const Snapshot& snapshot,
                   TimePoint now);

  /// Whatever time has brought. Nothing happens before deadline().
  Actions run(TimePoint now);
  /// A link is as `link` says. Another speed or duplex is another link.
  Actions linkChanged(PortId port, const Link& link, TimePoint now);
  /// A frame of a slow protocol has come on `port`, from its destination address on.
  Actions receive(PortId port, std::span<const std::uint8_t> frame, TimePoint now);
  /// New settings and ports. Same ones again change nothing; what the partner need not know does not disturb a port.
  Actions configure(const GroupSettings& settings, std::span<const PortSettings> ports, TimePoint now);

  /// When run() is to be called at the latest; always after the `now` of the last call.
  std::optional<TimePoint> deadline() const;

  std::span<const Port> ports() const { return ports_; }
  const Port* find(PortId port) const;
  const Selection& selection() const { return selection_; }
  /// Distributes on as many ports as min-links asks for, at least one.
  bool operational() const;
  Snapshot snapshot() const;

 private:
  /// What of a port has been told. A group from a snapshot tells only what changes, and every SetMux.
  struct Told {
    std::optional<std::pair<bool, bool>> mux;
    MuxState mux_state{};
    ReceiveState receive{};
    Selected selected{};
    Reason reason{};
    bool actor_churn = false, partner_churn = false;
    MacAddress partner{};
  };

  Port makePort(const PortSettings& settings) const;
  void resumePort(Port& port, const PortSnapshot& snapshot, TimePoint now);
  std::size_t index(PortId port) const;
  void portMoved(const Port& speaker);
  bool runMachines(TimePoint now);
  bool select(TimePoint now);
  bool updateReady(TimePoint now);
  void settle(TimePoint now);
  Actions finish(TimePoint now, Actions actions);
  static Told toldOf(const Port& port);
  void tell(std::size_t index, TimePoint now, Actions& actions);

  GroupSettings settings_;
  std::vector<Port> ports_;
  std::vector<Told> told_;
  Selection selection_;
  bool told_operational_ = false;
};

}  // namespace poplink::host::lacp
