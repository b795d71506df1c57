// SPDX-License-Identifier: Apache-2.0
#include "explain.h"

#include "routes.h"

namespace poplink::host::bgp {

namespace {

/// What a policy says of a route: who decided, and which terms have a say in its attributes.
template <class Prefix>
Json judgement(const std::string& name, const Policy& policy, const Prefix& prefix, const PathFacts& facts) {
  const Verdict verdict = policy.judge(prefix, facts);
  const auto& terms = policy.settings().terms;
  Json matched = Json::array();
  for (std::size_t i = 0; i < terms.size(); ++i)
    if (verdict.terms >> i & 1) matched.push_back(terms[i].name);
  return {
      {"policy", name},
      {"accepted", verdict.accept},
      {"decided_by", verdict.decided_by < 0 ? Json() : Json(terms[static_cast<std::size_t>(verdict.decided_by)].name)},
      {"terms", matched}};
}

/// In words, as an operator would say it.
std::string becauseOf(const JudgedPath& path, const Path& in_table, std::size_t eligible, const Json& import) {
  if (in_table.used == kNoAttributes) {
    std::string text = words(in_table.why);
    if (in_table.why != Ineligible::policy || import.is_null()) return text;
    const Json& term = import.at("decided_by");
    return text + " " + import.at("policy").get<std::string>() +
           (term.is_null() ? ": no term matches" : ": term " + term.get<std::string>());
  }
  if (path.best) return eligible == 1 ? "the only one that may be taken" : "the best one";
  if (path.taken) return "beside the best one: they differ in nothing before router id";
  return std::string("lost: ") + words(path.lost);
}

template <class Prefix>
Json paths(const Speaker& speaker, PrefixId id, const ReportTime& time) {
  const RouteTable<Prefix>& table = speaker.table<Prefix>();
  const std::vector<JudgedPath> judged = judgePaths(table, id);
  std::size_t eligible = 0;
  for (const JudgedPath& path : judged) eligible += table.path(path.id).used != kNoAttributes;
  Json list = Json::array();
  for (const JudgedPath& one : judged) {
    const Path& path = table.path(one.id);
    const Octets received = table.store().canonical(path.received);
    Json import;
    if (const Peering* peering = speaker.peering(path.peer))
      import = judgement(policyInUse(peering->settings.import_policy, peering->import.external),
                         *peering->import.policy, table.prefix(id), readFacts(received));
    Json json = reportPath<Prefix>(speaker, one, time);
    json["why"] = becauseOf(one, path, eligible, import);
    json["import"] = import;
    json["received"] = attributesJson(table.store().nextHop(path.received), received);
    list.push_back(json);
  }
  return list;
}

/// To one peer: is it told of the best route, and why not.
template <class Prefix>
Json advertisement(const Speaker& speaker, const Peering& peering, PrefixId id) {
  const RouteTable<Prefix>& table = speaker.table<Prefix>();
  const UpdateGroups<Prefix>& groups = speaker.groups<Prefix>();
  const AdjRibOut<Prefix>* out = groups.of(peering.index);
  Json json = {{"peer", peering.settings.name}, {"advertised", false}, {"reason", nullptr}, {"export", nullptr}};
  const auto because = [&json](const std::string& reason) {
    json["reason"] = reason;
    return json;
  };
  if (!peering.session) return because(std::string("the session is ") + name(peering.machine.state()));
  if (out == nullptr) return because("the session does not have this family");
  const Best best = table.best(id);
  const Best told = out->told(id);
  json["advertised"] = told.attributes != kNoAttributes && told.peer != peering.index;
  if (best.attributes == kNoAttributes) return because("there is no route that may be taken");
  const Withheld withheld = groups.withheld(peering.index, best, table.prefix(id));
  if (withheld == Withheld::none || withheld == Withheld::policy)
    json["export"] =
        judgement(policyInUse(peering.settings.export_policy, peering.exports.external), *peering.exports.policy,
                  table.prefix(id), readFacts(table.store().canonical(best.attributes)));
  if (withheld != Withheld::none) return because(words(withheld));
  if (told == best) return json;
  return because(out->atRest() ? "its attributes fit into no message" : "waits to be sent");
}

template <class Prefix>
Json explain(const Speaker& speaker, const Prefix& asked, const ReportTime& time) {
  const RouteTable<Prefix>& table = speaker.table<Prefix>();
  const PrefixId id = longestMatch(table, asked);
  Json json = {{"asked", toString(asked)}, {"prefix", nullptr}, {"paths", Json::array()}, {"peers", Json::array()}};
  if (id == kNoPrefix) return json;
  json["prefix"] = toString(table.prefix(id));
  json["paths"] = paths<Prefix>(speaker, id, time);
  for (const Peering* peering : speaker.peerings())
    json["peers"].push_back(advertisement<Prefix>(speaker, *peering, id));
  return json;
}

}  // namespace

Json explainRoute(const Speaker& speaker, const AnyPrefix& asked, const ReportTime& time) {
  return std::visit([&](const auto& prefix) { return explain(speaker, prefix, time); }, asked);
}

}  // namespace poplink::host::bgp
