// SPDX-License-Identifier: Apache-2.0
#include "yaml_reader.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <sstream>

namespace poplink::host {

namespace {

int lineOf(const YAML::Node& node) {
  return node.Mark().is_null() ? 0 : node.Mark().line + 1;
}

std::string quoted(const YAML::Node& node) {
  if (node.IsScalar()) return "'" + node.Scalar() + "'";
  return node.IsNull() ? "nothing" : node.IsMap() ? "a map" : "a list";
}

}  // namespace

YamlMap::YamlMap(const YAML::Node& node, Place place, Problems& problems)
    : node_(node), place_(std::move(place)), problems_(&problems) {
  if (!node_.IsMap()) {
    problems.add(place_, "must be a map of keys and values, not " + quoted(node_));
    node_ = YAML::Node(YAML::NodeType::Map);
  }
  for (const auto& entry : node_) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "?";
    const Place at{(place_.path.empty() ? "" : place_.path + ".") + key, lineOf(entry.first)};
    if (!known_.emplace(key, false).second) problems.add(at, "is given twice");
  }
}

bool YamlMap::has(const std::string& key) const {
  return known_.count(key) != 0;
}

Place YamlMap::placeOf(const std::string& key) const {
  Place at{(place_.path.empty() ? "" : place_.path + ".") + key, place_.line};
  for (const auto& entry : node_) {
    if (entry.first.IsScalar() && entry.first.Scalar() == key) at.line = lineOf(entry.first);
  }
  return at;
}

Place YamlMap::placeOf(const YamlPath& path) const {
  Place at = place_;
  YAML::Node inside = node_;
  for (const auto& step : path) {
    YAML::Node next(YAML::NodeType::Undefined);
    if (const auto* index = std::get_if<std::size_t>(&step)) {
      at.path += "[" + std::to_string(*index) + "]";
      if (inside.IsSequence() && *index < inside.size()) next.reset(inside[*index]);
      if (next.IsDefined()) at.line = lineOf(next);
    } else {
      const auto& key = std::get<std::string>(step);
      at.path += (at.path.empty() ? "" : ".") + key;
      if (!inside.IsMap()) continue;
      for (const auto& entry : inside) {
        if (!entry.first.IsScalar() || entry.first.Scalar() != key) continue;
        at.line = lineOf(entry.first);
        next.reset(entry.second);
      }
    }
    inside.reset(next);
  }
  return at;
}

std::vector<std::string> YamlMap::keys() const {
  std::vector<std::string> names;
  for (const auto& entry : node_)
    if (entry.first.IsScalar() && has(entry.first.Scalar())) names.push_back(entry.first.Scalar());
  return names;
}

YAML::Node YamlMap::child(const std::string& key) {
  const auto found = known_.find(key);
  if (found == known_.end()) return YAML::Node(YAML::NodeType::Undefined);
  found->second = true;
  return node_[key];
}

YAML::Node YamlMap::required(const std::string& key) {
  const YAML::Node node = child(key);
  if (!node) problems_->add(placeOf(key), "is missing");
  return node;
}

std::optional<YamlText> YamlMap::toText(const YAML::Node& node, const Place& place) {
  if (node.IsScalar() && !node.Scalar().empty()) return YamlText{node.Scalar(), place};
  problems_->add(place, "must be a text, not " + quoted(node));
  return std::nullopt;
}

std::optional<std::string> YamlMap::optionalText(const std::string& key) {
  const YAML::Node node = child(key);
  if (!node) return std::nullopt;
  const auto read = toText(node, placeOf(key));
  return read ? std::optional(read->text) : std::nullopt;
}

std::string YamlMap::text(const std::string& key) {
  if (!has(key)) required(key);
  return optionalText(key).value_or("");
}

std::optional<std::uint64_t> YamlMap::toNumber(const YAML::Node& node, const Place& place, std::uint64_t low,
                                               std::uint64_t high) {
  std::uint64_t value = 0;
  bool good = node.IsScalar();
  if (good) {
    const std::string& text = node.Scalar();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    good = error == std::errc() && end == text.data() + text.size() && value >= low && value <= high;
  }
  if (good) return value;
  problems_->add(
      place, "must be a number from " + std::to_string(low) + " to " + std::to_string(high) + ", not " + quoted(node));
  return std::nullopt;
}

std::optional<std::uint64_t> YamlMap::optionalNumber(const std::string& key, std::uint64_t low, std::uint64_t high) {
  const YAML::Node node = child(key);
  return node ? toNumber(node, placeOf(key), low, high) : std::nullopt;
}

std::uint64_t YamlMap::number(const std::string& key, std::uint64_t low, std::uint64_t high) {
  if (!has(key)) required(key);
  return optionalNumber(key, low, high).value_or(low);
}

std::optional<double> YamlMap::optionalDecimal(const std::string& key, double low, double high) {
  const YAML::Node node = child(key);
  if (!node) return std::nullopt;
  double value = 0;
  if (node.IsScalar()) {
    const std::string& text = node.Scalar();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (error == std::errc() && end == text.data() + text.size() && value >= low && value <= high) return value;
  }
  std::ostringstream range;
  range << "must be a number from " << low << " to " << high << ", not " << quoted(node);
  problems_->add(placeOf(key), range.str());
  return std::nullopt;
}

