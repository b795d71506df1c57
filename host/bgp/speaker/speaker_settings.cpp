// SPDX-License-Identifier: Apache-2.0
#include "speaker_settings.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <span>

#include "../policy/policy_problems.h"
#include "peer_rules.h"

namespace poplink::host::bgp {

namespace {

/// What stands at an index of a list, by its name if it has one.
std::string nameAt(const SpeakerSettings& settings, const SettingPath& path, std::size_t step) {
  const std::size_t index = std::get<std::size_t>(path[step]);
  std::string name;
  if (path[0] == SettingPath::value_type{"peers"}) name = settings.peers[index].name;
  if (path[0] == SettingPath::value_type{"policies"})
    name = settings.book.policies.at(std::get<std::string>(path[1])).terms[index].name;
  return name.empty() ? std::to_string(index) : name;
}

std::string words(const SpeakerSettings& settings, const SettingProblem& problem) {
  std::string place;
  for (std::size_t step = 0; step < problem.path.size(); ++step) {
    if (const auto* key = std::get_if<std::string>(&problem.path[step]))
      place += (place.empty() ? "" : ".") + *key;
    else
      place += "[" + nameAt(settings, problem.path, step) + "]";
  }
  return place + ": " + problem.text;
}

std::vector<std::string> words(const SpeakerSettings& settings, const std::vector<SettingProblem>& found) {
  std::vector<std::string> result;
  result.reserve(found.size());
  for (const SettingProblem& problem : found) result.push_back(words(settings, problem));
  return result;
}

/// The kernel lets nobody listen twice at one port, and a wildcard is every address of its family.
bool overlap(const Endpoint& one, const Endpoint& other) {
  if (one.port != other.port || one.address.index() != other.address.index()) return false;
  return one.address == other.address || isUnspecified(one.address) || isUnspecified(other.address);
}

void checkListen(const std::vector<Endpoint>& listen, const SettingRules& rules) {
  for (std::size_t i = 0; i < listen.size(); ++i) {
    const SettingRules here = rules.at({"listen", i});
    here.rule(isGroup(listen[i].address), {"address"}, "must be an address of this host, or 0.0.0.0 or ::");
    here.rule(listen[i].port == 0, {"port"}, "must not be 0");
    for (const Endpoint& other : std::span(listen).first(i)) {
      if (!overlap(listen[i], other)) continue;
      here.add({}, toString(other.address) + " port " + std::to_string(other.port) + " covers it already");
      break;
    }
  }
}

void checkOriginated(const std::vector<OriginatedRoute>& routes, const SettingRules& rules) {
  std::set<std::variant<Prefix4, Prefix6>> before;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const SettingRules here = rules.at({"originate", i});
    here.rule(!before.insert(routes[i].prefix).second, {"prefix"}, "is there twice");
    if (!routes[i].next_hop) continue;
    const Address& next_hop = *routes[i].next_hop;
    here.rule(isGroup(next_hop) || isUnspecified(next_hop), {"next_hop"}, "must be the address of one host");
    here.rule(next_hop.index() != routes[i].prefix.index(), {"next_hop"}, "must be of the same family as prefix");
  }
}

void checkSpeaker(const SpeakerSettings& settings, const SettingRules& rules) {
  if (const std::string wrong = wrongAsn(settings.asn); !wrong.empty()) rules.add({"asn"}, wrong);
  rules.rule(settings.router_id == 0, {"router_id"}, "must not be 0 (RFC 6286)");
  checkListen(settings.listen, rules);
  if (settings.decision.multipath < 1 || settings.decision.multipath > kMostMultipath)
    rules.add({"multipath"}, "must be from 1 to " + std::to_string(kMostMultipath));
  checkOriginated(settings.originate, rules);
  for (std::size_t i = 0; i < settings.reachable.size(); ++i) {
    const auto before = std::span(settings.reachable).first(i);
    rules.rule(std::ranges::find(before, settings.reachable[i]) != before.end(), {"reachable", i}, "is there twice");
  }
}

}  // namespace

std::vector<SettingProblem> findProblems(const SpeakerSettings& settings) {
  std::vector<SettingProblem> found;
  const SettingRules rules({}, found);
  checkSpeaker(settings, rules.at({"bgp"}));
  std::ranges::move(findProblems(settings.book), std::back_inserter(found));
  checkPeers(settings, rules);
  return found;
}

std::vector<std::string> problems(const SpeakerSettings& settings) {
  return words(settings, findProblems(settings));
}

std::vector<std::string> notices(const SpeakerSettings& settings) {
  std::vector<SettingProblem> found;
  for (std::size_t i = 0; i < settings.peers.size(); ++i) {
    const PeerSettings& peer = settings.peers[i];
    if (peer.session.open.internal()) continue;
    const SettingRules here({"peers", i}, found);
    here.rule(!peer.import_policy, {"import"}, "no policy, so nothing of this external peer is taken (RFC 8212)");
    here.rule(!peer.export_policy, {"export"}, "no policy, so nothing is sent to this external peer (RFC 8212)");
  }
  return words(settings, found);
}

}  // namespace poplink::host::bgp
