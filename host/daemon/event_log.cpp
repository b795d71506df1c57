// SPDX-License-Identifier: Apache-2.0
#include "event_log.h"

#include <cstdio>
#include <ctime>
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

std::string rfc3339(std::chrono::system_clock::time_point time) {
  const auto since = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const std::time_t whole = static_cast<std::time_t>(seconds.count());
  std::tm parts{};
  ::gmtime_r(&whole, &parts);
  char date[32], text[48];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text, sizeof text, "%s.%03dZ", date, static_cast<int>((since - seconds).count()));
  return text;
}

}  // namespace poplink::host