std::optional<std::uint64_t> YamlMap::optionalSerial(const std::string& key) {
  const YAML::Node node = child(key);
  if (!node) return std::nullopt;
  std::uint64_t value = 0;
  if (node.IsScalar()) {
    const std::string& text = node.Scalar();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (error == std::errc() && end == text.data() + text.size() && value != 0) return value;
  }
  problems_->add(placeOf(key), "must be a serial number of 1 to 16 hexadecimal digits, not " + quoted(node));
  return std::nullopt;
}

std::optional<bool> YamlMap::optionalFlag(const std::string& key) {
  const YAML::Node node = child(key);
  if (!node) return std::nullopt;
  if (node.IsScalar() && (node.Scalar() == "true" || node.Scalar() == "false")) return node.Scalar() == "true";
  problems_->add(placeOf(key), "must be true or false, not " + quoted(node));
  return std::nullopt;
}

std::string YamlMap::word(const std::string& key, const std::vector<std::string>& words) {
  const YAML::Node node = required(key);
  if (!node) return words[0];
  if (node.IsScalar() && std::find(words.begin(), words.end(), node.Scalar()) != words.end()) return node.Scalar();
  std::string list;
  for (const std::string& one : words) list += (list.empty() ? "" : ", ") + one;
  problems_->add(placeOf(key), "must be one of " + list + ", not " + quoted(node));
  return words[0];
}

bool YamlMap::isWord(const std::string& key, const std::string& word) {
  return has(key) && node_[key].IsScalar() && node_[key].Scalar() == word && child(key);
}

bool YamlMap::isList(const std::string& key) const {
  return has(key) && node_[key].IsSequence();
}

bool YamlMap::isMap(const std::string& key) const {
  return has(key) && node_[key].IsMap();
}

std::optional<YamlMap> YamlMap::map(const std::string& key) {
  const YAML::Node node = required(key);
  if (!node) return std::nullopt;
  return YamlMap(node, placeOf(key), *problems_);
}

std::vector<std::pair<YAML::Node, Place>> YamlMap::entries(const std::string& key, const std::string& what) {
  std::vector<std::pair<YAML::Node, Place>> list;
  const YAML::Node node = required(key);
  if (!node) return list;
  if (!node.IsSequence()) {
    problems_->add(placeOf(key), "must be " + what + ", not " + quoted(node));
    return list;
  }
  const std::string path = placeOf(key).path;
  for (std::size_t i = 0; i < node.size(); ++i)
    list.emplace_back(node[i], Place{path + "[" + std::to_string(i) + "]", lineOf(node[i])});
  return list;
}

std::vector<YamlMap> YamlMap::maps(const std::string& key) {
  std::vector<YamlMap> list;
  for (const auto& [node, place] : entries(key, "a list")) list.emplace_back(node, place, *problems_);
  return list;
}

std::vector<std::uint64_t> YamlMap::numbers(const std::string& key, std::uint64_t low, std::uint64_t high) {
  std::vector<std::uint64_t> list;
  for (const auto& [node, place] : entries(key, "a list of numbers")) {
    if (const auto value = toNumber(node, place, low, high)) list.push_back(*value);
  }
  return list;
}

std::vector<YamlText> YamlMap::texts(const std::string& key) {
  std::vector<YamlText> list;
  for (const auto& [node, place] : entries(key, "a list of texts")) {
    if (auto text = toText(node, place)) list.push_back(std::move(*text));
  }
  return list;
}

std::vector<std::variant<YamlText, YamlMap>> YamlMap::textsOrMaps(const std::string& key) {
  std::vector<std::variant<YamlText, YamlMap>> list;
  for (const auto& [node, place] : entries(key, "a list")) {
    if (!node.IsScalar())
      list.emplace_back(YamlMap(node, place, *problems_));
    else if (auto text = toText(node, place))
      list.emplace_back(std::move(*text));
  }
  return list;
}

void YamlMap::notServed(const std::string& key, const std::string& what) {
  if (child(key)) problems_->add(placeOf(key), what + " is not served by this version");
}

void YamlMap::finish() {
  for (const auto& [key, known] : known_) {
    if (!known) problems_->add(placeOf(key), "is not a key that is known here");
  }
}

YamlMap readYamlFile(const std::string& file, Problems& problems) {
  // yaml-cpp opens a directory too, and does not survive reading it.
  if (std::filesystem::is_directory(file)) throw ConfigError(file + ": cannot be read");
  try {
    return YamlMap(YAML::LoadFile(file), Place{}, problems);
  } catch (const YAML::BadFile&) {
    throw ConfigError(file + ": cannot be read");
  } catch (const YAML::ParserException& error) {
    throw ConfigError(file + ":" + std::to_string(error.mark.line + 1) + ": is not YAML: " + error.msg);
  }
}

}  // namespace poplink::host
