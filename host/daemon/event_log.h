// SPDX-License-Identifier: Apache-2.0
// What has happened, for people and programs: the last events.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>

namespace poplink::host {

enum class Severity { info, warning, error };
const char* name(Severity severity);

/// An event before it has a time.
struct News {
  std::string kind;  ///< "lacp.mux", "config.applied"
  Severity severity = Severity::info;
  std::optional<unsigned> port;
  std::optional<unsigned> lag;
  std::string text;
  std::string peer{};  ///< of BGP, by name; empty: of none
};

struct LoggedEvent {
  std::chrono::system_clock::time_point time;
  News news;
};

class EventLog {
 public:
  /// Keeps the last `capacity` events.
  explicit EventLog(std::size_t capacity = 1000) : capacity_(capacity) {}

  void add(LoggedEvent event);
  const std::deque<LoggedEvent>& events() const { return events_; }

 private:
  std::size_t capacity_;
  std::deque<LoggedEvent> events_;
};

}  // namespace poplink::host
