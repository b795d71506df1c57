// SPDX-License-Identifier: Apache-2.0
// Regular expressions over AS paths. Paths come from peers, so the time that matching takes grows with the path and
// nothing else, and no path makes it recurse: RE2's automata do that.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "../wire/as_path.h"
#include "../wire/message.h"

namespace re2 {
class RE2;
}

namespace poplink::host::bgp {

/// The AS numbers of a path as text, with a space between each two: "65010 65020". A path that came in one message
/// takes nothing from the heap, for that the object is large.
class PathText {
 public:
  /// Of a framed path of four-octet numbers.
  explicit PathText(Octets path);
  std::string_view text() const { return {longer_.empty() ? room_.data() : longer_.data(), size_}; }

 private:
  static constexpr std::size_t kBytesPerAsn = 11;  ///< ten digits and a space
  static constexpr std::size_t kMaxAsns = kMaxMessageBytes / static_cast<std::size_t>(AsnBytes::two);
  std::array<char, kBytesPerAsn * kMaxAsns> room_;
  std::string longer_;
  std::size_t size_ = 0;
};

/// A POSIX extended regular expression in which `_` is the border of a number; see MatchSettings::as_path.
class PathExpression {
 public:
  explicit PathExpression(std::string_view expression);
  ~PathExpression();
  PathExpression(PathExpression&&) noexcept;
  PathExpression& operator=(PathExpression&&) noexcept;

  /// What is wrong with it; empty: nothing.
  const std::string& problem() const { return problem_; }

  /// Whether it is found in the text; never, when it has a problem. Several threads may ask at once. The first paths
  /// that it sees make it allocate, because the states of its automaton are made when they are met; their memory is
  /// bounded.
  bool matches(const PathText& path) const;

 private:
  std::unique_ptr<re2::RE2> compiled_;  ///< nullptr: it has a problem
  std::string problem_;
};

}  // namespace poplink::host::bgp
