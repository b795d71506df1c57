// SPDX-License-Identifier: Apache-2.0
// The moment of a report by both clocks: the speaker knows its own only, readers want the time of day.
#pragma once

#include <string>

#include "../../report/rfc3339.h"
#include "../fsm/negotiation.h"

namespace poplink::host::bgp {

struct ReportTime {
  TimePoint now;
  std::chrono::system_clock::time_point wall;

  /// RFC 3339.
  std::string text(TimePoint at) const {
    return rfc3339(wall + std::chrono::duration_cast<std::chrono::system_clock::duration>(at - now));
  }
  /// Whole seconds from then to now; 0 for what is to come.
  std::uint64_t secondsSince(TimePoint at) const { return seconds(now - at); }
  /// Whole seconds from now until then; 0 for what has passed.
  std::uint64_t secondsUntil(TimePoint at) const { return seconds(at - now); }

 private:
  static std::uint64_t seconds(Duration time) {
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(time).count();
    return whole < 0 ? 0 : static_cast<std::uint64_t>(whole);
  }
};

}  // namespace poplink::host::bgp
