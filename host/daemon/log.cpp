// SPDX-License-Identifier: Apache-2.0
#include "log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

namespace poplink::host {

namespace {

spdlog::level::level_enum levelOf(Severity severity) {
  switch (severity) {
    case Severity::info:
      return spdlog::level::info;
    case Severity::warning:
      return spdlog::level::warn;
    case Severity::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

nlohmann::ordered_json fields(const std::string& site, const News& news) {
  nlohmann::ordered_json all = {{"event", news.kind}, {"site", site}};
  if (news.lag) all["lag"] = *news.lag;
  if (news.port) all["port"] = *news.port;
  if (!news.peer.empty()) all["peer"] = news.peer;
  all["text"] = news.text;
  return all;
}

/// JSON's own way of quoting, so that a line stays a line whatever a text holds.
std::string dump(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

/// Whether a value can stand without quotes.
bool isWord(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char one) {
    return std::isalnum(one) != 0 || one == '.' || one == '-' || one == '_' || one == '/' || one == ':';
  });
}

}  // namespace

std::string logLine(LogFormat format, const std::string& site, const News& news) {
  const nlohmann::ordered_json all = fields(site, news);
  if (format == LogFormat::json) {
    const std::string object = dump(all);
    return object.substr(1, object.size() - 2);
  }
  std::string line;
  for (const auto& [key, value] : all.items()) {
    if (!line.empty()) line += ' ';
    const bool word = value.is_string() && key != "text" && isWord(value.get_ref<const std::string&>());
    line += key + "=" + (word ? value.get<std::string>() : dump(value));
  }
  return line;
}

Log::Log(LogFormat format, Severity level, std::string site)
    : format_(format),
      site_(std::move(site)),
      logger_(std::make_shared<spdlog::logger>("poplinkd", std::make_shared<spdlog::sinks::stderr_sink_st>())) {
  logger_->set_pattern(format == LogFormat::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                                 : "time=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v",
                       spdlog::pattern_time_type::utc);
  logger_->set_level(levelOf(level));
  logger_->flush_on(spdlog::level::info);
}

void Log::write(const News& news) {
  logger_->log(levelOf(news.severity), "{}", logLine(format_, site_, news));
}

}  // namespace poplink::host
