// SPDX-License-Identifier: Apache-2.0
#include "path_expression.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace poplink::host::bgp {

namespace {

constexpr std::string_view kBorder = "(^|$| )";

/// The end of a bracket expression whose first octet is at `at`, or of the text if it has none.
std::size_t endOfBrackets(std::string_view text, std::size_t at) {
  ++at;
  if (at < text.size() && text[at] == '^') ++at;
  if (at < text.size() && text[at] == ']') ++at;  // stands for itself there
  while (at < text.size() && text[at] != ']') {
    if (text.substr(at, 2) == "[:") {
      const std::size_t end = text.find(":]", at + 2);
      at = end == std::string_view::npos ? at + 1 : end + 2;
    } else {
      at += text[at] == '\\' ? 2 : 1;
    }
  }
  return std::min(at + 1, text.size());
}

/// The expression with each `_` written out; nothing when there is one in brackets, where it has no meaning.
std::optional<std::string> withBorders(std::string_view expression) {
  std::string all;
  for (std::size_t at = 0; at < expression.size();) {
    if (expression[at] == '_') {
      all += kBorder;
      ++at;
      continue;
    }
    std::size_t end = at + 1;
    if (expression[at] == '[') {
      end = endOfBrackets(expression, at);
      if (expression.substr(at, end - at).find('_') != std::string_view::npos) return std::nullopt;
    } else if (expression[at] == '\\') {
      end = std::min(at + 2, expression.size());
    }
    all += expression.substr(at, end - at);
    at = end;
  }
  return all;
}

re2::RE2::Options options() {
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_posix_syntax(true);
  options.set_one_line(true);  // ^ and $ are the ends of the path
  options.set_never_capture(true);
  options.set_encoding(re2::RE2::Options::EncodingLatin1);  // the text is ASCII: smaller automata
  return options;
}

}  // namespace

PathText::PathText(Octets path) {
  const std::size_t most = kBytesPerAsn * (path.size() / static_cast<std::size_t>(AsnBytes::four));
  char* text = room_.data();
  if (most > room_.size()) {
    longer_.resize(most);
    text = longer_.data();
  }
  char* end = text;
  forEachAsn(path, AsnBytes::four, [&](Asn asn) {
    if (end != text) *end++ = ' ';
    end = std::to_chars(end, text + most, asn).ptr;
  });
  size_ = static_cast<std::size_t>(end - text);
}

PathExpression::PathExpression(std::string_view expression) {
  const auto written_out = withBorders(expression);
  if (!written_out) {
    problem_ = "_ has no meaning in brackets";
    return;
  }
  compiled_ = std::make_unique<re2::RE2>(*written_out, options());
  if (compiled_->ok()) return;
  problem_ = compiled_->error();
  compiled_.reset();
}

PathExpression::~PathExpression() = default;
PathExpression::PathExpression(PathExpression&&) noexcept = default;
PathExpression& PathExpression::operator=(PathExpression&&) noexcept = default;

bool PathExpression::matches(const PathText& path) const {
  return compiled_ != nullptr && re2::RE2::PartialMatch(path.text(), *compiled_);
}

}  // namespace poplink::host::bgp
