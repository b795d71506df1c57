// SPDX-License-Identifier: Apache-2.0
// What is wrong with a configuration: each problem with its place and the rule it breaks. All are collected, so one run
// shows them all.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace poplink::host {

/// Where in a file something was said.
struct Place {
  std::string path;  ///< field path, e.g. services[0].pop.port
  int line = 0;      ///< 1-based; 0 when the file as a whole is meant
};

struct Problem {
  Place place;
  std::string text;
};

/// A configuration was refused; what() has one line per problem, `file:line: path: text`.
struct ConfigError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Problems {
 public:
  explicit Problems(std::string file) : file_(std::move(file)) {}

  void add(const Place& place, const std::string& text) { problems_.push_back({place, text}); }
  const std::vector<Problem>& all() const { return problems_; }
  /// Throws ConfigError when there is any.
  void stop() const {
    if (!problems_.empty()) throw error();
  }
  /// All of them.
  ConfigError error() const {
    std::string text;
    for (const Problem& problem : problems_) {
      text += (text.empty() ? "" : "\n") + file_;
      if (problem.place.line > 0) text += ":" + std::to_string(problem.place.line);
      text += ": " + (problem.place.path.empty() ? "" : problem.place.path + ": ") + problem.text;
    }
    return ConfigError(text);
  }

 private:
  std::string file_;
  std::vector<Problem> problems_;
};

}  // namespace poplink::host
