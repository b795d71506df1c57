// SPDX-License-Identifier: Apache-2.0
// The variables by which the machines of one port speak with each other (IEEE 802.1AX-2014 6.4.7, 6.4.8). Each has one
// writer, named here; the group, which owns them, writes what no machine does.
#pragma once

#include "types.h"

namespace poplink::host::lacp {

struct PortVariables {
  /// Actor_*: Expired and Defaulted are the Receive machine's; Synchronization, Collecting and Distributing the Mux
  /// machine's; the rest configuration.
  PortInfo actor;
  PortInfo partner_admin;  ///< Partner_Admin_*: configuration, who is taken to be there while nobody speaks
  PortInfo partner;        ///< Partner_Oper_*: the Receive machine's

  bool port_enabled = false;        ///< the link is up
  bool lacp_enabled = true;         ///< LACP_Enabled: false at half duplex
  bool port_moved = false;          ///< this port's partner speaks on another port now; Receive clears it
  Selected selected{};              ///< the Selection Logic's; Receive withdraws it
  bool ready = false;               ///< the Selection Logic's: nobody of this aggregator waits any more
  bool ready_n = false;             ///< the Mux machine's: has waited long enough
  bool independent_control = true;  ///< collecting and distributing apart; otherwise coupled
  bool ntt = false;                 ///< Need To Transmit: set by all, cleared by Transmit
  Duration aggregate_wait = kAggregateWaitTime;

  friend bool operator==(const PortVariables&, const PortVariables&) = default;
};

}  // namespace poplink::host::lacp
