// SPDX-License-Identifier: Apache-2.0
#include "exposition.h"

#include <charconv>

namespace poplink::host::bgp {

namespace {

/// Backslash and line feed, and in values of labels the quotation mark, are escaped.
std::string escaped(std::string_view text, bool quotes) {
  std::string result;
  for (const char c : text) {
    if (c == '\\' || (quotes && c == '"')) result += '\\';
    if (c == '\n')
      result += "\\n";
    else
      result += c;
  }
  return result;
}

std::string shortest(double value) {
  char room[32];
  const auto [end, error] = std::to_chars(room, room + sizeof room, value);
  return {room, end};
}

}  // namespace

void Exposition::family(std::string_view name, MetricType type, std::string_view help) {
  name_ = name;
  text_ += "# HELP " + name_ + " " + escaped(help, false) + "\n# TYPE " + name_ +
           (type == MetricType::counter ? " counter\n" : " gauge\n");
}

void Exposition::sample(const Labels& labels, double value) {
  std::string inside;
  for (const auto& [label, text] : labels)
    inside += (inside.empty() ? "" : ",") + std::string(label) + "=\"" + escaped(text, true) + "\"";
  text_ += name_ + (inside.empty() ? "" : "{" + inside + "}") + " " + shortest(value) + "\n";
}

}  // namespace poplink::host::bgp
