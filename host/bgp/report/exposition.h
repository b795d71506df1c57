// SPDX-License-Identifier: Apache-2.0
// Prometheus' text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/. The library that has it
// comes with a web server and an HTTP client; the format is a line for each number.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace poplink::host::bgp {

enum class MetricType { counter, gauge };
using Labels = std::vector<std::pair<std::string_view, std::string>>;

class Exposition {
 public:
  /// The samples that follow are its; one of a name.
  void family(std::string_view name, MetricType type, std::string_view help);
  void sample(const Labels& labels, double value);
  std::string take() { return std::move(text_); }

 private:
  std::string name_, text_;
};

}  // namespace poplink::host::bgp
