// SPDX-License-Identifier: Apache-2.0
#include "routes.h"

#include <algorithm>

namespace poplink::host::bgp {

namespace {

template <class Prefix>
bool isWithin(const std::optional<AnyPrefix>& outer, const Prefix& prefix) {
  if (!outer) return true;
  const auto* same = std::get_if<Prefix>(&*outer);
  return same != nullptr && covers(*same, prefix);
}

}  // namespace

template <class Prefix>
std::vector<JudgedPath> judgePaths(const RouteTable<Prefix>& table, PrefixId id) {
  std::vector<JudgedPath> paths;
  std::vector<Candidate> candidates;
  std::vector<std::size_t> judged;  // which path a candidate is
  for (PathId path = table.firstPath(id); path != kNoPath; path = table.path(path).next) {
    if (table.path(path).used != kNoAttributes) {
      candidates.push_back(table.candidate(table.path(path)));
      judged.push_back(paths.size());
    }
    paths.push_back({path});
  }
  if (candidates.empty()) return paths;
  const Decision decision = decide(candidates, table.settings());
  for (std::size_t i = 0; i < judged.size(); ++i) paths[judged[i]].lost = decision.lost[i];
  for (const std::size_t taken : decision.taken) paths[judged[taken]].taken = true;
  paths[judged[decision.best]].best = true;
  return paths;
}

template <class Prefix>
Json reportPath(const Speaker& speaker, const JudgedPath& judged, const ReportTime& time) {
  const RouteTable<Prefix>& table = speaker.table<Prefix>();
  const Path& path = table.path(judged.id);
  const bool eligible = path.used != kNoAttributes;
  const Peering* peering = speaker.peering(path.peer);
  Json reason;
  if (!eligible)
    reason = words(path.why);
  else if (!judged.taken)
    reason = words(judged.lost);
  Json json = {{"peer", peering ? Json(peering->settings.name) : Json()},
               {"best", judged.best},
               {"multipath", judged.taken},
               {"eligible", eligible},
               {"reason", reason},
               {"stale", table.old(path)},
               {"since", time.text(speaker.since(path))},
               {"age_seconds", time.secondsSince(speaker.since(path))}};
  const AttributesId attributes = eligible ? path.used : path.received;
  json.update(attributesJson(table.store().nextHop(attributes), table.store().canonical(attributes)));
  return json;
}

template <class Prefix>
Json reportRoute(const Speaker& speaker, PrefixId id, const RouteFilter& filter, const ReportTime& time) {
  const RouteTable<Prefix>& table = speaker.table<Prefix>();
  if (table.firstPath(id) == kNoPath || !isWithin(filter.within, table.prefix(id))) return {};
  Json paths = Json::array();
  for (const JudgedPath& path : judgePaths(table, id)) {
    if (filter.peer && table.path(path.id).peer != *filter.peer) continue;
    if (filter.best_only && !path.taken) continue;
    paths.push_back(reportPath<Prefix>(speaker, path, time));
  }
  if (paths.empty()) return {};
  return {{"prefix", toString(table.prefix(id))}, {"family", familyKey(kFamilyOf<Prefix>)}, {"paths", paths}};
}

template <class Prefix>
Json reportAdvertised(const Speaker& speaker, const Peering& peering, PrefixId id) {
  const UpdateGroups<Prefix>& groups = speaker.groups<Prefix>();
  const AdjRibOut<Prefix>* out = groups.of(peering.index);
  if (out == nullptr) return {};
  const Prefix& prefix = speaker.table<Prefix>().prefix(id);
  const auto exported = groups.exported(peering.index, out->told(id), prefix);
  if (!exported) return {};
  Json json = {{"prefix", toString(prefix)}, {"family", familyKey(kFamilyOf<Prefix>)}};
  json.update(attributesJson(exported->next_hop, exported->attributes,
                             peering.exports.four_octet_asn ? AsnBytes::four : AsnBytes::two));
  return json;
}

template <class Prefix>
PrefixId longestMatch(const RouteTable<Prefix>& table, const Prefix& prefix) {
  for (int length = prefix.length; length >= 0; --length) {
    const PrefixId id = table.find(prefixOf(prefix.address, static_cast<std::uint8_t>(length)));
    if (id != kNoPrefix && table.firstPath(id) != kNoPath) return id;
  }
  return kNoPrefix;
}

template std::vector<JudgedPath> judgePaths(const RouteTable<Prefix4>&, PrefixId);
template std::vector<JudgedPath> judgePaths(const RouteTable<Prefix6>&, PrefixId);
template Json reportPath<Prefix4>(const Speaker&, const JudgedPath&, const ReportTime&);
template Json reportPath<Prefix6>(const Speaker&, const JudgedPath&, const ReportTime&);
template Json reportRoute<Prefix4>(const Speaker&, PrefixId, const RouteFilter&, const ReportTime&);
template Json reportRoute<Prefix6>(const Speaker&, PrefixId, const RouteFilter&, const ReportTime&);
template Json reportAdvertised<Prefix4>(const Speaker&, const Peering&, PrefixId);
template Json reportAdvertised<Prefix6>(const Speaker&, const Peering&, PrefixId);
template PrefixId longestMatch(const RouteTable<Prefix4>&, const Prefix4&);
template PrefixId longestMatch(const RouteTable<Prefix6>&, const Prefix6&);

}  // namespace poplink::host::bgp
