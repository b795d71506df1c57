// SPDX-License-Identifier: Apache-2.0
// The Mux machine (IEEE 802.1AX-2014 6.4.15): attaches a port to the aggregator, and turns collecting and distributing
// on and off. Actor.Collecting and Actor.Distributing are what the port then does.
//
// With independent control a port distributes only while its partner says that it collects. With coupled control both
// begin at once, and the partner may lose the first frames.
#pragma once

#include <optional>

#include "port_variables.h"

namespace poplink::host::lacp {

enum class MuxState : std::uint8_t {
  DETACHED,
  WAITING,
  ATTACHED,
  COLLECTING,
  DISTRIBUTING,
  COLLECTING_DISTRIBUTING,
};
const char* name(MuxState state);

class MuxMachine {
 public:
  /// BEGIN: DETACHED.
  void begin(PortVariables& port, TimePoint now) { enter(MuxState::DETACHED, port, now); }
  /// Continues from `state` without a word; WAITING waits anew.
  void resume(MuxState state, PortVariables& port, TimePoint now);
  /// Takes one transition that variables and time allow. Was there one? Between two of WAITING and ATTACHED the
  /// Selection Logic has its say, by `ready`.
  bool run(PortVariables& port, TimePoint now);

  MuxState state() const { return state_; }
  /// When wait_while_timer (6.4.10) runs out.
  std::optional<TimePoint> deadline() const { return wait_while_; }
  friend bool operator==(const MuxMachine&, const MuxMachine&) = default;

 private:
  std::optional<MuxState> next(const PortVariables& port) const;
  void enter(MuxState state, PortVariables& port, TimePoint now);

  MuxState state_ = MuxState::DETACHED;
  std::optional<TimePoint> wait_while_;
};

}  // namespace poplink::host::lacp
