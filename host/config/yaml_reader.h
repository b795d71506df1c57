// SPDX-License-Identifier: Apache-2.0
// Typed reading of YAML that knows where it is: every value that is missing, of the wrong type or out of range, and
// every key that nobody knows, becomes a problem with line and path.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "problems.h"

namespace poplink::host {

/// Keys of maps and places in lists, from the outside to the inside.
using YamlPath = std::vector<std::variant<std::string, std::size_t>>;

/// One text of a list.
struct YamlText {
  std::string text;
  Place place;
};

/// One map of the file. Reading a key marks it as known; finish() reports the keys that were not read.
class YamlMap {
 public:
  YamlMap(const YAML::Node& node, Place place, Problems& problems);

  bool has(const std::string& key) const;
  Place placeOf(const std::string& key) const;
  /// Of something further inside, with the line of the innermost part of `path` that is there.
  Place placeOf(const YamlPath& path) const;
  const Place& place() const { return place_; }
  /// As they stand in the file; for maps whose keys are names.
  std::vector<std::string> keys() const;

  // Values. The first of each pair reports a missing key, the second gives nothing then; both report a wrong value.
  std::string text(const std::string& key);
  std::optional<std::string> optionalText(const std::string& key);
  std::uint64_t number(const std::string& key, std::uint64_t low, std::uint64_t high);
  std::optional<std::uint64_t> optionalNumber(const std::string& key, std::uint64_t low, std::uint64_t high);
  /// Digits, with or without decimals.
  std::optional<double> optionalDecimal(const std::string& key, double low, double high);
  /// A card's serial number: 1 to 16 hexadecimal digits, not 0.
  std::optional<std::uint64_t> optionalSerial(const std::string& key);
  std::optional<bool> optionalFlag(const std::string& key);
  /// One of the words; the first of them after a problem.
  std::string word(const std::string& key, const std::vector<std::string>& words);

  /// Whether the key is there and has this very word for a value; then it counts as read.
  bool isWord(const std::string& key, const std::string& word);
  /// Whether the key is there with a list, or with a map.
  bool isList(const std::string& key) const;
  bool isMap(const std::string& key) const;
  std::optional<YamlMap> map(const std::string& key);
  std::vector<YamlMap> maps(const std::string& key);
  std::vector<std::uint64_t> numbers(const std::string& key, std::uint64_t low, std::uint64_t high);
  /// A list of texts, none of them empty.
  std::vector<YamlText> texts(const std::string& key);
  /// A list of maps, or texts that stand for one.
  std::vector<std::variant<YamlText, YamlMap>> textsOrMaps(const std::string& key);

  /// A key of the product that this version does not serve: a problem that says so when it is there.
  void notServed(const std::string& key, const std::string& what);
  /// Reports keys that nothing has asked for.
  void finish();

 private:
  YAML::Node child(const std::string& key);
  YAML::Node required(const std::string& key);
  /// Of a required list; a problem when it is none, which says of `what`.
  std::vector<std::pair<YAML::Node, Place>> entries(const std::string& key, const std::string& what);
  std::optional<YamlText> toText(const YAML::Node& node, const Place& place);
  std::optional<std::uint64_t> toNumber(const YAML::Node& node, const Place& place, std::uint64_t low,
                                        std::uint64_t high);

  YAML::Node node_;
  Place place_;
  Problems* problems_;
  std::map<std::string, bool> known_;
};

/// The whole file as one map. Throws ConfigError when it cannot be read, is no YAML, or is no map.
YamlMap readYamlFile(const std::string& file, Problems& problems);

}  // namespace poplink::host
