// SPDX-License-Identifier: Apache-2.0
#include "read_key.h"

#include <array>
#include <fstream>

#include "../speaker/peer_rules.h"

namespace poplink::host::bgp {

namespace {

/// So much that a longer key can be told from the longest one, its line ending included.
constexpr std::size_t kEnough = kLongestMd5Key + 2;

}  // namespace

std::optional<std::string> optionalKey(YamlMap& map, const std::string& key, const std::filesystem::path& folder,
                                       Problems& problems) {
  static constexpr std::string_view kFile = "file:";
  const auto refuse = [&](const std::string& why) {
    problems.add(map.placeOf(key), why);
    return std::nullopt;
  };
  if (map.isWord(key, "none")) return std::string();
  const auto text = map.optionalText(key);
  if (!text) return std::nullopt;
  // Not quoted: it may be the key.
  if (!text->starts_with(kFile) || text->size() == kFile.size())
    return refuse("must be file:PATH: a key does not belong into this file");
  const std::filesystem::path path = folder / text->substr(kFile.size());
  std::error_code unknown;
  // Opening a pipe would wait for somebody to write into it.
  if (!std::filesystem::is_regular_file(path, unknown)) return refuse("'" + path.string() + "' is no file");
  std::ifstream in(path, std::ios::binary);
  std::array<char, kEnough> start{};
  if (!in || !(in.read(start.data(), start.size()) || in.eof()))
    return refuse("'" + path.string() + "' cannot be read");
  std::string line(start.data(), static_cast<std::size_t>(in.gcount()));
  line.resize(std::min(line.find('\n'), line.size()));
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) return refuse("the first line of '" + path.string() + "' is empty");
  return line;
}

}  // namespace poplink::host::bgp
