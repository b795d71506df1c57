// SPDX-License-Identifier: Apache-2.0
// Numbers for Prometheus, in its text format 0.0.4. Costs as much as there are peers: no table is walked.
#pragma once

#include "../net/tcp_counters.h"
#include "../speaker/speaker.h"
#include "report_time.h"

namespace poplink::host::bgp {

/// What the speaker does not know of itself.
struct ProcessMetrics {
  TcpCounters tcp;
  std::chrono::duration<double> loop_lag{};  ///< how late the loop was lately, at worst
};

std::string reportMetrics(const Speaker& speaker, const ProcessMetrics& process, const ReportTime& time);

}  // namespace poplink::host::bgp
