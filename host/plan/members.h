// SPDX-License-Identifier: Apache-2.0
// Ports of LAGs in the card's tables: what they do now, and the steps when LACP wants something else of one.
#pragma once

#include <vector>

#include "tables.h"

namespace poplink::host {

/// What the card lets the ports of `lags` do. Only of those that are members of the same LAG in `current`: a port that
/// was outside it starts out of service. A LAG of one port looks like a port without LACP there, and goes on.
MemberStates memberStates(const TableImage& current, const std::vector<Lag>& lags);

/// The one or two entries that change when a port shall do `state`, as SetMux of lacp::AggregationGroup says. A port
/// collects before it distributes, and stops distributing before it stops collecting. None when it does so already, or
/// when its port or link is not in `current`.
std::vector<Step> memberSteps(const TableImage& current, PortId port, MemberState state);

}  // namespace poplink::host
