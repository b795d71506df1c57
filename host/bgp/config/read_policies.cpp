// SPDX-License-Identifier: Apache-2.0
#include "read_policies.h"

#include <algorithm>
#include <limits>

#include "../policy/community.h"
#include "read_values.h"

namespace poplink::host::bgp {

namespace {

constexpr std::uint64_t kHighest = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kLongestPath = 1024;  // more AS numbers than a message has room for

class PolicyReader {
 public:
  explicit PolicyReader(Problems& problems) : problems_(problems) {}

  PrefixListSettings readList(YamlMap& lists, const std::string& name) {
    PrefixListSettings list;
    for (auto& entry : lists.textsOrMaps(name)) {
      if (auto* text = std::get_if<YamlText>(&entry))
        list.push_back(whole(parsePrefix(*text, problems_)));
      else
        list.push_back(readRange(std::get<YamlMap>(entry)));
    }
    return list;
  }

  PolicySettings readPolicy(YamlMap& policies, const std::string& name) {
    PolicySettings policy;
    for (YamlMap& term : policies.maps(name)) policy.terms.push_back(readTerm(term));
    return policy;
  }

 private:
  using Prefix = std::variant<Prefix4, Prefix6>;

  static PrefixRange whole(const std::optional<Prefix>& prefix) {
    PrefixRange range{prefix.value_or(Prefix{}), 0, 0, false};
    range.from_bits = range.to_bits = std::visit([](const auto& p) { return p.length; }, range.prefix);
    return range;
  }

  /// `from` alone reaches to the longest prefixes, `to` alone begins at the prefix itself.
  PrefixRange readRange(YamlMap& map) {
    const YamlText text{map.text("prefix"), map.placeOf("prefix")};
    PrefixRange range = whole(text.text.empty() ? std::nullopt : parsePrefix(text, problems_));
    const std::uint8_t longest = std::holds_alternative<Prefix4>(range.prefix) ? 32 : 128;
    const auto from = map.optionalNumber("from", 0, longest), to = map.optionalNumber("to", 0, longest);
    if (from && !to) range.to_bits = longest;
    assign(range.from_bits, from);
    assign(range.to_bits, to);
    assign(range.deny, map.optionalFlag("deny"));
    map.finish();
    return range;
  }

  TermSettings readTerm(YamlMap& map) {
    TermSettings term;
    term.name = map.text("name");
    if (map.has("match")) readMatch(*map.map("match"), term.match);
    if (map.has("set")) readSet(*map.map("set"), term.set);
    assign(term.then,
           optionalChoice<TermEnd>(
               map, "then", {{"accept", TermEnd::accept}, {"reject", TermEnd::reject}, {"next", TermEnd::next}}));
    map.finish();
    return term;
  }

  void readMatch(YamlMap map, MatchSettings& match) {
    match.prefix_list = map.optionalText("prefix_list");
    match.all_of = readCommunities(map, "communities", problems_);
    match.any_of = readCommunities(map, "any_community", problems_);
    match.as_path = map.optionalText("as_path");
    const auto number = [](YamlMap& in, const char* key, std::uint64_t low, std::uint64_t high) {
      const auto value = in.optionalNumber(key, low, high);
      return value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
    };
    match.origin_as = number(map, "origin_as", 1, kHighest);
    match.neighbor_as = number(map, "neighbor_as", 1, kHighest);
    if (map.has("path_length")) {
      YamlMap length = *map.map("path_length");
      match.path_length_min = number(length, "min", 0, kLongestPath);
      match.path_length_max = number(length, "max", 0, kLongestPath);
      length.finish();
    }
    match.origin = readOrigin(map);
    match.family = optionalChoice<Family>(map, "family", {{"ipv4", kIpv4Unicast}, {"ipv6", kIpv6Unicast}});
    map.finish();
  }

  void readSet(YamlMap map, SetSettings& set) {
    assign(set.local_pref, map.optionalNumber("local_pref", 0, kHighest));
    set.remove_med = map.isWord("med", "remove");
    if (!set.remove_med) assign(set.med, map.optionalNumber("med", 0, kHighest));
    assign(set.prepend, map.optionalNumber("prepend", 1, kMostPrepended));
    if (map.has("communities")) {
      YamlMap communities = *map.map("communities");
      set.remove_all_communities = communities.isWord("remove", "all");
      if (!set.remove_all_communities) set.remove = readCommunities(communities, "remove", problems_);
      set.add = readCommunities(communities, "add", problems_);
      communities.finish();
    }
    set.origin = readOrigin(map);
    map.finish();
  }

  static std::optional<Origin> readOrigin(YamlMap& map) {
    return optionalChoice<Origin>(map, "origin",
                                  {{"igp", Origin::igp}, {"egp", Origin::egp}, {"incomplete", Origin::incomplete}});
  }

  Problems& problems_;
};

}  // namespace

/// A list that is empty would match everything, which nobody means who writes one.
std::vector<AnyCommunity> readCommunities(YamlMap& map, const std::string& key, Problems& problems) {
  std::vector<AnyCommunity> list;
  if (!map.has(key)) return list;
  const std::size_t before = problems.all().size();
  for (const YamlText& text : map.texts(key)) {
    const auto community = parseCommunity(text.text);
    if (!community)
      problems.add(text.place,
                   "must be a community as 64600:1, 64600:1:2, rt:64600:1 or no-export, not '" + text.text + "'");
    else if (std::ranges::find(list, *community) != list.end())
      problems.add(text.place, "'" + text.text + "' is there twice");
    else
      list.push_back(*community);
  }
  if (list.empty() && problems.all().size() == before) problems.add(map.placeOf(key), "must name at least one");
  return list;
}

PolicyBook readPolicyBook(YamlMap& file, Problems& problems) {
  PolicyBook book;
  PolicyReader reader(problems);
  if (file.has("prefix_lists")) {
    YamlMap lists = *file.map("prefix_lists");
    for (const std::string& name : lists.keys()) book.prefix_lists[name] = reader.readList(lists, name);
    lists.finish();
  }
  if (file.has("policies")) {
    YamlMap policies = *file.map("policies");
    for (const std::string& name : policies.keys()) book.policies[name] = reader.readPolicy(policies, name);
    policies.finish();
  }
  return book;
}

}  // namespace poplink::host::bgp
