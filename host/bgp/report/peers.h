// SPDX-License-Identifier: Apache-2.0
// What a speaker and its peers do, as JSON. Costs as much as there are peers, however many routes they have.
#pragma once

#include "../speaker/speaker.h"
#include "report_time.h"
#include "values.h"

namespace poplink::host::bgp {

/// The speaker, its tables and a short object for each peer.
Json reportSummary(const Speaker& speaker, const ReportTime& time);
/// All that is known of one peer.
Json reportNeighbor(const Speaker& speaker, const Peering& peering, const ReportTime& time);
/// `neighbors`: that for all.
Json reportNeighbors(const Speaker& speaker, const ReportTime& time);

}  // namespace poplink::host::bgp
