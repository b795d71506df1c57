// SPDX-License-Identifier: Apache-2.0
// What is wrong with settings, and where: so that a reader of a file can tell the line, and who has no file the name.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace poplink::host::bgp {

/// Keys as the speaker file calls them, and places in its lists: {"peers", 0, "hold_time"}.
using SettingPath = std::vector<std::variant<std::string, std::size_t>>;

struct SettingProblem {
  SettingPath path;
  std::string text;
  friend bool operator==(const SettingProblem&, const SettingProblem&) = default;
};

/// Gathers what is wrong, below one place of the settings.
class SettingRules {
 public:
  SettingRules(SettingPath base, std::vector<SettingProblem>& found) : base_(std::move(base)), found_(&found) {}

  void add(const SettingPath& below, std::string text) const {
    SettingPath path = base_;
    path.insert(path.end(), below.begin(), below.end());
    found_->push_back({std::move(path), std::move(text)});
  }
  void rule(bool broken, const SettingPath& below, const char* text) const {
    if (broken) add(below, text);
  }
  SettingRules at(const SettingPath& below) const {
    SettingPath path = base_;
    path.insert(path.end(), below.begin(), below.end());
    return {std::move(path), *found_};
  }

 private:
  SettingPath base_;
  std::vector<SettingProblem>* found_;
};

/// What peers, policies, their terms and prefix lists may be called, as they are typed in commands: 1 to 64 letters,
/// digits, and -._: between them.
bool isName(const std::string& text);
inline constexpr const char* kNameRule = "a name has 1 to 64 letters, digits and -._:";

}  // namespace poplink::host::bgp
