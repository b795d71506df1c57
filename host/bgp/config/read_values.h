// SPDX-License-Identifier: Apache-2.0
// Values of the speaker file: addresses, prefixes, families, words, times. What is wrong becomes a problem with its
// place.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "../../config/yaml_reader.h"
#include "../fsm/negotiation.h"

namespace poplink::host::bgp {

/// One host's address, or 0.0.0.0 or ::. Neither an IPv4-mapped one (RFC 4291 section 2.5.5.2), which says in IPv6 what
/// belongs into IPv4, nor a link-local one, which means nothing without an interface.
std::optional<Address> parseAddress(const YamlText& text, Problems& problems);
std::optional<Address> optionalAddress(YamlMap& map, const std::string& key, Problems& problems);

/// Written as an IPv4 address, as everywhere, though it need not be one (RFC 6286).
std::optional<RouterId> parseRouterId(const YamlText& text, Problems& problems);

/// Address and length, no bits behind the length.
std::optional<std::variant<Prefix4, Prefix6>> parsePrefix(const YamlText& text, Problems& problems);

/// `ipv4`, `ipv6` or both: a list without repetitions that names one at least. Nothing without the key.
std::optional<std::set<Family>> optionalFamilies(YamlMap& map, const std::string& key, Problems& problems);

/// Seconds with or without decimals, to the millisecond.
std::optional<Duration> optionalSeconds(YamlMap& map, const std::string& key, double low, double high);

/// What the word stands for; nothing without the key.
template <class Value>
std::optional<Value> optionalChoice(YamlMap& map, const std::string& key,
                                    const std::vector<std::pair<std::string, Value>>& choices) {
  if (!map.has(key)) return std::nullopt;
  std::vector<std::string> words;
  words.reserve(choices.size());
  for (const auto& [word, value] : choices) words.push_back(word);
  const std::string said = map.word(key, words);
  for (const auto& [word, value] : choices)
    if (word == said) return value;
  return std::nullopt;
}

/// Sets what the file gives, and leaves what it does not.
template <class Value, class Given>
void assign(Value& value, const std::optional<Given>& given) {
  if (given) value = static_cast<Value>(*given);
}

}  // namespace poplink::host::bgp
