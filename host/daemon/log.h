// SPDX-License-Identifier: Apache-2.0
// The daemon's log on standard error: a line per event, as key=value or as JSON, times in UTC.
#pragma once

#include <memory>
#include <string>

#include "event_log.h"

namespace spdlog {
class logger;
}

namespace poplink::host {

enum class LogFormat { text, json };

class Log {
 public:
  /// `site` is in every line. `level`: what is less severe is left out.
  Log(LogFormat format, Severity level, std::string site);
  void write(const News& news);

 private:
  LogFormat format_;
  std::string site_;
  std::shared_ptr<spdlog::logger> logger_;
};

/// A line behind its time and level: `event=lacp.mux site=par-th2 lag=0 port=1 text="ATTACHED"`, or the same as
/// members of a JSON object.
std::string logLine(LogFormat format, const std::string& site, const News& news);

}  // namespace poplink::host
