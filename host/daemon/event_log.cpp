// SPDX-License-Identifier: Apache-2.0
#include "event_log.h"

#include <utility>

namespace poplink::host {

const char* name(Severity severity) {
  switch (severity) {
    case Severity::info:
      return "info";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "?";
}

void EventLog::add(LoggedEvent event) {
  events_.push_back(std::move(event));
  if (events_.size() > capacity_) events_.pop_front();
}

}  // namespace poplink::host
