// SPDX-License-Identifier: Apache-2.0
#include "peer_rules.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <span>
#include <string_view>

#include "../policy/policy_problems.h"

namespace poplink::host::bgp {

namespace {

using Names = std::map<std::string, std::string, std::less<>>;

/// What the session calls its settings, and what the speaker file does.
const Names kSessionNames = {{"peer_as", "asn"},
                             {"hold_seconds", "hold_time"},
                             {"minimum_hold_seconds", "minimum_hold_time"},
                             {"keepalive_seconds", "keepalive"},
                             {"restart_seconds", "restart_time"},
                             {"idle_hold_first", "idle_hold.first"},
                             {"idle_hold_longest", "idle_hold.longest"}};
const Names kLimitNames = {{"limit", "max"}, {"restart", "restart_after"}};

std::string renamed(std::string_view text, const Names& names) {
  const auto inWord = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
  std::string result;
  while (!text.empty()) {
    const auto size = static_cast<std::size_t>(std::ranges::find_if_not(text, inWord) - text.begin());
    const std::string_view word = text.substr(0, std::max<std::size_t>(size, 1));
    const auto found = names.find(word);
    result += found == names.end() ? word : found->second;
    text.remove_prefix(word.size());
  }
  return result;
}

/// A problem as "graceful_restart.restart_seconds: must not ...", with its place and in the speaker file's words.
SettingProblem split(const std::string& problem, const Names& names) {
  const std::string text = renamed(problem, names);
  const std::size_t colon = text.find(": ");
  SettingPath path;
  for (std::size_t at = 0; at < colon;) {
    const std::size_t dot = std::min(text.find('.', at), colon);
    path.emplace_back(text.substr(at, dot - at));
    at = dot + 1;
  }
  return {std::move(path), text.substr(colon + 2)};
}

bool isIpv4(const Address& address) {
  return std::holds_alternative<Ipv4>(address);
}

void checkSession(const PeerSettings& peer, const SpeakerSettings& settings, const SettingRules& rules) {
  const OpenSettings& open = peer.session.open;
  for (const std::string& problem : problems(peer.session)) {
    const auto [path, text] = split(problem, kSessionNames);
    // What the speaker itself has wrong is said once.
    if (path == SettingPath{"local_as"} && open.local_as == settings.asn) continue;
    if (path == SettingPath{"router_id"} && open.router_id == settings.router_id) continue;
    rules.add(path, text);
  }
  rules.rule(open.router_id != settings.router_id, {"router_id"}, "must be the speaker's (RFC 4271 section 4.2)");
  for (const auto& [key, asn] : {std::pair("asn", open.peer_as), std::pair("local_as", open.local_as)}) {
    // 0 and AS_TRANS are among what problems() says.
    const bool said = asn == 0 || asn == kAsTrans || (key == std::string("local_as") && asn == settings.asn);
    if (!said && !wrongAsn(asn).empty()) rules.add({key}, wrongAsn(asn));
  }
  const auto needless =
      std::ranges::find_if(peer.limits, [&open](const auto& entry) { return !open.families.contains(entry.first); });
  if (needless != peer.limits.end()) rules.add({"prefix_limit"}, toString(needless->first) + " is none of families");
  for (const auto& [family, limit] : peer.limits) {
    for (const std::string& problem : problems(limit)) {
      auto [path, text] = split(problem, kLimitNames);
      path.insert(path.begin(), {"prefix_limit", family == kIpv4Unicast ? "ipv4" : "ipv6"});
      rules.add(path, text);
    }
  }
}

void checkConnection(const PeerSettings& peer, const SpeakerSettings& settings, const SettingRules& rules) {
  const Address& remote = peer.remote.address;
  rules.rule(isGroup(remote) || isUnspecified(remote), {"address"}, "must be the address of one host");
  rules.rule(peer.remote.port == 0, {"port"}, "must not be 0");
  rules.rule(peer.session.passive && peer.remote.port != kBgpPort, {"port"}, "a passive peer is never connected to");
  if (const auto& local = peer.local_address) {
    rules.rule(isGroup(*local) || isUnspecified(*local), {"local_address"}, "must be an address of this host");
    rules.rule(isIpv4(*local) != isIpv4(remote), {"local_address"}, "must be of the same family as address");
    rules.rule(*local == remote, {"local_address"}, "must differ from address");
  }
  const auto same_family = [&](const Endpoint& listen) { return isIpv4(listen.address) == isIpv4(remote); };
  if (peer.session.passive && std::ranges::none_of(settings.listen, same_family)) {
    rules.add({"passive"}, std::string("needs an address in bgp.listen, of IPv") + (isIpv4(remote) ? "4" : "6") +
                               ", at which the peer can connect");
  }
  rules.rule(peer.hops == 0, {"hops"}, "must be at least 1");
  rules.rule(peer.ttl_security && peer.hops == 255, {"ttl_security"},
             "with 255 hops it lets every packet in (RFC 5082)");
  if (peer.md5_key.size() > kLongestMd5Key)
    rules.add({"md5"}, "the key must have 1 to " + std::to_string(kLongestMd5Key) + " octets");
}

void checkRouting(const PeerSettings& peer, const PolicyBook& book, const SettingRules& rules) {
  for (const auto& [key, policy] : {std::pair("import", peer.import_policy), std::pair("export", peer.export_policy)})
    if (policy && !hasPolicy(book, *policy)) rules.add({key}, "there is no policy '" + *policy + "'");
  if (peer.route_server_client) {
    rules.rule(peer.session.open.internal(), {"route_server_client"}, "external sessions only (RFC 7947)");
    rules.rule(peer.next_hop == NextHopMode::self, {"next_hop"},
               "a route server leaves it as it came (RFC 7947 section 2.2.1)");
    rules.rule(peer.session.open.role && peer.session.open.role != BgpRole::route_server, {"role"},
               "is route-server towards a route server's client (RFC 9234)");
  }
  if (peer.allow_own_as > kMostOwnAs) rules.add({"allow_own_as"}, "must not exceed " + std::to_string(kMostOwnAs));
  // Its length and the text, unless something had to be left out.
  rules.rule(!peer.shutdown_text.empty() && shutdownData(peer.shutdown_text).size() != peer.shutdown_text.size() + 1,
             {"shutdown_text"}, "must be at most 255 octets of UTF-8 (RFC 9003)");
}

/// Who connects is known by the address only: the port is whatever the peer's host has taken.
void checkApart(const std::vector<PeerSettings>& peers, std::size_t index, const SettingRules& rules) {
  const PeerSettings& peer = peers[index];
  const auto before = std::span(peers).first(index);
  if (std::ranges::find(before, peer.name, &PeerSettings::name) != before.end())
    rules.add({"name"}, "'" + peer.name + "' is another peer's name too");
  for (const PeerSettings& other : before) {
    if (other.remote.address != peer.remote.address) continue;
    if (other.remote.port == peer.remote.port)
      return rules.add({"address"}, toString(peer.remote.address) + " port " + std::to_string(peer.remote.port) +
                                        " is peer '" + other.name + "' too");
    if (other.session.passive || peer.session.passive)
      return rules.add({"address"}, toString(peer.remote.address) + " is peer '" + other.name +
                                        "' too, and ports do not tell a passive peer apart");
  }
}

}  // namespace

std::string wrongAsn(Asn asn) {
  if (asn == 0) return "must not be 0 (RFC 7607)";
  if (asn == kAsTrans) return "must not be 23456, AS_TRANS (RFC 6793)";
  if (asn == 0xffff || asn == 0xffff'ffff)
    return "must not be " + std::to_string(asn) + ", a reserved number (RFC 7300)";
  return "";
}

bool isGroup(const Address& address) {
  if (const auto* ipv4 = std::get_if<Ipv4>(&address)) return *ipv4 >= 0xE000'0000;
  return std::get<Ipv6>(address)[0] == 0xff;
}

bool isUnspecified(const Address& address) {
  return address == Address{Ipv4{}} || address == Address{Ipv6{}};
}

void checkPeers(const SpeakerSettings& settings, const SettingRules& rules) {
  for (std::size_t i = 0; i < settings.peers.size(); ++i) {
    const PeerSettings& peer = settings.peers[i];
    const SettingRules here = rules.at({"peers", i});
    here.rule(!isName(peer.name), {"name"}, kNameRule);
    checkApart(settings.peers, i, here);
    checkConnection(peer, settings, here);
    checkSession(peer, settings, here);
    checkRouting(peer, settings.book, here);
  }
}

}  // namespace poplink::host::bgp
