// SPDX-License-Identifier: Apache-2.0
#include "setting_problem.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace poplink::host::bgp {

namespace {

constexpr std::size_t kLongestName = 64;

}  // namespace

bool isName(const std::string& text) {
  const auto fits = [](unsigned char c) {
    return std::isalnum(c) || std::string_view("-._:").find(static_cast<char>(c)) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= kLongestName && std::ranges::all_of(text, fits);
}

}  // namespace poplink::host::bgp
