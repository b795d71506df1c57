// SPDX-License-Identifier: Apache-2.0
#include "exporter.h"

#include "common_rules.h"

namespace poplink::host::bgp {

const char* words(Withheld reason) {
  static constexpr const char* kWords[] = {"",
                                           "it is the peer's own route",
                                           "routes of internal peers are not for other internal peers",
                                           "community no-advertise",
                                           "community no-export",
                                           "route leak (RFC 9234)",
                                           "no next hop of this family towards the peer",
                                           "refused by export policy"};
  return kWords[static_cast<std::size_t>(reason)];
}

template <class Prefix>
std::optional<std::uint64_t> RouteExporter<Prefix>::judge(const Best& best, const Prefix& prefix) {
  const PathFacts facts = readFacts(store_.canonical(best.attributes));
  if (check(best, facts) != Withheld::none) return std::nullopt;
  const Verdict verdict = rules_.policy->judge(prefix, facts);
  return verdict.accept ? std::optional(verdict.terms) : std::nullopt;
}

template <class Prefix>
Withheld RouteExporter<Prefix>::withheld(const Best& best, const Prefix& prefix) const {
  const PathFacts facts = readFacts(store_.canonical(best.attributes));
  const Withheld reason = check(best, facts);
  if (reason != Withheld::none) return reason;
  return rules_.policy->judge(prefix, facts).accept ? Withheld::none : Withheld::policy;
}

template <class Prefix>
Withheld RouteExporter<Prefix>::check(const Best& best, const PathFacts& facts) const {
  // Routes of internal peers are for external ones only: all internal peers speak with each other (RFC 4271 9.2).
  if (!rules_.external && best.peer != kLocalPeer && !sources_[best.peer].external) return Withheld::internal;
  if (!facts.communities.empty()) {
    if (containsUnit(facts.communities, kNoAdvertiseOctets)) return Withheld::no_advertise;
    if (rules_.external &&
        (containsUnit(facts.communities, kNoExportOctets) || containsUnit(facts.communities, kNoExportSubconfedOctets)))
      return Withheld::no_export;
  }
  // RFC 9234 section 5, egress procedure 2.
  if (rules_.role && peerIsAbove(*rules_.role) && facts.only_to_customer) return Withheld::leak;
  return nextHop(store_.nextHop(best.attributes)) ? Withheld::none : Withheld::no_next_hop;
}

/// nullopt: there is none that the peers understand.
template <class Prefix>
std::optional<NextHop> RouteExporter<Prefix>::nextHop(const NextHop& came) const {
  const bool six = std::is_same_v<Prefix, Prefix6>;
  const bool as_it_came = rules_.next_hop == NextHopMode::unchanged || rules_.route_server_client ||
                          (rules_.next_hop == NextHopMode::automatic && !rules_.external);
  const bool came_six = std::holds_alternative<Ipv6>(came.address);
  const bool none = !came_six && std::get<Ipv4>(came.address) == 0;  // of routes that are originated here
  if (as_it_came && !none && (came_six == six || (came_six && rules_.extended_next_hop))) return came;
  if (!six && rules_.self4) return NextHop{*rules_.self4, std::nullopt};
  if (rules_.self6 && (six || rules_.extended_next_hop)) return NextHop{*rules_.self6, std::nullopt};
  return std::nullopt;
}

template <class Prefix>
UpdateForm RouteExporter<Prefix>::form() const {
  if (std::is_same_v<Prefix, Prefix6>) return UpdateForm::ipv6_multiprotocol;
  return UpdateForm::ipv4;
}

template <class Prefix>
Exported RouteExporter<Prefix>::make(const Best& best, std::uint64_t terms) {
  Exported exported{form(), *nextHop(store_.nextHop(best.attributes)),
                    attributes(store_.canonical(best.attributes), terms)};
  if (exported.form == UpdateForm::ipv4 && std::holds_alternative<Ipv6>(exported.next_hop.address))
    exported.form = UpdateForm::ipv4_multiprotocol;
  return exported;
}

/// The path goes on as it came, and what is put in front of it depends on the terms only.
template <class Prefix>
bool RouteExporter<Prefix>::mayBeAlike(const Best& one, const Best& other, std::uint64_t) {
  return store_.facts(one.attributes).path_length == store_.facts(other.attributes).path_length;
}

/// What came with the route and does not go further; policy may set it anew.
template <class Prefix>
std::vector<AttributeChange> RouteExporter<Prefix>::beforePolicy(const PathFacts& facts) const {
  std::vector<AttributeChange> changes;
  if (!rules_.external) return changes;
  if (facts.med && !rules_.route_server_client) changes.push_back({AttributeType::multi_exit_disc, std::nullopt});
  if (facts.originator_id) changes.push_back({AttributeType::originator_id, std::nullopt});
  if (!facts.cluster_list.empty()) changes.push_back({AttributeType::cluster_list, std::nullopt});
  return changes;
}

/// What holds whatever policy says.
template <class Prefix>
std::vector<AttributeChange> RouteExporter<Prefix>::afterPolicy(const PathFacts& facts) const {
  std::vector<AttributeChange> changes;
  // RFC 4271 section 5.1.5: inside an AS always, to others never.
  if (rules_.external && facts.local_pref) changes.push_back({AttributeType::local_pref, std::nullopt});
  if (!rules_.external && !facts.local_pref)
    changes.push_back(setTo(AttributeType::local_pref, DecisionFacts{}.local_pref));
  // RFC 9234 section 5, egress procedure 1.
  if (rules_.role && peerIsBelow(*rules_.role) && !facts.only_to_customer)
    changes.push_back(setTo(AttributeType::only_to_customer, rules_.local_as));
  if (rules_.drain && !containsUnit(facts.communities, kGracefulShutdownOctets)) {
    AttributeChange& change = changes.emplace_back(AttributeChange{
        AttributeType::communities, std::vector<std::uint8_t>(facts.communities.begin(), facts.communities.end())});
    put(*change.value, kGracefulShutdownOctets);
  }
  return changes;
}

template <class Prefix>
std::vector<std::uint8_t> RouteExporter<Prefix>::attributes(Octets canonical, std::uint64_t terms) const {
  std::vector<std::uint8_t> out(canonical.begin(), canonical.end());
  if (const auto changes = beforePolicy(readFacts(out)); !changes.empty()) out = withChanges(out, changes);
  if (rules_.policy->changes(terms)) out = rules_.policy->apply(out, terms, rules_.local_as);
  if (const auto changes = afterPolicy(readFacts(out)); !changes.empty()) out = withChanges(out, changes);
  if (rules_.external && !rules_.route_server_client) out = withPrepended(out, rules_.local_as, 1);
  return rules_.four_octet_asn ? out : wireAttributes(out, false);
}

template class RouteExporter<Prefix4>;
template class RouteExporter<Prefix6>;

}  // namespace poplink::host::bgp
