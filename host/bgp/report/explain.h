// SPDX-License-Identifier: Apache-2.0
// Why one prefix is routed as it is, and told to whom: every path with what import policy and the decision process made
// of it, every peer with what export made of the best one.
#pragma once

#include "../speaker/speaker.h"
#include "report_time.h"
#include "values.h"

namespace poplink::host::bgp {

/// Of the longest prefix with a route that covers `asked`; `prefix` is null when there is none. See docs/api.md,
/// "explanation".
Json explainRoute(const Speaker& speaker, const AnyPrefix& asked, const ReportTime& time);

}  // namespace poplink::host::bgp
